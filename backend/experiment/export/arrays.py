"""A run's theta, corners, grids, probabilities and metrics as arrays over its frames.

F frames, N probes, P parameters, K classes. A probe that was added later is NaN before.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.export.frame_selection import FrameKey, select_all
from stnscope.backend.experiment.export.metadata import describe
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import select_probes
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_METRIC_ROWS

Array = NDArray[Any]
NO_LAP = -1
"""The lap of a frame that is not of the closing lap."""


class FrameArrays:
    """The arrays of the frames that options select, all in one order.

    Args:
        recording: the run.
        options: of the export.
        progress: called after each frame.
    """

    def __init__(
        self, recording: ReadableRecording, options: ExportOptions, progress: Progress | None
    ) -> None:
        self.keys: list[FrameKey] = select_all(recording.frames(), options)
        last = recording.frame(*self.keys[-1])
        count = len(last.tensors["input"])
        chosen = options.probes is not None or options.samples is not None
        self.probes = select_probes(options, count) if chosen else list(range(count))
        self.info = last.info
        self.arrays: dict[str, Array] = {
            "predicted": np.full((len(self.keys), *_predicted(last)[self.probes].shape), -1),
        }
        for name, tensor in last.tensors.items():
            if name.partition(".")[0] in ("theta", "corners", "grid", "probabilities"):
                shape = (len(self.keys), len(self.probes), *tensor.shape[1:])
                self.arrays[name] = np.full(shape, np.nan, np.float32)
        self.epochs = np.full(len(self.keys), -1)
        for number, key in enumerate(self.keys):
            self._take(number, recording.frame(*key))
            if progress is not None:
                progress(number + 1, len(self.keys))

    @property
    def steps(self) -> Array:
        """The step of each frame, (F,)."""
        return np.array([key.step for key in self.keys])

    @property
    def laps(self) -> Array:
        """Index of each frame in the closing lap, or `NO_LAP`, (F,)."""
        return np.array([NO_LAP if key.lap is None else key.lap for key in self.keys])

    def labels(self) -> Array:
        """Return the label of each probe, (N,) or (N, T), -1 where unknown."""
        labels = self.info.get("labels") or [None] * (max(self.probes) + 1)
        return _indices(labels)[self.probes]

    def _take(self, number: int, frame: Frame) -> None:
        present = len(frame.tensors["input"])
        rows = [row for row, probe in enumerate(self.probes) if probe < present]
        probes = [self.probes[row] for row in rows]
        for name, array in self.arrays.items():
            values = _predicted(frame) if name == "predicted" else frame.tensors[name]
            array[number, rows] = values[probes]
        epoch = frame.info.get("epoch")
        self.epochs[number] = -1 if epoch is None else epoch


def _predicted(frame: Frame) -> Array:
    """Return the predicted class of each probe, (N,) or (N, T), -1 where there is none."""
    count = len(frame.tensors["input"])
    probabilities = frame.tensors.get("probabilities")
    shape = (count,) if probabilities is None else probabilities.shape[:-1]
    result = np.full(shape, -1)
    for probe, label in enumerate(frame.info.get("predicted") or [None] * count):
        if label is not None:
            result[probe] = label
    return result


def _indices(values: list[Any]) -> Array:
    """Return lists of class indices as one array, -1 where there is none."""
    length = max((len(each) for each in values if isinstance(each, list)), default=0)
    if not length:
        return np.array([-1 if each is None else each for each in values])
    return np.array([[-1] * length if each is None else each for each in values])


def read_metrics(recording: ReadableRecording, options: ExportOptions) -> Mapping[str, list[Any]]:
    """Return columns over all steps of the options' range, up to the last of the recording."""
    end = recording.summary()["step"] if options.last is None else options.last
    after = -1 if options.first is None else options.first - 1
    columns: dict[str, list[Any]] = {}
    while True:
        rows = recording.metrics(after)
        scalars = rows.pop("scalars", {})
        rows = {name: column for name, column in rows.items() if name not in ("seq", "attempt")}
        rows |= {f"scalars.{name}": column for name, column in scalars.items()}
        known, count = len(columns.get("step", [])), len(rows["step"])
        for name in columns.keys() | rows.keys():
            column = columns.setdefault(name, [None] * known)
            column += rows.get(name, [None] * count)
        if count < MAX_METRIC_ROWS or rows["step"][-1] >= end:
            break
        after = rows["step"][-1]
    kept = sum(step <= end for step in columns["step"])
    order = ["step", *sorted(columns.keys() - {"step"})]
    return {name: columns[name][:kept] for name in order}


def provenance(
    recording: ReadableRecording, options: ExportOptions, info: Mapping[str, Any], steps: str
) -> dict[str, str]:
    """Return texts that describe the provenance of arrays."""
    described = describe(recording.summary(), None, options, steps)
    return {
        "title": described.title,
        "configuration": described.configuration,
        "command": described.command,
        "classes": json.dumps(info["classes"]),
        "transformers": json.dumps(info["transformers"]),
    }
