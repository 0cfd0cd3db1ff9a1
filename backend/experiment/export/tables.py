"""Write one table as CSV: of probes, of their sampling grids, or of metrics.

Where it comes from is in columns, since a comment is an error to many readers: `run` in each row,
`configuration` and `command` at the end, in the first of each thousand rows.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from stnscope.backend.experiment.csv_cells import text_cell
from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.export.arrays import NO_LAP, Array, FrameArrays, read_metrics
from stnscope.backend.experiment.export.metadata import describe
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording

Row = list[Any]
PROVENANCE_ROWS = 1000
"""Readers that take a file in parts, as pandas does, find text in these columns of each."""
CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


def write_csv(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write a table with a row of names; arguments and errors as those of `export`."""
    rows: Iterator[Iterable[Any]]
    if options.table == "metrics":
        columns = read_metrics(recording, options)
        if not columns["step"]:
            raise Conflict("No metrics of these steps are recorded. Choose other steps.")
        rows = chain([columns], zip(*columns.values(), strict=True))
        if progress is not None:
            progress(1, 1)
    else:
        frames = FrameArrays(recording, options, progress)
        rows = _probe_rows(frames) if options.table == "probes" else _grid_rows(frames)
    run = recording.summary()
    described = describe(run, None, options, f"table of {options.table}")
    provenance = [described.configuration, described.command]
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["run", *map(text_cell, next(rows)), "configuration", "command"])
        for number, row in enumerate(rows):
            writer.writerow(
                [run["id"], *row, *(["", ""] if number % PROVENANCE_ROWS else provenance)]
            )


def _probe_rows(frames: FrameArrays) -> Iterator[Row]:
    """Yield the names of columns, then a row for each frame and probe."""
    classes, labels = frames.info["classes"], frames.labels()
    arrays = {n: a for n, a in frames.arrays.items() if n != "predicted" and n[:5] != "grid."}
    names = ["step", "lap", "epoch", "probe", "label", "predicted"]
    for name, array in arrays.items():
        names += _column_names(name, array.shape[2:], classes)
    yield names
    for key_row in range(len(frames.keys)):
        count = len(frames.probes)
        flat = [array[key_row].reshape(count, -1) for array in arrays.values()]
        numbers = [_texts(row) for row in np.concatenate(flat, axis=1)] if flat else [[]] * count
        for probe_row, probe in enumerate(frames.probes):
            predicted = frames.arrays["predicted"][key_row, probe_row]
            names = [_class_name(classes, each) for each in (labels[probe_row], predicted)]
            yield [*_key(frames, key_row), probe, *names, *numbers[probe_row]]


def _grid_rows(frames: FrameArrays) -> Iterator[Row]:
    """Yield the names of columns, then a row for each frame, probe and point of the lattice."""
    yield ["step", "lap", "epoch", "probe", "transformer", "row", "column", "x", "y"]
    for name, array in frames.arrays.items():
        if name.startswith("grid."):
            for number, lattices in enumerate(array):
                texts, key = iter(_texts(lattices)), _key(frames, number)
                for probe, row, column in np.ndindex(lattices.shape[:3]):
                    start = [*key, frames.probes[probe], name[5:], row, column]
                    yield [*start, next(texts), next(texts)]


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
    name = " ".join(classes[each] for each in np.atleast_1d(index).tolist() if each >= 0)
    return text_cell(name)


def _texts(array: Array) -> list[str]:
    """Return all numbers as the shortest texts that are the same float32, "" for NaN."""
    return ["" if text == "nan" else text for text in map(str, array.ravel())]
