"""One HTML file that plays a run, with overlays, charts and keyboard, and without a network."""

from pathlib import Path

from stnscope.backend.experiment.export import frame_selection
from stnscope.backend.experiment.export.one_file_page import one_file_page
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import select_probes
from stnscope.backend.experiment.export.stored_run import contents, store_run, whole_run


def write_html(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write frames of a run as a page in one file; as `formats.Format.write`.

    Without a range or a number of frames it has up to `MAX_EXPORT_FRAMES` of the whole run, and the
    closing lap if there is one.
    """
    entries = recording.frames()
    keys = frame_selection.select_range(entries, options)
    if options.last is None:
        keys += [key for key in whole_run(entries) if key.lap is not None]
    last = recording.frame(*keys[-1])
    are_all_shown = options.probes is None and options.samples is None
    probes = None if are_all_shown else select_probes(options, len(last.tensors["input"]))
    files: dict[str, bytes] = {}
    run = store_run(recording, keys, "", files.__setitem__, probes=probes, progress=progress)
    files["contents.json"] = contents([run], {run["id"]: ""})
    title = f"{run.get('name') or run['id']}, stnscope"
    target.write_bytes(one_file_page(title, files))
