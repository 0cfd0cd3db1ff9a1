"""The configuration of a run, and the settings that can be changed while it trains.

Every field has a default; the default configuration is the demonstration's.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
)
from pydantic_core import PydanticCustomError

from stnscope.backend.experiment.limits import (
    MAX_EPOCHS,
    MAX_NAME_LENGTH,
    MAX_PROBES,
    MAX_RATE_FACTOR,
    MAX_RATE_FACTORS,
    MAX_SEED,
    MAX_SUPERSAMPLING,
    MAX_THREADS,
)
from stnscope.models.catalog import Architecture

Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH)]
"""The name of a data set, a network and so on."""
RateFactor = Annotated[float, Field(ge=0, le=MAX_RATE_FACTOR)]
"""What the learning rate of a parameter group is multiplied by; 0 freezes it."""
Padding = float | Literal["border"]
"""Value outside an image, 0 to 1, or `border`, which repeats the pixels at its border."""


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AUTO: Literal["auto"] = "auto"
"""Selects what suits the machine; a run is created with the selected value."""
CPU = "cpu"
"""The device that every machine has."""
TRACKS = "tracks"
"""Probes move through a series of photos of their subject."""


def _check_moving(value: Any) -> Any:
    """Reject what is neither a boolean nor the name of a motion, with all that is accepted."""
    if isinstance(value, bool) or value == TRACKS:
        return value
    expected = {"expected": f"true, false or '{TRACKS}'"}
    raise PydanticCustomError("literal_error", "Input should be {expected}", expected)


def _check_threads(value: Any) -> Any:
    """Reject what is neither `auto` nor a number of threads, with all that is accepted."""
    if value == AUTO or (type(value) is int and 1 <= value <= MAX_THREADS):
        return value
    expected = {"expected": f"'{AUTO}' or a whole number from 1 to {MAX_THREADS}"}
    raise PydanticCustomError("literal_error", "Input should be {expected}", expected)


class ProbesConfig(FrozenModel):
    """The probes: fixed images that are observed throughout training."""

    count: int = Field(
        default=12, ge=1, le=MAX_PROBES, description="Number of held-out images observed."
    )
    moving: Annotated[bool | Literal["tracks"], BeforeValidator(_check_moving)] = Field(
        default=False,
        description="Whether they move: true along a smooth path of their distortion, `tracks` "
        "through a series of photos of their subject, which some data sets have.",
    )


class DistortionConfig(FrozenModel):
    """The distortion of images before they are fed to the network."""

    name: Name = Field(
        default="RTS",
        description="Name of a distortion, or several joined by +, applied in order.",
    )
    strength: float = Field(
        default=1.0, ge=0.0, le=1.0, description="0 leaves the image undistorted."
    )

    @field_validator("name")
    @classmethod
    def _remove_spaces(cls, name: str) -> str:
        """Accept `RTS + occlusion` as `RTS+occlusion`."""
        return "+".join(part.strip() for part in name.split("+"))


MAX_CLUTTER = 12


class PictureVariation(FrozenModel):
    """How a picture is changed; the defaults change nothing."""

    rotation: float = Field(default=0, ge=-180, le=180, description="Degrees, clockwise.")
    scale: float = Field(default=1, ge=0.25, le=3)
    shift_x: float = Field(default=0, ge=-1.5, le=1.5, description="Share of half the width.")
    shift_y: float = Field(default=0, ge=-1.5, le=1.5, description="Share of half the height.")
    tilt: float = Field(default=0, ge=-60, le=60, description="Degrees about the vertical axis.")
    bend: float = Field(default=0, ge=-1, le=1)
    cover: float = Field(
        default=0, ge=0, le=1, description="Width of a bar across the middle, as a share."
    )
    darkness: float = Field(default=0, ge=0, le=1)
    clutter: int = Field(
        default=0, ge=0, le=MAX_CLUTTER, description="Small crops of other images."
    )
    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="Seed of the positions of clutter.")


class SamplerConfig(FrozenModel):
    """The sampling by spatial transformers; no effect on a network without them."""

    padding: Name = Field(
        default="network",
        description="Name of the padding that transformers sample outside the image.",
    )
    background: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="Value outside the image, 0 black to 1 white, if padding is background.",
    )
    supersampling: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SUPERSAMPLING,
        description="Samples along each side of an output pixel of a transformer, which are "
        "averaged; higher values reduce aliasing.",
    )

    @property
    def padding_value(self) -> Padding | None:
        """The padding as an argument of `grid.sample`; None for the network's default."""
        match self.padding:
            case "zeros":
                return 0.0
            case "border":
                return "border"
            case "background":
                return self.background
        return None


def _parse_distortion(value: Any) -> Any:
    """Convert a name to a distortion of full strength."""
    return {"name": value} if isinstance(value, str) else value


class RunConfig(FrozenModel):
    """All parameters of a run; equal configurations give equal runs.

    A recorded one that lacks a field was made before there was one, and means its default.
    """

    architecture: Name = Field(default="digits", description="Name of a network.")
    dataset: Name = Field(default="digits", description="Name of a data set.")
    family: Name = Field(
        default="affine",
        description="Family of the spatial transformers.",
    )
    distortion: Annotated[
        DistortionConfig,
        BeforeValidator(_parse_distortion, json_schema_input_type=DistortionConfig | str),
    ] = DistortionConfig()
    seed: int = Field(
        default=0,
        ge=0,
        le=MAX_SEED,
        description="Seed of all random numbers; equal seeds give equal runs.",
    )
    epochs: int = Field(
        default=3, ge=1, le=MAX_EPOCHS, description="Passes over the training images."
    )
    batch_size: int = Field(default=64, ge=2, le=1024, description="Images per step.")
    learning_rate: float = Field(
        default=Architecture.learning_rate, gt=0, le=1, description="Peak rate of the classifier."
    )
    localisation_learning_rate: float = Field(
        default=Architecture.localisation_learning_rate,
        ge=0,
        le=1,
        description="Peak rate of the localisation networks.",
    )
    optimiser: Name = Field(default="adamw", description="Name of an optimiser.")
    schedule: Name = Field(
        default="one_cycle",
        description="Name of a learning rate schedule.",
    )
    weight_decay: float = Field(
        default=1e-2, ge=0, le=1, description="Weight decay of the optimiser."
    )
    label_smoothing: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Fraction of a label's probability spread over all classes.",
    )
    consistency: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Weight of the consistency loss: each image of a batch is distorted twice, and "
        "the transformers' outputs should be the same; 0 for none.",
    )
    ema_decay: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Decay, per step, of the exponential moving average of the weights, which is "
        "then what is evaluated and shown; 0 for the weights themselves.",
    )
    device: Name = Field(
        default=CPU,
        description="Name of the device that the network is trained on: auto, cpu, cuda, cuda:1 "
        "and so on, mps.",
    )
    precision: Name = Field(
        default="float32",
        description="Name of the precision of training.",
    )
    channels_last: bool | None = Field(
        default=None,
        description="Whether weights are stored with their channels last, which is faster for most "
        "convolutions and rounds differently; null for with bfloat16 only.",
    )
    threads: Annotated[
        Annotated[int, Field(ge=1, le=MAX_THREADS)] | Literal["auto"],
        BeforeValidator(_check_threads),
    ] = Field(default=1, description="CPU threads of the trainer, or auto.")
    sampler: SamplerConfig = SamplerConfig()
    probes: ProbesConfig = ProbesConfig()


class PictureInput(FrozenModel):
    """What a picture must be to be the input of a watched network."""

    height: int = Field(ge=1)
    width: int = Field(ge=1)
    channels: Literal[1, 3]
    light_on_dark: bool = Field(description="Whether its images are light strokes on black.")


class WatchConfig(FrozenModel):
    """What is known of a run whose loop is its user's own, and is only watched."""

    model: Name = Field(description="Name of the network.")
    parameters: int = Field(ge=0, description="Number of its weights.")
    transformers: int = Field(ge=0, description="Number of its calls of grid_sample.")
    probes: ProbesConfig = ProbesConfig()
    epochs: int | None = Field(
        default=None, ge=1, description="Passes over the training images; null if unknown."
    )
    picture: PictureInput | None = Field(
        default=None,
        description="What a picture is fitted to for the network; null if it takes none.",
    )


def _kind(config: Any) -> str:
    """Return which kind of configuration a value is."""
    is_watched = isinstance(config, WatchConfig) or (isinstance(config, dict) and "model" in config)
    return "watched" if is_watched else "trained"


AnyConfig = Annotated[
    Annotated[RunConfig, Tag("trained")] | Annotated[WatchConfig, Tag("watched")],
    Discriminator(_kind),
]
"""The configuration of a run that is trained here, or of one that is watched."""


DEFAULT_SLOW_MOTION = 0.5
"""Seconds per step if `slow_motion` is true."""


def _parse_slow_motion(value: Any) -> Any:
    """Convert true to the default slow motion, and false to full speed."""
    return DEFAULT_SLOW_MOTION * value if isinstance(value, bool) else value


class SettingsChange(FrozenModel):
    """A change of settings while a run trains; None does not change a setting."""

    learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="Peak rate of the classifier."
    )
    localisation_learning_rate: float | None = Field(
        default=None, ge=0, le=1, description="Peak rate of the localisation networks."
    )
    slow_motion: Annotated[
        float | None,
        BeforeValidator(
            _parse_slow_motion,
            json_schema_input_type=Annotated[float, Field(ge=0, le=10)] | bool | None,
        ),
    ] = Field(
        default=None,
        ge=0,
        le=10,
        description="Minimum duration of a step in seconds; 0 or false for full speed, true for "
        "half a second.",
    )
    moving: bool | None = Field(default=None, description="Whether the probes' distortion moves.")
    rate_factors: dict[Name, RateFactor] | None = Field(
        default=None,
        max_length=MAX_RATE_FACTORS,
        description="Factors of the learning rates of a watched run, by parameter group.",
    )

    @property
    def values(self) -> dict[str, Any]:
        """The changed settings, by name."""
        return self.model_dump(exclude_none=True)

    def followed_by(self, later: Self) -> Self:
        """Return one change for this and a later one."""
        factors = (self.rate_factors or {}) | (later.rate_factors or {})
        return self.model_copy(update=later.values | {"rate_factors": factors or None})


class WatchedSettings(FrozenModel):
    """The values at a step of what can be changed of a watched run at its pause points."""

    rate_factors: dict[str, float]
    slow_motion: float = 0.0

    @classmethod
    def of(cls, changes: Iterable[SettingsChange]) -> Self | None:
        """Return the settings after all changes; None if there is none, and so no pause point."""
        factors: dict[str, float] | None = None
        slow_motion = 0.0
        for change in changes:
            new, known = change.rate_factors or {}, factors or {}
            # A loop whose groups have changed names all of them; a request names known ones only.
            factors = new if new.keys() - known.keys() else known | new
            slow_motion = slow_motion if change.slow_motion is None else change.slow_motion
        return None if factors is None else cls(rate_factors=factors, slow_motion=slow_motion)


class LiveSettings(FrozenModel):
    """The values at a step of the settings that can be changed while a run trains."""

    learning_rate: float
    localisation_learning_rate: float
    slow_motion: float = 0.0
    moving: bool

    @classmethod
    def of(cls, config: RunConfig, changes: Iterable[SettingsChange] = ()) -> Self:
        """Return the initial settings of a run, with `changes` applied in order."""
        settings = cls(
            learning_rate=config.learning_rate,
            localisation_learning_rate=config.localisation_learning_rate,
            moving=bool(config.probes.moving),
        )
        for change in changes:
            known = {name: change.values[name] for name in cls.model_fields.keys() & change.values}
            settings = settings.model_copy(update=known)
        return settings
