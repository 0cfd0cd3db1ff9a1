"""One HTML file that plays a run, with overlays, charts and keyboard, and without a network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.export import frame_selection
from stnscope.backend.experiment.export.frame_groups import (
    GROUP_FRAMES,
    Inputs,
    group_frames,
    pack_group,
)
from stnscope.backend.experiment.export.frame_selection import FrameKey
from stnscope.backend.experiment.export.metadata import describe
from stnscope.backend.experiment.export.one_file_page import encoded_length, one_file_page
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import select_probes
from stnscope.backend.experiment.export.snapshot import compared_run
from stnscope.backend.experiment.export.stored_run import (
    contents,
    keep_probes,
    store_run,
    whole_run,
)


def write_html(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write frames of a run as a page in one file; as `formats.Format.write`.

    Without a range or a number of frames it has up to `MAX_EXPORT_FRAMES` of the whole run, and the
    closing lap if there is one. A second run is there to be compared.
    """
    shown = [recording]
    if options.compare is not None:
        shown.append(compared_run(recording))
    keys = [select_frames(each, options) for each in shown]
    total, done = sum(map(len, keys)), 0

    def report(count: int, _: int) -> None:
        if progress is not None:
            progress(done + count, total)

    files: dict[str, bytes] = {}
    runs, folders = [], {}
    for number, (each, selected) in enumerate(zip(shown, keys, strict=True)):
        folder = f"{number}/"
        probes = shown_probes(each, selected, options)
        run = store_run(each, selected, folder, files.__setitem__, probes=probes, progress=report)
        runs.append(run)
        folders[run["id"]] = folder
        done += len(selected)
    files["contents.json"] = contents(
        runs, folders, opened=runs[0]["id"], compared=compared_id(runs)
    )
    steps = f"steps {keys[0][0].step} to {keys[0][-1].step}"
    provenance = describe(recording.summary(), None, options, steps)
    title = f"{runs[0].get('name') or runs[0]['id']}, stnscope"
    target.write_bytes(one_file_page(title, files, provenance.entries()))


def select_frames(recording: ReadableRecording, options: ExportOptions) -> list[FrameKey]:
    """Return the frames that a page has."""
    entries = recording.frames()
    keys = frame_selection.select_range(entries, options)
    if options.last is None:
        keys += [key for key in whole_run(entries) if key.lap is not None]
    return keys


def estimate_bytes(recording: ReadableRecording, options: ExportOptions) -> int:
    """Return about how many bytes the file has, from frames in the middle of what it shows."""
    keys = select_frames(recording, options)
    probes = shown_probes(recording, keys, options)
    parts = ([key for key in keys if (key.lap is None) == is_step] for is_step in (True, False))
    packed = sum(_estimate_packed(recording, part, probes) for part in parts if part)
    return len(one_file_page("", {})) + encoded_length(packed)


def _estimate_packed(
    recording: ReadableRecording, keys: Sequence[FrameKey], probes: Sequence[int] | None
) -> int:
    start = max(0, (len(keys) - GROUP_FRAMES) // 2)
    frames = [recording.frame(*key) for key in keys[start : start + GROUP_FRAMES]]
    if probes is not None:
        frames = [keep_probes(frame, probes) for frame in frames]
    packed = sum(len(pack_group(group, Inputs())) for group in group_frames(iter(frames)))
    return packed * len(keys) // len(frames)


def shown_probes(
    recording: ReadableRecording, keys: Sequence[FrameKey], options: ExportOptions
) -> list[int] | None:
    """Return the indices of the probes that a page has; None for all."""
    if options.probes is None and options.samples is None:
        return None
    return select_probes(options, len(recording.frame(*keys[-1]).tensors["input"]))


def compared_id(runs: Sequence[dict[str, Any]]) -> str | None:
    """Return the id of the second run; None if there is one only."""
    return runs[1]["id"] if len(runs) > 1 else None
