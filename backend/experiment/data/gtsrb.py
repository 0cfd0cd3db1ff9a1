"""The training images of the German Traffic Sign Recognition Benchmark, at 48x48. Without torch.

Two layouts are read, unpacked or as the zip that was downloaded, and at any depth of a few folders.
The official one: a folder for each class, with PPM images and a CSV file separated by semicolons,
below `Final_Training/Images` or, as torchvision has it, `Training`. Kaggle's:
`Train/<class>/*.png` and one `Train.csv`.

A track is a series of photos of the same sign. Some tracks are held out as a whole, because their
photos are too similar to be split between training and held-out images.
"""

import codecs
import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.decoded_cache import cached
from stnscope.backend.experiment.data.file_tree import FileTree, list_trees, naming, open_tree
from stnscope.backend.experiment.data.sign_classes import SIGNS
from stnscope.backend.experiment.data.source import (
    Arrays,
    ArraySplit,
    Counts,
    DataSource,
    Definition,
    RemoteFile,
)
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.limits import MAX_PICTURE_PIXELS

SIDE = 48
CLASSES = len(SIGNS)
TRACKS_PER_HELD_OUT = 10
"""One in this many tracks of a class is held out; at least one if the class has several."""
SEED = 1307
OFFICIAL = re.compile(r"(^|/)(Final_Training/Images|Training)/\d{5}/GT-\d{5}\.csv$")
KAGGLE = re.compile(r"(^|/)Train\.csv$")
CLASS_FOLDER = re.compile(r"\d{5}")
IMAGE_FOLDERS = frozenset({"Train", "Test", "Meta", "Final_Test", "Images_Test"})
"""Folders that are not searched for CSV files; they have tens of thousands of images."""
MAX_DEPTH = 5
"""Depth to which folders are searched for CSV files."""
DELIMITERS = ";,\t"
BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""A CSV file's encoding, by its first bytes; UTF-8 otherwise."""
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
class ImageRow:
    """One image, as a CSV file lists it."""

    location: str
    """CSV file and line, for messages."""
    path: str
    label: int
    track: str
    frame: str
    """Its number in the track; in order of time if sorted as text."""
    box: tuple[int, int, int, int]
    """Region of the sign: left, top, right and bottom in pixels, inclusive."""
    min_bytes: int
    """Smallest possible size of the image's file."""


def load(folder: Path, *, cropped: bool = False) -> ArraySplit:
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
    held_out_rows = [row for row, held_out in zip(rows, is_held_out, strict=True) if held_out]
    return (
        Arrays(pixels[~is_held_out], labels[~is_held_out]),
        Arrays(pixels[is_held_out], labels[is_held_out], _list_tracks(held_out_rows)),
    )


def _list_tracks(rows: Sequence[ImageRow]) -> list[NDArray[np.int64]]:
    """Return the indices of each track's images, in order of time."""
    tracks: dict[str, list[int]] = {}
    for index in sorted(range(len(rows)), key=lambda index: rows[index].frame):
        tracks.setdefault(rows[index].track, []).append(index)
    return [np.array(tracks[name], dtype=np.int64) for name in sorted(tracks)]


def inspect(folder: Path) -> Counts:
    """Read the CSV files, check that all images are there, and count them.

    Raises:
        DatasetError: as `open_listing`.
    """
    with open_listing(folder) as (_, rows):
        held_out = int(held_out_mask(rows).sum())
    return len(rows) - held_out, held_out


@contextmanager
def open_listing(folder: Path) -> Iterator[tuple[FileTree, list[ImageRow]]]:
    """Open the folder, or a zip in it, and read which training images it has.

    Raises:
        DatasetError: there are none, or a CSV file is damaged; names the file and the line.
    """
    with ExitStack() as stack:
        tree, rows = _find_listing(folder, stack)
        with naming(tree):
            yield tree, rows


def _find_listing(folder: Path, stack: ExitStack) -> tuple[FileTree, list[ImageRow]]:
    errors = []
    for path in list_trees(folder):
        # A damaged one does not prevent the use of another one.
        try:
            tree = stack.enter_context(open_tree(path))
            with naming(tree):
                rows = _read_rows(tree)
        except DatasetError as error:
            errors.append(error)
        else:
            if rows is not None:
                return tree, rows
    if errors:
        raise errors[0]
    raise DatasetError(
        f"{folder} has neither the official Final_Training folder or zip nor Kaggle's Train.csv."
    )


def _read_rows(tree: FileTree) -> list[ImageRow] | None:
    """Read the list of images; None if there is no CSV file of the benchmark.

    Raises:
        DatasetError: a CSV file is damaged, or an image is missing.
    """
    with raising_dataset_errors(tree.name):
        sizes = tree.file_sizes()
        tables = find_tables(sizes)
        if not tables:
            return None
        rows = [row for table in tables for row in _read_table(tree, table)]
        if not rows:
            raise DatasetError(f"{tree.name} lists no images.")
        _check_sizes(rows, sizes)
        return rows


def held_out_mask(rows: list[ImageRow]) -> NDArray[np.bool_]:
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


def find_files(folder: Path) -> list[Path]:
    """Return the CSV files and zips in a folder that may list images, without reading them."""
    return [*_iterate_tables(folder), *list_trees(folder)[1:]]


def _iterate_tables(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Yield CSV files, without listing the folders of images."""
    with os.scandir(folder) as entries:
        listed = sorted((entry.name, entry.is_dir()) for entry in entries)
    for name, is_folder in listed:
        path = folder / name
        if not is_folder:
            if name == "Train.csv":
                yield path
        elif CLASS_FOLDER.fullmatch(name):
            table = path / f"GT-{name}.csv"
            if table.is_file():
                yield table
        elif depth < MAX_DEPTH and name not in IMAGE_FOLDERS and not name.startswith("."):
            yield from _iterate_tables(path, depth + 1)


def _image_folders(table: Path) -> Iterator[Path]:
    """Yield the folders of the images that a CSV file lists; none if it is another file."""
    if table.name == "Train.csv":
        yield from table.parent.glob("Train/*")
    elif table.suffix == ".csv":
        yield table.parent


def find_tables(names: Iterable[str]) -> list[str]:
    """Return which of these paths are the CSV files of a training layout; none if it is another."""
    return sorted(n for n in names if OFFICIAL.search(n)) or [n for n in names if KAGGLE.search(n)]


def _check_sizes(rows: list[ImageRow], sizes: Mapping[str, int]) -> None:
    for row in rows:
        check_size(row, sizes)


def check_size(row: ImageRow, sizes: Mapping[str, int]) -> None:
    """Check that an image exists and has at least its smallest possible size.

    Raises:
        DatasetError: it does not; names it.
    """
    size = sizes.get(row.path)
    if size is None:
        raise DatasetError(f"{row.location}: {row.path} is missing.")
    if size < row.min_bytes:
        raise DatasetError(
            f"{row.location}: {row.path} cannot be read: it has {size:,} bytes, of at least "
            f"{row.min_bytes:,}."
        )


def _read_table(tree: FileTree, table: str) -> Iterator[ImageRow]:
    is_official = bool(OFFICIAL.search(table))
    words = 2 if is_official else 3
    yield from read_table(tree, table, "Filename" if is_official else "Path", words)


def read_table(tree: FileTree, table: str, path_column: str, words: int) -> Iterator[ImageRow]:
    """Read a table of images.

    Args:
        tree: has the table.
        table: its path.
        path_column: the column with an image's path, relative to the table's folder.
        words: of an image's name, joined by `_`; with more than one, they name its track.

    Raises:
        DatasetError: the table is damaged; names the line.
    """
    lines = _decode_table(tree.read(table))
    base = table.rpartition("/")[0]
    with raising_dataset_errors(table):
        # The text's own line ends may be those of classic Mac OS.
        reader = csv.DictReader(io.StringIO(lines, newline=None), delimiter=_delimiter(lines))
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        missing = {path_column, *COLUMNS.values()} - set(reader.fieldnames)
        if missing:
            raise DatasetError(f"{table} has no column {' or '.join(sorted(missing))}.")
        for fields in reader:
            location = f"{table}, line {reader.line_num}"
            file = (fields[path_column] or "").strip().replace("\\", "/")
            yield _parse_row(fields, location, base, file, words)


def _decode_table(data: bytes) -> str:
    encoding = BYTE_ORDER_MARKS.get(data[:2], "utf-8-sig")
    return data.decode(encoding, errors="replace")


def _delimiter(text: str) -> str:
    """Return the character between columns: the most frequent candidate in the first line."""
    first = text.lstrip().splitlines()[:1]
    return max(DELIMITERS, key=first[0].count) if first else DELIMITERS[0]


def _parse_row(fields: dict[str, str], location: str, base: str, file: str, words: int) -> ImageRow:
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
    name = stem.split("_")
    if words > 1 and len(name) != words:
        raise DatasetError(f"{location}: {file!r} does not name its track and frame.")
    if not stem:
        raise DatasetError(f"{location}: {file!r} does not name an image.")
    width, height = numbers["width"], numbers["height"]
    box = numbers["left"], numbers["top"], numbers["right"], numbers["bottom"]
    if not (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height):
        raise DatasetError(f"{location}: the region {box} is not inside the image.")
    track = f"{numbers['class']} {name[-2]}" if words > 1 else ""
    # PPM is uncompressed, with three bytes per pixel.
    min_bytes = 3 * width * height if suffix.lower() == "ppm" else 1
    path = f"{base}/{file}" if base else file
    return ImageRow(location, path, numbers["class"], track, name[-1], box, min_bytes)


def _decode(tree: FileTree, rows: list[ImageRow], *, cropped: bool) -> NDArray[np.uint8]:
    """Decode all images, (N, 3, SIDE, SIDE)."""
    pixels = np.empty((len(rows), 3, SIDE, SIDE), dtype=np.uint8)
    for index, row in enumerate(rows):
        pixels[index] = decode_image(tree, row, cropped=cropped)
    return pixels


def decode_image(tree: FileTree, row: ImageRow, *, cropped: bool) -> NDArray[np.uint8]:
    """Decode and resize one image, (3, SIDE, SIDE)."""
    try:
        data = tree.read(row.path)
    except DatasetError as error:
        raise DatasetError(f"{row.location}: {error}") from error
    with (
        raising_dataset_errors(f"{row.location}: {row.path}"),
        Image.open(io.BytesIO(data), formats=("PPM", "PNG", "JPEG")) as image,
    ):
        if image.width * image.height > MAX_PICTURE_PIXELS:
            raise ValueError(f"it declares {image.width} x {image.height} pixels")
        colour = image.convert("RGB")
    if cropped:
        left, top, right, bottom = row.box
        colour = colour.crop((left, top, right + 1, bottom + 1))
    if colour.size != (SIDE, SIDE):
        colour = colour.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(colour).transpose(2, 0, 1)


SOURCE = DataSource(
    folder="gtsrb",
    find_files=find_files,
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

CREDIT = (
    "J. Stallkamp, M. Schlipsing, J. Salmen and C. Igel, The German Traffic Sign Recognition "
    "Benchmark, IJCNN 2011."
)

PHOTOS = Definition(
    DatasetEntry(
        "gtsrb",
        "GTSRB",
        "Photos of German traffic signs at 48x48; one track in ten is held out.",
        classes=SIGNS,
        channels=3,
        height=48,
        width=48,
        images=35_639,
        held_out=3_570,
        repeats=1,
        source=CREDIT,
        licence="Free for research.",
        architecture="signs",
        distortion="centred",
        padding="border",
        tracks=True,
    ),
    source=SOURCE,
)

CROPPED_PHOTOS = Definition(
    replace(
        PHOTOS.entry,
        name="gtsrb-regions",
        title="GTSRB, cropped to the sign",
        description="Photos of German traffic signs, cropped to the sign; one track in ten is held "
        "out.",
        architecture="idsia",
        distortion="RTS",
    ),
    source=CROPPED_SOURCE,
)
