"""Export a run from its recording alone, without torch, in any of the registered forms.

Animations show rows of a network's input and its transformers' outputs, with dots at the corners
of the sampled region. `evolution` shows training, with a counter of tenths of the epoch below; in
`moving` the probes move, and the outputs of a good transformer do not.
"""

from pathlib import Path

from stnscope.backend.experiment.errors import NotFound, Unavailable
from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FileInfo,
    Progress,
    ReadableRecording,
)
from stnscope.backend.experiment.export.snapshot import FrameDropped, Snapshot
from stnscope.backend.experiment.os_errors import display_name

ATTEMPTS = 3
"""How often an export begins, where frames that it shows are dropped: rarely more than once."""


def export(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
    compared: ReadableRecording | None = None,
) -> FileInfo:
    """Write a file of a run, finished or still training; a failed export leaves no file.

    Returns information about the file.

    Args:
        recording: the run's recording, which is read frame by frame.
        options: the form and content.
        target: where the file is written; one that is there is replaced when it is complete.
        progress: called with the number of finished frames and of all frames; an exception that
            it raises cancels the export.
        compared: the recording of the run `options.compare`.

    Raises:
        Conflict: no frame that fits the options is recorded yet.
        InvalidInput: an option does not fit the run; has the field.
        NotFound: the folder of the file does not exist.
        OSError: the file cannot be written.
    """
    if not target.parent.is_dir():
        raise NotFound(f"The folder of {display_name(target)} does not exist. Create it first.")
    part = target.with_name(f".{target.name}.part")
    try:
        info = _write(recording, options, part, progress, compared)
        part.replace(target)
        return info
    finally:
        part.unlink(missing_ok=True)


def _write(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None,
    compared: ReadableRecording | None,
) -> FileInfo:
    """Write the file of a snapshot; begin again if a frame of it is dropped meanwhile."""
    for _ in range(ATTEMPTS):
        try:
            snapshot = Snapshot(recording, compared)
            return FORMATS[options.format].write(snapshot, options, target, progress) or {}
        except FrameDropped:
            continue
    raise Unavailable("The recording was thinned again and again. Please try again later.")
