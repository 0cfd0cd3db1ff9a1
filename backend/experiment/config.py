"""What a run is made of. Every field has a default, so an empty object is the demonstration."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ProbesConfig(_Frozen):
    """The fixed images watched through training."""

    count: int = Field(default=12, ge=1, le=64, description="How many images are watched.")
    moving: bool = Field(
        default=False, description="Whether their distortion follows a smooth path."
    )


class DistortionConfig(_Frozen):
    """What is done to an image before the network sees it."""

    name: str = Field(default="scattered", max_length=64)
    strength: float = Field(default=1.0, ge=0.0, le=1.0, description="0 leaves the image alone.")


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
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    epochs: int = Field(default=3, ge=1, le=1000)
    batch_size: int = Field(default=64, ge=2, le=1024)
    learning_rate: float = Field(
        default=2e-3, gt=0, le=1, description="Peak rate of the classifier."
    )
    localisation_learning_rate: float = Field(
        default=1e-3, ge=0, le=1, description="Peak rate of the localisation networks."
    )
    threads: int = Field(default=1, ge=1, le=64, description="CPU threads the trainer may use.")
    probes: ProbesConfig = ProbesConfig()
