"""The options of an export, the same in every interface, and what an export reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.frame_selection import FrameEntry
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import (
    MAX_EXPORT_FPS,
    MAX_EXPORT_FRAMES,
    MAX_EXPORT_SCALE,
    MAX_EXPORT_SECONDS,
    MAX_EXPORT_WIDTH,
    MAX_PROBES,
    MIN_EXPORT_FPS,
    MIN_EXPORT_SCALE,
    MIN_EXPORT_WIDTH,
    Count,
)
from stnscope.backend.experiment.recording.records import Checkpoint, CheckpointRef

FormatName = Literal[
    "gif",
    "webp",
    "apng",
    "mp4",
    "png",
    "svg",
    "pdf",
    "html",
    "csv",
    "npz",
    "safetensors",
    "stnscope",
]
LayoutName = Literal["evolution", "moving", "stage", "one"]
TableName = Literal["probes", "grids", "metrics"]
FileInfo = Mapping[str, float | None]
"""Information about a file: `psnr`, its error in decibels, None if it is exact."""
Progress = Callable[[int, int], None]
"""Called with the number of finished frames and of all; what it raises cancels the export."""

LAYERS = ("dots", "outline", "mesh", "trail", "inverse")
CHARTS = ("loss", "accuracy", "stillness", "learning_rate")


@dataclass(frozen=True)
class ExportDefaults:
    """The values of options that are not given; the catalog serves them as `export_defaults`."""

    format: FormatName = "gif"
    samples: Mapping[LayoutName, int] = field(
        default_factory=lambda: {"evolution": 3, "moving": 1, "stage": 12, "one": 1}
    )
    """Number of probes, by layout."""
    tenths_fps: float = 2.0
    """Frames per second of the first epoch's tenths."""
    fps: float = 20.0
    """Frames per second otherwise."""
    scale: float = 1.0
    min_scale: float = MIN_EXPORT_SCALE
    layers: str = "dots,outline"


DEFAULTS = ExportDefaults()


def _names(choices: Sequence[str]) -> str:
    """Return a pattern of names, separated by commas."""
    name = f"({'|'.join(choices)})"
    return rf"^({name}(,{name}){{0,{len(choices) - 1}}})?$"


class ExportOptions(BaseModel):
    """Options of an export.

    Without `first`, `last` and `frames`, `evolution` shows the first epoch's tenths, or as many
    frames of the whole run if the length of an epoch is unknown, `moving` the closing lap or,
    without one, all steps whose probes moved, and `stage` and `one` the whole run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: FormatName = Field(default=DEFAULTS.format, description="Form of the file.")
    layout: LayoutName = Field(
        default="evolution",
        description="evolution: through training; moving: the probes move; stage: all probes as "
        "the page shows them; one: a single probe, large.",
    )
    first: Count | None = Field(default=None, description="First step of a range.")
    last: Count | None = Field(
        default=None, description="Last step of a range; that of a single picture or checkpoint."
    )
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
        f"{DEFAULTS.samples['moving']} if moving, {DEFAULTS.samples['stage']} on the stage; in "
        "pages and data all.",
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
    seconds: float | None = Field(
        default=None,
        gt=0,
        le=MAX_EXPORT_SECONDS,
        description="Duration of all frames, instead of frames per second.",
    )
    scale: float = Field(
        default=DEFAULTS.scale,
        ge=MIN_EXPORT_SCALE,
        le=MAX_EXPORT_SCALE,
        description=f"Scale; at 1 an image has {sheet.TILE} pixels.",
    )
    width: int | None = Field(
        default=None,
        ge=MIN_EXPORT_WIDTH,
        le=MAX_EXPORT_WIDTH,
        description="Width of the picture in pixels, instead of a scale.",
    )
    layers: str = Field(
        default=DEFAULTS.layers,
        pattern=_names(LAYERS),
        description=f"What is drawn of regions on the stage or of one probe: {', '.join(LAYERS)} "
        "(the output pasted back), separated by commas.",
    )
    charts: str | None = Field(
        default=None,
        pattern=_names(CHARTS),
        description=f"Charts beside the stage or the probe: {', '.join(CHARTS)}, separated by "
        "commas.",
    )
    compare: str | None = Field(
        default=None, description="Id of a second run, shown beside the first at the same steps."
    )
    still: Literal["sheet", "poster"] = Field(
        default="sheet", description="sheet: all frames side by side; poster: the last one."
    )
    table: TableName = Field(
        default="probes",
        description="probes: theta, corners and probabilities; grids: the sampling grids; metrics: "
        "those of each step.",
    )


class ReadableRecording(Protocol):
    """The part of `Recording` that an export uses."""

    @property
    def path(self) -> Path: ...

    def summary(self) -> dict[str, Any]: ...

    def frames(self) -> Sequence[FrameEntry]: ...

    def frame(self, step: int, lap: int | None = None) -> Frame: ...

    def metrics(self, after: int | None = None) -> dict[str, Any]: ...

    def sampled_metrics(self, points: int, after: int | None = None) -> dict[str, Any]: ...

    def checkpoints(self) -> Sequence[CheckpointRef]: ...

    def checkpoint_at(self, step: int) -> Checkpoint: ...
