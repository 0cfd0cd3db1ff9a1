"""The German Traffic Sign Recognition Benchmark, in any of the layouts in which people have it.

The official archives: a folder for each class, with PPM images and a CSV file separated by
semicolons. Kaggle's: `Train/<class>/*.png` and one `Train.csv`. Either unpacked or as the zip that
was downloaded. Of the training images some tracks, photos of one and the same sign, are held out
whole: their images are too much alike to stand on both sides.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.data.file_tree import Tree, trees
from stnscope.backend.experiment.errors import DatasetError

CLASSES = 43
HELD_OUT = 10
"""Of this many tracks of a class one is held out, at least one."""
SEED = 1307
OFFICIAL = re.compile(r"(^|/)(Final_Training/Images|Training)/\d{5}/GT-\d{5}\.csv$")
KAGGLE = re.compile(r"(^|/)Train\.csv$")
NAMES = {
    "width": "Width",
    "height": "Height",
    "left": "Roi.X1",
    "top": "Roi.Y1",
    "right": "Roi.X2",
    "bottom": "Roi.Y2",
    "class": "ClassId",
}


@dataclass(frozen=True)
class Row:
    """One image, as a CSV file tells it."""

    where: str
    """The CSV file and the line, for messages."""
    path: str
    label: int
    track: str
    box: tuple[int, int, int, int]
    """What of the image is the sign: left, top, right and bottom in pixels, inclusive."""
    fewest_bytes: int
    """What the image's file has at least."""


@contextmanager
def listed(folder: Path) -> Iterator[tuple[Tree, list[Row]]]:
    """The training images in a folder, or in a zip in it, and what they are read from.

    Raises:
        DatasetError: there are none, or what lists them is damaged; names the file and the line.
    """
    with trees(folder) as found:
        for tree in found:
            sizes = tree.sizes()
            tables = _tables(sizes)
            if tables:
                rows = [row for table in tables for row in _table(tree, table)]
                if not rows:
                    raise DatasetError(f"{tree.name} lists no images.")
                _check_sizes(rows, sizes)
                yield tree, rows
                return
    raise DatasetError(
        f"{folder} holds neither the official Final_Training folder or zip nor Kaggle's Train.csv."
    )


def count(folder: Path) -> tuple[int, int]:
    """How many images there are to train on, and how many are held out.

    Raises:
        DatasetError: as of `listed`.
    """
    with listed(folder) as (_, rows):
        out = int(held_out(rows).sum())
    return len(rows) - out, out


def image_folders(table: Path) -> Iterator[Path]:
    """The folders of the images that a CSV file lists, where it is one."""
    if table.name == "Train.csv":
        yield from table.parent.glob("Train/*")
    elif table.suffix == ".csv":
        yield table.parent


def _tables(names: Iterable[str]) -> list[str]:
    return sorted(n for n in names if OFFICIAL.search(n)) or [n for n in names if KAGGLE.search(n)]


def _check_sizes(rows: list[Row], sizes: Mapping[str, int]) -> None:
    """Sees that each image is there, and not cut short as far as its size tells."""
    for row in rows:
        size = sizes.get(row.path)
        if size is None:
            raise DatasetError(f"{row.where}: {row.path} is not there.")
        if size < row.fewest_bytes:
            raise DatasetError(
                f"{row.where}: {row.path} cannot be read: it has {size:,} bytes, of at least "
                f"{row.fewest_bytes:,}."
            )


def _table(tree: Tree, table: str) -> Iterator[Row]:
    official = bool(OFFICIAL.search(table))
    try:
        text = tree.read(table).decode("utf-8-sig", errors="replace")
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{table} cannot be read: {error}.") from error
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if official else ",")
    path_column = "Filename" if official else "Path"
    missing = {path_column, *NAMES.values()} - set(reader.fieldnames or ())
    if missing:
        raise DatasetError(f"{table} has no column {' or '.join(sorted(missing))}.")
    base = table.rpartition("/")[0]
    for row in reader:
        yield _row(row, f"{table}, line {reader.line_num}", base, row[path_column] or "", official)


def _row(row: dict[str, str], where: str, base: str, file: str, official: bool) -> Row:
    try:
        numbers = {key: int(row[column]) for key, column in NAMES.items()}
    except (TypeError, ValueError):
        raise DatasetError(f"{where}: a number is missing or is none.") from None
    if not 0 <= numbers["class"] < CLASSES:
        raise DatasetError(f"{where}: class {numbers['class']} is not one of 0 to {CLASSES - 1}.")
    parts = file.split("/")
    if file.startswith("/") or ".." in parts:
        raise DatasetError(f"{where}: {file!r} lies outside the data set.")
    stem, _, kind = parts[-1].rpartition(".")
    words = stem.split("_")
    if len(words) != (2 if official else 3):
        raise DatasetError(f"{where}: {file!r} does not tell its track and frame.")
    wide, tall = numbers["width"], numbers["height"]
    box = numbers["left"], numbers["top"], numbers["right"], numbers["bottom"]
    if not (0 <= box[0] < box[2] <= wide and 0 <= box[1] < box[3] <= tall):
        raise DatasetError(f"{where}: the region {box} does not lie in the image.")
    track = f"{numbers['class']} {words[-2]}"
    # PPM is not compressed: it has three bytes a pixel.
    fewest = 3 * wide * tall if kind.lower() == "ppm" else 1
    path = f"{base}/{file}" if base else file
    return Row(where, path, numbers["class"], track, box, fewest)


def held_out(rows: list[Row]) -> NDArray[np.bool_]:
    """Which images belong to a track that is held out, (N,)."""
    tracks: dict[int, set[str]] = {}
    for row in rows:
        tracks.setdefault(row.label, set()).add(row.track)
    draw = np.random.default_rng(SEED)
    chosen: set[str] = set()
    for label in sorted(tracks):
        own = sorted(tracks[label])
        if len(own) > 1:
            chosen |= set(draw.choice(own, max(1, len(own) // HELD_OUT), replace=False).tolist())
    return np.array([row.track in chosen for row in rows])
