"""Labelled photos to evaluate on, in any layout of the GTSRB, at 48x48. Without torch.

Three layouts have labels for a test set: the official one, whose `GT-final_test.csv` is beside its
images, in a folder above them or in a zip of its own; Kaggle's, with one `Test.csv`; and one folder
for each class, named by the class's number or sign. The training layouts are read by `gtsrb`; of
them the tracks that are held out are used.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stnscope.backend.experiment.data import gtsrb
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.file_tree import FileTree, list_trees, open_tree
from stnscope.backend.experiment.data.sign_classes import SIGNS
from stnscope.backend.experiment.data.source import Arrays
from stnscope.backend.experiment.errors import DatasetError

TEST_TABLE = re.compile(r"(^|/)(GT-final_test|Test)\.csv$")
IMAGE_SUFFIXES = (".ppm", ".png", ".jpg", ".jpeg")
LAYOUTS = (
    "a test set with GT-final_test.csv or Test.csv, the training images, or one folder of images "
    "for each class"
)


def find_folder(data: Path) -> Path:
    """Return the folder of the photos: a data folder's, or the given one if it has them itself."""
    # The official archives have a folder `GTSRB` too, beside the table of the test set.
    if not data.is_dir() or any(TEST_TABLE.search(path.name) for path in data.iterdir()):
        return data
    folder = gtsrb.SOURCE.path(data)
    return folder if folder.is_dir() else data


@dataclass(frozen=True)
class LabelledPhotos:
    """Photos and which ones they are."""

    arrays: Arrays
    kind: str
    """Kind of images, such as `test images`, for messages."""
    note: str = ""
    """A note about them, as a sentence."""


def load(folder: Path, *, cropped: bool = False, every_image: bool = False) -> LabelledPhotos:
    """Read the test images in a folder or zip, else its held-out tracks, else its class folders.

    Args:
        folder: has one of the layouts at any depth of a few folders, or is a zip that has.
        cropped: whether to crop each image to the sign's region.
        every_image: whether to read the other tracks too, if it has a training layout.

    Raises:
        DatasetError: there are no such images, or one is missing or damaged; names it.
    """
    if not folder.exists():
        raise DatasetError(f"There is no folder {folder}.")
    with ExitStack() as stack:
        paths = [folder] if folder.is_file() else list_trees(folder)
        trees = [stack.enter_context(open_tree(path)) for path in paths]
        if rows := _read_test_tables(trees):
            return LabelledPhotos(_decode(rows, cropped=cropped), "test images")
        if folder.is_dir() and any(gtsrb.find_tables(tree.file_sizes()) for tree in trees):
            return _read_tracks(folder, cropped=cropped, every_image=every_image)
        if rows := _list_class_folders(trees):
            if cropped:
                raise DatasetError(
                    f"{folder} has images without regions to crop; evaluate on gtsrb instead."
                )
            return LabelledPhotos(_decode(rows, cropped=False), "images in class folders")
    raise DatasetError(f"{folder} has no photos with labels: {LAYOUTS}.")


def _read_tracks(folder: Path, *, cropped: bool, every_image: bool) -> LabelledPhotos:
    """Read the images of a training layout."""
    train, held_out = gtsrb.load(folder, cropped=cropped)
    count = len(train.labels) + len(held_out.labels)
    if every_image:
        arrays = Arrays(
            np.concatenate([train.pixels, held_out.pixels]),
            np.concatenate([train.labels, held_out.labels]),
        )
        return LabelledPhotos(arrays, "images of all tracks")
    if not len(held_out.labels):
        raise DatasetError(f"{folder} has no class with a second track to hold out.")
    expected = gtsrb.PHOTOS.entry.images + gtsrb.PHOTOS.entry.held_out
    note = (
        f"Other tracks are held out of {count:,} images than of all {expected:,}, so the network "
        "may have been trained on these."
    )
    return LabelledPhotos(held_out, "images of held-out tracks", note if count < expected else "")


@dataclass(frozen=True)
class _Photo:
    tree: FileTree
    row: gtsrb.ImageRow


def _read_test_tables(trees: list[FileTree]) -> list[_Photo]:
    """Return the photos of the first table of a test set; none if there is no table."""
    sizes = [(tree, tree.file_sizes()) for tree in trees]
    for tree, files in sizes:
        for table in sorted(filter(TEST_TABLE.search, files), key=lambda name: name.count("/")):
            column = "Path" if table.endswith("Test.csv") else "Filename"
            rows = list(gtsrb.read_table(tree, table, column, 1))
            if not rows:
                raise DatasetError(f"{table} lists no images.")
            return list(_locate(rows, table, sizes))
    return []


def _locate(
    rows: list[gtsrb.ImageRow], table: str, sizes: list[tuple[FileTree, dict[str, int]]]
) -> Iterator[_Photo]:
    """Find the rows' images, which may be in another folder or zip than their table."""
    base = table.rpartition("/")[0]
    first = rows[0].path.removeprefix(base).lstrip("/")
    found = sorted(
        (
            (not name.startswith(base), name.count("/"), name.removesuffix(first), index)
            for index, (_, files) in enumerate(sizes)
            for name in files
            # Training images have other names, but a class folder's may not.
            if (name == first or name.endswith(f"/{first}")) and "Training" not in name
        ),
    )
    if not found:
        raise DatasetError(f"{rows[0].location}: {first} is missing.")
    prefix, index = found[0][2:]
    tree, files = sizes[index]
    for row in rows:
        located = replace(row, path=prefix + row.path.removeprefix(base).lstrip("/"))
        gtsrb.check_size(located, files)
        yield _Photo(tree, located)


def _list_class_folders(trees: list[FileTree]) -> list[_Photo]:
    """Return the images in folders that are named as classes are; none if there is no folder."""
    numbers = {sign.lower(): number for number, sign in enumerate(SIGNS)}
    for tree in trees:
        names = [name for name in tree.file_sizes() if name.lower().endswith(IMAGE_SUFFIXES)]
        photos = []
        for name in names:
            label = _class_number(name, numbers)
            if label is None:
                continue
            row = gtsrb.ImageRow(name, name, label, "", "", (0, 0, 0, 0), 1)
            photos.append(_Photo(tree, row))
        if photos:
            if len(photos) < len(names):
                known = {photo.row.path for photo in photos}
                other = next(name for name in names if name not in known)
                raise DatasetError(
                    f"{other} is in no folder of a class; name each one by the class's number, 0 "
                    f"to {len(SIGNS) - 1}, or by its sign."
                )
            return photos
    return []


def _class_number(name: str, numbers: Mapping[str, int]) -> int | None:
    folder = name.split("/")[-2].lower() if "/" in name else ""
    if folder.isdecimal() and int(folder) < len(SIGNS):
        return int(folder)
    return numbers.get(folder)


def _decode(photos: list[_Photo], *, cropped: bool) -> Arrays:
    pixels = np.empty((len(photos), 3, gtsrb.SIDE, gtsrb.SIDE), dtype=np.uint8)
    for index, photo in enumerate(photos):
        with raising_dataset_errors(photo.row.location):
            pixels[index] = gtsrb.decode_image(photo.tree, photo.row, cropped=cropped)
    labels = np.array([photo.row.label for photo in photos], dtype=np.int64)
    return Arrays(pixels, labels)
