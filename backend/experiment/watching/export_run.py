"""Export of a run from Python, where the packages of the server may not be installed."""

from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.errors import NotInstalled
from stnscope.backend.experiment.recording.quota import raising_insufficient_storage
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording


def export_run(path: Path, file: Path, options: Mapping[str, Any]) -> Path:
    """Write a file of a recording; return its path.

    Args:
        path: the recording.
        file: where the file is written.
        options: of `ExportOptions`; `compare` is the id of a run in the same folder.

    Raises:
        StnscopeError: it cannot be made.
        ValueError: an option is invalid.
    """
    # Watching needs no package that draws, and must load without them.
    try:
        exports = import_module("stnscope.backend.experiment.export.export")
        formats = import_module("stnscope.backend.experiment.export.formats")
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"Exports need {error.name}, which is not installed. Install it with: "
            'pip install "stnscope[backend]"'
        ) from error
    chosen = formats.options_for(file, options)
    with ExitStack() as stack:
        recording = stack.enter_context(Recording.open(path))
        compared = None
        if chosen.compare is not None:
            compared = stack.enter_context(
                Recording.open(path.with_name(Path(chosen.compare).name + SUFFIX))
            )
        stack.enter_context(raising_insufficient_storage())
        exports.export(recording, chosen, file, compared=compared)
    return file
