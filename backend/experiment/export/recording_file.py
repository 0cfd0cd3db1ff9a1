"""Write the recording itself: the run as one file that opens elsewhere."""

from pathlib import Path

from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.recording.reader import copy_recording


def write_recording(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Copy the recording, consistently even while it is written to; errors as of `export`."""
    copy_recording(recording.path, target)
    if progress is not None:
        progress(1, 1)
