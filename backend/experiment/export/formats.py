"""The forms in which a run is exported, one row for each.

A form has a module whose function writes the file. To add one: its module, its name in
`options.FormatName`, and its row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stnscope.backend.experiment.export.apng import write_apng
from stnscope.backend.experiment.export.checkpoint import write_safetensors
from stnscope.backend.experiment.export.gif import write_gif
from stnscope.backend.experiment.export.html import write_html
from stnscope.backend.experiment.export.mp4 import write_mp4
from stnscope.backend.experiment.export.npz import write_npz
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FileInfo,
    FormatName,
    Progress,
    ReadableRecording,
)
from stnscope.backend.experiment.export.pdf import write_pdf
from stnscope.backend.experiment.export.png import write_png
from stnscope.backend.experiment.export.recording_file import write_recording
from stnscope.backend.experiment.export.svg import write_svg
from stnscope.backend.experiment.export.tables import write_csv
from stnscope.backend.experiment.export.webp import write_webp

Write = Callable[[ReadableRecording, ExportOptions, Path, Progress | None], FileInfo | None]

STEP_OPTIONS = ("first", "last", "frames")
PROBE_OPTIONS = ("samples", "probes")
APPEARANCE_OPTIONS = ("layout", "scale", "width", "layers", "charts", "compare")
ANIMATED = (*STEP_OPTIONS, *PROBE_OPTIONS, *APPEARANCE_OPTIONS, "fps", "seconds")


@dataclass(frozen=True)
class Format:
    """A form of file."""

    title: str
    description: str
    """One sentence: what it is good for."""
    media_type: str
    suffix: str
    kind: Literal["animation", "still", "page", "data"]
    options: tuple[str, ...]
    """Names of the options that have an effect, besides `format`."""
    write: Write
    """Writes the file of a recording and options, and may return information about it; raises
    what `export` raises."""

    def describe(self) -> dict[str, Any]:
        """Return the row without its function."""
        return {key: value for key, value in vars(self).items() if key != "write"}


def file_name(run_id: str, options: ExportOptions) -> str:
    """Return the name of an exported file."""
    row = FORMATS[options.format]
    if "layout" in row.options:
        return f"{run_id}-{options.layout}.{row.suffix}"
    if "table" in row.options:
        return f"{run_id}-{options.table}.{row.suffix}"
    return f"{run_id}.{row.suffix}"


def options_for(file: Path | None, values: Mapping[str, Any]) -> ExportOptions:
    """Return the options of an export to a file, whose suffix is its form if none is given.

    Raises:
        ValidationError: a value is invalid.
    """
    if "format" not in values and file is not None:
        suffix = file.suffix.lower().removeprefix(".")
        names = [name for name, row in FORMATS.items() if row.suffix == suffix]
        values = {**values, **({"format": names[0]} if names else {})}
    return ExportOptions.model_validate(values)


FORMATS: Mapping[FormatName, Format] = {
    "gif": Format(
        "Animated GIF",
        "Plays in slides, on pages and in mails; dots and static parts are exact.",
        "image/gif",
        "gif",
        "animation",
        ANIMATED,
        write_gif,
    ),
    "webp": Format(
        "Animated WebP",
        "Plays on pages; small; the file states how exact its colours are.",
        "image/webp",
        "webp",
        "animation",
        ANIMATED,
        write_webp,
    ),
    "apng": Format(
        "Animated PNG",
        "Plays on pages, with every colour exact.",
        "image/apng",
        "apng",
        "animation",
        ANIMATED,
        write_apng,
    ),
    "mp4": Format(
        "MP4 video",
        "Plays in slides, players and chats; needs the extra stnscope[video].",
        "video/mp4",
        "mp4",
        "animation",
        ANIMATED,
        write_mp4,
    ),
    "png": Format(
        "PNG picture",
        "All frames side by side, or the last one as a poster.",
        "image/png",
        "png",
        "still",
        (*STEP_OPTIONS, *PROBE_OPTIONS, *APPEARANCE_OPTIONS, "still"),
        write_png,
    ),
    "svg": Format(
        "SVG figure",
        "Input, sampling grid and output at one step, to be edited or shown on a page.",
        "image/svg+xml",
        "svg",
        "still",
        ("last", *PROBE_OPTIONS, "scale", "width"),
        write_svg,
    ),
    "pdf": Format(
        "PDF figure",
        "The same figure for a paper: lines stay lines, and the font is embedded.",
        "application/pdf",
        "pdf",
        "still",
        ("last", *PROBE_OPTIONS, "scale", "width"),
        write_pdf,
    ),
    "html": Format(
        "Page in one file",
        "Plays in any browser, without a server or a network: frames, timeline, overlays, charts.",
        "text/html",
        "html",
        "page",
        (*STEP_OPTIONS, *PROBE_OPTIONS, "compare"),
        write_html,
    ),
    "csv": Format(
        "CSV table",
        "Theta, corners and probabilities, sampling grids, or metrics, for any program.",
        "text/csv",
        "csv",
        "data",
        (*STEP_OPTIONS, *PROBE_OPTIONS, "table"),
        write_csv,
    ),
    "npz": Format(
        "NumPy arrays",
        "Theta, corners, grids, probabilities and metrics, for a notebook.",
        "application/x-npz",
        "npz",
        "data",
        (*STEP_OPTIONS, *PROBE_OPTIONS),
        write_npz,
    ),
    "safetensors": Format(
        "Checkpoint",
        "The network's weights as safetensors, for PyTorch and others.",
        "application/octet-stream",
        "safetensors",
        "data",
        ("last",),
        write_safetensors,
    ),
    "stnscope": Format(
        "Recording",
        "The whole run, to be watched in another stnscope.",
        "application/octet-stream",
        "stnscope",
        "data",
        (),
        write_recording,
    ),
}
