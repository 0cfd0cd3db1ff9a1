"""Store a run as files that a page plays without a server.

A run has a folder: `frames.json` lists the frames and where each group of them is, `metrics.json`
has the metrics, and `frames-0.bin` and so on the groups one after the other, about a megabyte a
file. `contents.json`, one for all runs of a page, has what else the page requests from a server.
`dashboard/assets/offline/recorded-run.js` and `recorded-api.js` beside it read them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from stnscope.backend.experiment.catalog import FAMILIES
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.export.frame_groups import Inputs, group_frames, pack_group
from stnscope.backend.experiment.export.frame_selection import FrameEntry, FrameKey
from stnscope.backend.experiment.export.options import DEFAULTS, Progress, ReadableRecording
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import LIMITS
from stnscope.backend.experiment.run_status import flags

FILE_BYTES = 1_000_000
"""Size from which on a file of groups is complete: a server may send whole files only."""
METRIC_ROWS = 2000
"""Rows of metrics at most; of longer runs those that show their course."""
NOTE = "This page has no server: it plays recordings, and starts or changes none."

WriteFile = Callable[[str, bytes], None]
"""Takes a file's path in the page's folder, and its content."""


class _RunFiles:
    """Parts of a run, one after the other in files of about a megabyte."""

    def __init__(self, folder: str, write: WriteFile) -> None:
        self.folder = folder
        self.write = write
        self.number = 0
        self.data = bytearray()

    def add(self, part: bytes) -> tuple[int, int, int]:
        """Add a part; return the number of its file, its offset and its length."""
        if len(self.data) >= FILE_BYTES:
            self.close()
        location = (self.number, len(self.data), len(part))
        self.data += part
        return location

    def close(self) -> None:
        if self.data:
            self.write(f"{self.folder}frames-{self.number}.bin", bytes(self.data))
            self.number += 1
            self.data = bytearray()


def store_run(
    recording: ReadableRecording,
    keys: Sequence[FrameKey],
    folder: str,
    write: WriteFile,
    *,
    probes: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Store frames and metrics of a run; return the run's entry in a page's contents.

    Args:
        recording: the run's recording, which is read frame by frame.
        keys: the frames, in order; those of a closing lap last.
        folder: for the run's files, with a slash at its end; empty for none.
        write: called with each file.
        probes: indices of the probes that are stored; all if left out.
        progress: called with the number of stored frames and of all.
    """
    summary = recording.summary()
    count = 0
    transformers = 0

    def read() -> Iterator[Frame]:
        nonlocal count, transformers
        for key in keys:
            frame = recording.frame(*key)
            transformers = len(frame.transformers)
            yield frame if probes is None else keep_probes(frame, probes)
            count += 1
            if progress is not None:
                progress(count, len(keys))

    files, inputs = _RunFiles(folder, write), Inputs()
    groups, first_frames, number = [], [], 0
    for group in group_frames(read()):
        groups.append(files.add(pack_group(group, inputs)))
        first_frames.append(number)
        number += len(group)
    locations = [files.add(Inputs.pack(images)) for images in inputs.images]
    files.close()
    steps = [key.step for key in keys if key.lap is None]
    laps = [(key.step, key.lap) for key in keys if key.lap is not None]
    stored = {
        "attempt": summary["attempt"],
        "steps": steps,
        "laps": laps,
        "groups": groups,
        "first_frames": first_frames,
        "inputs": locations,
    }
    write(f"{folder}frames.json", encode_json(stored))
    columns = {k: v for k, v in recording.sampled_metrics(METRIC_ROWS).items() if k != "seq"}
    write(f"{folder}metrics.json", encode_json(columns))
    shown = len(probes) if probes is not None else summary["probes"]
    return describe_run(summary, transformers) | {
        "frames": len(keys),
        "first_step": steps[0],
        "last_step": steps[-1],
        "probes": shown,
    }


def whole_run(frames: Sequence[FrameEntry]) -> list[FrameKey]:
    """Return all frames of a recording, those of the closing lap last."""
    keys = [FrameKey(frame.step, frame.lap) for frame in frames]
    return [key for key in keys if key.lap is None] + [key for key in keys if key.lap is not None]


def keep_probes(frame: Frame, probes: Sequence[int]) -> Frame:
    """Return a frame with some of its probes; those that it does not have yet are left out."""
    count = len(frame.info["labels"])
    rows = [probe for probe in probes if probe < count]
    info = dict(frame.info)
    for name in ("labels", "predicted"):
        info[name] = [info[name][row] for row in rows]
    if "collapsed" in info:
        collapsed: Mapping[str, Sequence[Any]] = info["collapsed"]
        info["collapsed"] = {name: [each[row] for row in rows] for name, each in collapsed.items()}
    if "joined" in info:
        info["joined"] = [rows.index(row) for row in info["joined"] if row in rows]
    return Frame(info, {name: tensor[rows] for name, tensor in frame.tensors.items()})


def describe_run(summary: Mapping[str, Any], transformers: int) -> dict[str, Any]:
    """Return the interface's summary of a run that is no longer trained or changed."""
    return {
        **summary,
        "transformers": transformers,
        **flags(summary["status"]),
        "running": False,
        "live": False,
        "owned": False,
        "unresponsive": False,
        "can": [],
        "picture_refusal": NOTE,
        "resume_note": None,
    }


def contents(
    runs: Sequence[Mapping[str, Any]],
    folders: Mapping[str, str],
    examples: Sequence[Mapping[str, Any]] = (),
    *,
    recordings: Sequence[str] = (),
    opened: str | None = None,
    compared: str | None = None,
) -> bytes:
    """Return a page's contents: its runs, where each is, and what the page needs of the catalog.

    Args:
        runs: that are listed, as `store_run` returns them.
        folders: of all runs, by their ids.
        examples: as the interface has them.
        recordings: ids of the runs whose recordings can be downloaded.
        opened: the run that a page shows whose address names none; the newest if left out.
        compared: the run that it is compared with then.
    """
    catalog = {
        "families": [asdict(family) for family in FAMILIES.values()],
        "datasets": [{"name": each.name, "title": each.title} for each in DATASETS.values()],
        "limits": LIMITS,
        "defaults": RunConfig().model_dump(mode="json"),
        "export_defaults": asdict(DEFAULTS),
    }
    newest = sorted(runs, key=lambda run: (run["created"], run["id"]), reverse=True)
    return encode_json(
        {
            "runs": newest,
            "examples": examples,
            "folders": folders,
            "recordings": recordings,
            "opened": opened,
            "compared": compared,
            "catalog": catalog,
            "note": NOTE,
        }
    )


def encode_json(value: Any) -> bytes:
    """Encode a value as compact JSON."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", errors="backslashreplace")
