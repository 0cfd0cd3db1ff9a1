"""The row of the table `run`, validated: everything that its readers rely on."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from stnscope.backend.experiment.config import AnyConfig, WatchConfig
from stnscope.backend.experiment.limits import MAX_STEPS
from stnscope.backend.experiment.recording.run_name import RunName
from stnscope.backend.experiment.recording.schema import parse_config
from stnscope.backend.experiment.run_status import Status

MAX_TIME = 10**11
"""Seconds since 1970; the year 5138."""
MAX_ATTEMPTS = 10**9
MAX_ERROR_LENGTH = 2000


class RunRow(BaseModel):
    """A row of the table `run`."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    created: float = Field(ge=0, le=MAX_TIME)
    config: Annotated[AnyConfig, BeforeValidator(parse_config)]
    steps_per_epoch: int | None = Field(ge=1, le=MAX_STEPS)
    """None if unknown, in a watched run only."""
    status: Status
    attempt: int = Field(ge=0, le=MAX_ATTEMPTS)
    step: int = Field(ge=0, le=MAX_STEPS)
    loss: float | None
    accuracy: float | None = Field(ge=0, le=1)
    validated_step: int | None = Field(ge=0, le=MAX_STEPS)
    collapsed: int = Field(ge=0, le=1)
    stillness: float | None
    error: str | None
    thinned: int = Field(ge=0, le=64)
    name: RunName | None = None

    @model_validator(mode="after")
    def _check_epoch(self) -> Self:
        """Check that the steps of an epoch are known if the run was trained here."""
        if self.steps_per_epoch is None and not isinstance(self.config, WatchConfig):
            raise ValueError("steps_per_epoch is missing")
        return self


class StoredRunRow(RunRow):
    """A row as a recording of this home has it."""

    id: str
    demonstration: int = Field(ge=0, le=1)
    imported: int = Field(ge=0, le=1)
