"""What a run is made of, and what of it can be changed while it trains.

Every field of a configuration has a default, so an empty object is the demonstration.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from stnscope.backend.experiment.limits import MAX_EPOCHS, MAX_PROBES, MAX_SUPERSAMPLING

Padding = float | Literal["border"]
"""Value of the pixels outside an image in [0, 1], or `border`: its edge pixels are repeated."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ProbesConfig(_Frozen):
    """The fixed images watched through training."""

    count: int = Field(default=12, ge=1, le=MAX_PROBES, description="How many images are watched.")
    moving: bool = Field(
        default=False, description="Whether their distortion follows a smooth path."
    )


class DistortionConfig(_Frozen):
    """What is done to an image before the network sees it."""

    name: str = Field(
        default="scattered",
        max_length=64,
        description="A named distortion, or several joined by +, one after another.",
    )
    strength: float = Field(default=1.0, ge=0.0, le=1.0, description="0 leaves the image alone.")

    @field_validator("name")
    @classmethod
    def _without_spaces(cls, name: str) -> str:
        """`RTS + occlusion` is `RTS+occlusion`."""
        return "+".join(part.strip() for part in name.split("+"))


class SamplerConfig(_Frozen):
    """How transformers sample their input; no effect on a network without transformers."""

    padding: str = Field(
        default="network",
        max_length=64,
        description="Padding that transformers sample outside the image, by name.",
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
        description="Samples along each side of a transformer's output pixel, averaged; more "
        "reduce aliasing.",
    )

    @property
    def padding_value(self) -> Padding | None:
        """The padding as `grid.sample` takes it; None for the network's default."""
        match self.padding:
            case "zeros":
                return 0.0
            case "border":
                return "border"
            case "background":
                return self.background
        return None


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class RunConfig(_Frozen):
    """Everything that decides how a run goes; equal configurations give equal runs."""

    architecture: str = Field(default="digits", max_length=64, description="A named network.")
    dataset: str = Field(default="digits", max_length=64, description="A named data set.")
    family: str = Field(
        default="affine", max_length=64, description="The transformer's parametrisation."
    )
    distortion: Annotated[DistortionConfig, BeforeValidator(_named)] = DistortionConfig()
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Of all that is random; equal ones give equal runs.",
    )
    epochs: int = Field(
        default=3, ge=1, le=MAX_EPOCHS, description="How often all images are shown."
    )
    batch_size: int = Field(default=64, ge=2, le=1024, description="Images for each step.")
    learning_rate: float = Field(
        default=2e-3, gt=0, le=1, description="Peak rate of the classifier."
    )
    localisation_learning_rate: float = Field(
        default=1e-3, ge=0, le=1, description="Peak rate of the localisation networks."
    )
    optimiser: str = Field(
        default="adamw", max_length=64, description="A named way to go down the gradient."
    )
    schedule: str = Field(
        default="one_cycle",
        max_length=64,
        description="A named way of the learning rates through the run.",
    )
    weight_decay: float = Field(
        default=1e-2, ge=0, le=1, description="How strongly weights are drawn to 0."
    )
    label_smoothing: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="The share of a label that is spread over all classes.",
    )
    sampler: SamplerConfig = SamplerConfig()
    threads: int = Field(
        default=1, ge=1, le=64, description="Threads of the CPU that the trainer may use."
    )
    probes: ProbesConfig = ProbesConfig()


SLOW_MOTION = 0.5
"""Seconds a step where slow motion is asked for without saying how slow."""


def _seconds(value: Any) -> Any:
    return SLOW_MOTION * value if isinstance(value, bool) else value


class SettingsChange(_Frozen):
    """What is changed by hand while a run trains; what is None stays as it is."""

    learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="Peak rate of the classifier from here on."
    )
    localisation_learning_rate: float | None = Field(
        default=None, ge=0, le=1, description="Peak rate of the localisation networks."
    )
    slow_motion: Annotated[float | None, BeforeValidator(_seconds)] = Field(
        default=None,
        ge=0,
        le=10,
        description="Seconds that each step is drawn out to; 0 or false is full speed, true half "
        "a second.",
    )
    moving: bool | None = Field(default=None, description="Whether the probes move.")

    @property
    def given(self) -> dict[str, Any]:
        """What is changed, by name."""
        return self.model_dump(exclude_none=True)


class LiveSettings(_Frozen):
    """What is in effect in a step of those settings that can be changed while a run trains."""

    learning_rate: float
    localisation_learning_rate: float
    slow_motion: float = 0.0
    moving: bool

    @classmethod
    def of(cls, config: RunConfig, changes: Iterable[SettingsChange] = ()) -> Self:
        """Those that a run starts with, after `changes`, in their order."""
        settings = cls(
            learning_rate=config.learning_rate,
            localisation_learning_rate=config.localisation_learning_rate,
            moving=config.probes.moving,
        )
        for change in changes:
            settings = settings.model_copy(update=change.given)
        return settings
