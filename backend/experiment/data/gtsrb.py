"""The training images of the German Traffic Sign Recognition Benchmark, at 48x48. Without torch.

Two layouts are read, unpacked or as the zip that was downloaded. The official one: a folder for
each class, with PPM images and a CSV file separated by semicolons. Kaggle's: `Train/<class>/*.png`
and one `Train.csv`.

A track is a series of photos of the same sign. Some tracks are held out as a whole, because their
photos are too similar to be split between training and held-out images.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.data.decoded_cache import cached
from stnscope.backend.experiment.data.file_tree import FileTree, open_trees
from stnscope.backend.experiment.data.source import Arrays, Counts, DataSource, RemoteFile, Split
from stnscope.backend.experiment.errors import DatasetError

SIDE = 48
CLASSES = 43
TRACKS_PER_HELD_OUT = 10
"""One in this many tracks of a class is held out; at least one if the class has several."""
SEED = 1307
OFFICIAL = re.compile(r"(^|/)(Final_Training/Images|Training)/\d{5}/GT-\d{5}\.csv$")
KAGGLE = re.compile(r"(^|/)Train\.csv$")
COLUMNS = {
    "width": "Width",
    "height": "Height",
    "left": "Roi.X1",
    "top": "Roi.Y1",
    "right": "Roi.X2",
    "bottom": "Roi.Y2",
    "class": "ClassId",
}
URL = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"


@dataclass(frozen=True)
class Row:
    """One image, as a CSV file lists it."""

    location: str
    """CSV file and line, for messages."""
    path: str
    label: int
    track: str
    box: tuple[int, int, int, int]
    """Region of the sign: left, top, right and bottom in pixels, inclusive."""
    min_bytes: int
    """Smallest possible size of the image's file."""


def load(folder: Path, *, cropped: bool = False) -> Split:
    """Decode the training images.

    Args:
        folder: holds the benchmark.
        cropped: whether to crop each image to the sign's region.

    Raises:
        DatasetError: it is missing or damaged; names the file and the line.
    """
    with open_listing(folder) as (tree, rows):
        cache = folder / f".decoded-{'regions' if cropped else 'whole'}-{SIDE}"
        pixels = cached(cache, tree.fingerprint(), lambda: _decode(tree, rows, cropped=cropped))
    labels = np.array([row.label for row in rows], dtype=np.int64)
    is_held_out = held_out_mask(rows)
    return (
        Arrays(pixels[~is_held_out], labels[~is_held_out]),
        Arrays(pixels[is_held_out], labels[is_held_out]),
    )


def inspect(folder: Path) -> Counts:
    """Read the CSV files, check that all images are there, and count them.

    Raises:
        DatasetError: as `open_listing`.
    """
    with open_listing(folder) as (_, rows):
        held_out = int(held_out_mask(rows).sum())
    return len(rows) - held_out, held_out


@contextmanager
def open_listing(folder: Path) -> Iterator[tuple[FileTree, list[Row]]]:
    """Open the folder, or a zip in it, and read which training images it has.

    Raises:
        DatasetError: there are none, or a CSV file is damaged; names the file and the line.
    """
    with open_trees(folder) as trees:
        for tree in trees:
            sizes = tree.file_sizes()
            tables = _find_tables(sizes)
            if tables:
                rows = [row for table in tables for row in _read_table(tree, table)]
                if not rows:
                    raise DatasetError(f"{tree.name} lists no images.")
                _check_sizes(rows, sizes)
                yield tree, rows
                return
    raise DatasetError(
        f"{folder} has neither the official Final_Training folder or zip nor Kaggle's Train.csv."
    )


def held_out_mask(rows: list[Row]) -> NDArray[np.bool_]:
    """Whether each image belongs to a track that is held out, (N,)."""
    tracks_by_class: dict[int, set[str]] = {}
    for row in rows:
        tracks_by_class.setdefault(row.label, set()).add(row.track)
    generator = np.random.default_rng(SEED)
    chosen: set[str] = set()
    for label in sorted(tracks_by_class):
        tracks = sorted(tracks_by_class[label])
        if len(tracks) > 1:
            count = max(1, len(tracks) // TRACKS_PER_HELD_OUT)
            chosen |= set(generator.choice(tracks, count, replace=False).tolist())
    return np.array([row.track in chosen for row in rows])


def _image_folders(table: Path) -> Iterator[Path]:
    """Yield the folders of the images that a CSV file lists; none if it is another file."""
    if table.name == "Train.csv":
        yield from table.parent.glob("Train/*")
    elif table.suffix == ".csv":
        yield table.parent


def _find_tables(names: Iterable[str]) -> list[str]:
    return sorted(n for n in names if OFFICIAL.search(n)) or [n for n in names if KAGGLE.search(n)]


def _check_sizes(rows: list[Row], sizes: Mapping[str, int]) -> None:
    """Check that each image exists and has at least its smallest possible size."""
    for row in rows:
        size = sizes.get(row.path)
        if size is None:
            raise DatasetError(f"{row.location}: {row.path} is missing.")
        if size < row.min_bytes:
            raise DatasetError(
                f"{row.location}: {row.path} cannot be read: it has {size:,} bytes, of at least "
                f"{row.min_bytes:,}."
            )


def _read_table(tree: FileTree, table: str) -> Iterator[Row]:
    is_official = bool(OFFICIAL.search(table))
    try:
        text = tree.read(table).decode("utf-8-sig", errors="replace")
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{table} cannot be read: {error}.") from error
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if is_official else ",")
    path_column = "Filename" if is_official else "Path"
    missing = {path_column, *COLUMNS.values()} - set(reader.fieldnames or ())
    if missing:
        raise DatasetError(f"{table} has no column {' or '.join(sorted(missing))}.")
    base = table.rpartition("/")[0]
    for fields in reader:
        location = f"{table}, line {reader.line_num}"
        yield _parse_row(fields, location, base, fields[path_column] or "", is_official)


def _parse_row(
    fields: dict[str, str], location: str, base: str, file: str, is_official: bool
) -> Row:
    try:
        numbers = {key: int(fields[column]) for key, column in COLUMNS.items()}
    except (TypeError, ValueError):
        raise DatasetError(f"{location}: a number is missing or invalid.") from None
    if not 0 <= numbers["class"] < CLASSES:
        raise DatasetError(
            f"{location}: class {numbers['class']} is not one of 0 to {CLASSES - 1}."
        )
    parts = file.split("/")
    if file.startswith("/") or ".." in parts:
        raise DatasetError(f"{location}: {file!r} is outside the data set's folder.")
    stem, _, suffix = parts[-1].rpartition(".")
    words = stem.split("_")
    if len(words) != (2 if is_official else 3):
        raise DatasetError(f"{location}: {file!r} does not name its track and frame.")
    width, height = numbers["width"], numbers["height"]
    box = numbers["left"], numbers["top"], numbers["right"], numbers["bottom"]
    if not (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height):
        raise DatasetError(f"{location}: the region {box} is not inside the image.")
    track = f"{numbers['class']} {words[-2]}"
    # PPM is uncompressed, with three bytes per pixel.
    min_bytes = 3 * width * height if suffix.lower() == "ppm" else 1
    path = f"{base}/{file}" if base else file
    return Row(location, path, numbers["class"], track, box, min_bytes)


def _decode(tree: FileTree, rows: list[Row], *, cropped: bool) -> NDArray[np.uint8]:
    """Decode all images, (N, 3, SIDE, SIDE)."""
    pixels = np.empty((len(rows), 3, SIDE, SIDE), dtype=np.uint8)
    for index, row in enumerate(rows):
        pixels[index] = _decode_image(tree, row, cropped=cropped)
    return pixels


def _decode_image(tree: FileTree, row: Row, *, cropped: bool) -> NDArray[np.uint8]:
    """Decode and resize one image, (3, SIDE, SIDE)."""
    try:
        with Image.open(io.BytesIO(tree.read(row.path)), formats=("PPM", "PNG")) as image:
            colour = image.convert("RGB")
    except (KeyError, FileNotFoundError):
        raise DatasetError(f"{row.location}: {row.path} is missing.") from None
    except (OSError, ValueError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
        raise DatasetError(f"{row.location}: {row.path} cannot be read: {error}.") from error
    if cropped:
        left, top, right, bottom = row.box
        colour = colour.crop((left, top, right + 1, bottom + 1))
    if colour.size != (SIDE, SIDE):
        colour = colour.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(colour).transpose(2, 0, 1)


SOURCE = DataSource(
    folder="gtsrb",
    required_files=(
        (
            "*.zip",
            "Train.csv",
            "*/Train.csv",
            "Final_Training/Images/*/GT-*.csv",
            "*/Final_Training/Images/*/GT-*.csv",
        ),
    ),
    instructions=(
        "Put its training images into the folder `gtsrb` of the data folder: the official archive "
        "or Kaggle's, as a zip or unpacked. `stnscope download gtsrb` downloads the official one."
    ),
    inspect=inspect,
    load=load,
    downloads=(
        RemoteFile(
            f"{URL}GTSRB_Final_Training_Images.zip",
            "gtsrb/GTSRB_Final_Training_Images.zip",
            276_294_756,
            required_member=OFFICIAL,
        ),
    ),
    related_paths=_image_folders,
)
"""Whole images."""
CROPPED_SOURCE = replace(SOURCE, load=partial(load, cropped=True))
"""Images cropped to the sign."""
