"""The forms in which a run is exported, one row for each.

A form has a module whose function writes the file. To add one: its module, its name in
`options.FormatName`, and its row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stnscope.backend.experiment.export.gif import write_gif
from stnscope.backend.experiment.export.html import write_html
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FormatName,
    Progress,
    ReadableRecording,
)

Write = Callable[[ReadableRecording, ExportOptions, Path, Progress | None], None]

STEPS = ("first", "last", "frames")
PROBES = ("samples", "probes")
ANIMATED = ("layout", *STEPS, *PROBES, "fps", "scale")


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
    """Writes the file of a recording and options; raises what `export` raises."""

    def describe(self) -> dict[str, Any]:
        """Return the row without its function."""
        return {key: value for key, value in vars(self).items() if key != "write"}


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
    "html": Format(
        "Page in one file",
        "Plays in any browser, without a server or a network: frames, timeline, overlays, charts.",
        "text/html",
        "html",
        "page",
        (*STEPS, *PROBES),
        write_html,
    ),
}
