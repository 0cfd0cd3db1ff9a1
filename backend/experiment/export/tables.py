"""Write one table as CSV: of probes, of their sampling grids, or of metrics."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.export.arrays import NO_LAP, FrameArrays, read_metrics
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording

Row = list[Any]
CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


def write_csv(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write a table with a row of names; arguments and errors as those of `export`."""
    run = recording.summary()["id"]
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if options.table == "metrics":
            columns = read_metrics(recording, options)
            if not columns["step"]:
                raise Conflict("No metrics of these steps are recorded. Choose other steps.")
            writer.writerow(["run", *columns])
            writer.writerows([run, *row] for row in zip(*columns.values(), strict=True))
            if progress is not None:
                progress(1, 1)
            return
        frames = FrameArrays(recording, options, progress)
        rows = _probe_rows(frames) if options.table == "probes" else _grid_rows(frames)
        writer.writerow(["run", *next(rows)])
        writer.writerows([run, *row] for row in rows)


def _probe_rows(frames: FrameArrays) -> Iterator[Row]:
    """Yield the names of columns, then a row for each frame and probe."""
    classes, labels = frames.info["classes"], frames.labels()
    arrays = {n: a for n, a in frames.arrays.items() if n != "predicted" and n[:5] != "grid."}
    names = ["step", "lap", "epoch", "probe", "label", "predicted"]
    for name, array in arrays.items():
        names += _column_names(name, array.shape[2:], classes)
    yield names
    for key_row, probe_row in np.ndindex(len(frames.keys), len(frames.probes)):
        predicted = frames.arrays["predicted"][key_row, probe_row]
        row = [*_key(frames, key_row), frames.probes[probe_row]]
        row += [_class_name(classes, labels[probe_row]), _class_name(classes, predicted)]
        for array in arrays.values():
            row += _numbers(array[key_row, probe_row])
        yield row


def _grid_rows(frames: FrameArrays) -> Iterator[Row]:
    """Yield the names of columns, then a row for each frame, probe and point of the lattice."""
    yield ["step", "lap", "epoch", "probe", "transformer", "row", "column", "x", "y"]
    for name, array in frames.arrays.items():
        if name.startswith("grid."):
            for frame, probe, row, column in np.ndindex(array.shape[:4]):
                point = _numbers(array[frame, probe, row, column])
                start = [*_key(frames, frame), frames.probes[probe], name[5:]]
                yield [*start, row, column, *point]


def _column_names(name: str, shape: tuple[int, ...], classes: list[str]) -> list[str]:
    if name.startswith("corners."):
        return [f"{name}.{corner}.{axis}" for corner in CORNERS for axis in "xy"]
    if name == "probabilities" and len(shape) == 1:
        return [f"{name}.{each}" for each in classes]
    return [".".join([name, *map(str, index)]) for index in np.ndindex(shape)]


def _key(frames: FrameArrays, row: int) -> Row:
    key, epoch = frames.keys[row], frames.epochs[row]
    return [key.step, "" if frames.laps[row] == NO_LAP else key.lap, "" if epoch < 0 else epoch]


def _class_name(classes: list[str], index: Any) -> str:
    return " ".join(classes[each] for each in np.atleast_1d(index).tolist() if each >= 0)


def _numbers(array: Any) -> Row:
    """Return numbers, "" for NaN; the shortest texts that are the same float32."""
    return ["" if np.isnan(each) else str(each) for each in array.ravel()]
