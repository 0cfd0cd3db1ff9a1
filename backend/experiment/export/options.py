"""The options of an export, the same in every interface, and what an export reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.frame_selection import FrameEntry
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import (
    MAX_EXPORT_FPS,
    MAX_EXPORT_FRAMES,
    MAX_EXPORT_SCALE,
    MAX_PROBES,
    MIN_EXPORT_FPS,
    MIN_EXPORT_SCALE,
    Count,
)

FormatName = Literal["gif", "html"]
LayoutName = Literal["evolution", "moving"]
Progress = Callable[[int, int], None]
"""Called with the number of finished frames and of all; what it raises cancels the export."""


@dataclass(frozen=True)
class ExportDefaults:
    """The values of options that are not given; the catalog serves them as `export_defaults`."""

    format: FormatName = "gif"
    samples: Mapping[LayoutName, int] = field(default_factory=lambda: {"evolution": 3, "moving": 1})
    """Number of probes, by layout."""
    tenths_fps: float = 2.0
    """Frames per second of the first epoch's tenths."""
    fps: float = 20.0
    """Frames per second otherwise."""
    scale: float = 1.0
    min_scale: float = MIN_EXPORT_SCALE


DEFAULTS = ExportDefaults()


class ExportOptions(BaseModel):
    """Options of an export.

    Without `first`, `last` and `frames`, `evolution` shows the first epoch's tenths, or as many
    frames of the whole run if the length of an epoch is unknown, and `moving` the closing lap or,
    without one, all steps whose probes moved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: FormatName = Field(default=DEFAULTS.format, description="Format of the file.")
    layout: LayoutName = Field(
        default="evolution", description="evolution: through training; moving: the probes move."
    )
    first: Count | None = Field(default=None, description="First step of a range.")
    last: Count | None = Field(default=None, description="Last step of a range.")
    frames: int | None = Field(
        default=None,
        ge=1,
        le=MAX_EXPORT_FRAMES,
        description="Number of frames, evenly spaced over the range.",
    )
    samples: int | None = Field(
        default=None,
        ge=1,
        le=MAX_PROBES,
        description=f"Number of probes; {DEFAULTS.samples['evolution']} by default, "
        f"{DEFAULTS.samples['moving']} if moving.",
    )
    probes: str | None = Field(
        default=None,
        pattern=rf"^\d{{1,3}}(,\d{{1,3}}){{0,{MAX_PROBES - 1}}}$",
        description="Indices of probes from 0, separated by commas, instead of a number of probes.",
    )
    fps: float | None = Field(
        default=None,
        ge=MIN_EXPORT_FPS,
        le=MAX_EXPORT_FPS,
        description=f"Frames per second, all of equal duration. Without it, tenths have "
        f"{DEFAULTS.tenths_fps:g} frames a second and others {DEFAULTS.fps:g}, and the last frame "
        "of an evolution is shown longer.",
    )
    scale: float = Field(
        default=DEFAULTS.scale,
        ge=MIN_EXPORT_SCALE,
        le=MAX_EXPORT_SCALE,
        description=f"Scale; at 1 an image has {sheet.TILE} pixels.",
    )


class ReadableRecording(Protocol):
    """The part of `Recording` that an export uses."""

    def summary(self) -> dict[str, Any]: ...

    def frames(self) -> Sequence[FrameEntry]: ...

    def frame(self, step: int, lap: int | None = None) -> Frame: ...

    def sampled_metrics(self, points: int, after: int | None = None) -> dict[str, Any]: ...
