"""Cluttered MNIST at 40x40, from the npz archive of TensorFlow's model. Without torch."""

import zipfile
from pathlib import Path

import numpy as np

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.digit_classes import DIGITS
from stnscope.backend.experiment.data.source import Arrays, ArraySplit, DataSource, Definition
from stnscope.backend.experiment.errors import DatasetError

SIDE = 40
ARRAYS = ("X_train", "y_train", "X_valid", "y_valid")


def load(folder: Path) -> ArraySplit:
    """Read the training images, and the validation images as held-out ones.

    Raises:
        DatasetError: the archive is missing or damaged; names it and what is wrong.
    """
    path = _find_archive(folder)
    with (
        raising_dataset_errors(path.name),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return _read_part(path, arrays, "train"), _read_part(path, arrays, "valid")


def inspect(folder: Path) -> None:
    """Check that the archive is complete and lists the arrays.

    Raises:
        DatasetError: it is missing, truncated or another one; names it.
    """
    path = _find_archive(folder)
    with raising_dataset_errors(path.name), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if missing := [name for name in ARRAYS if f"{name}.npy" not in names]:
        raise DatasetError(f"{path.name} has no array {' or '.join(missing)}.")


def _find_archive(folder: Path) -> Path:
    """Return the first npz file by name.

    Raises:
        DatasetError: there is none.
    """
    paths = find_files(folder)
    if not paths:
        raise DatasetError(f"There is no npz file in {folder}.")
    return paths[0]


def find_files(folder: Path) -> list[Path]:
    """Return the npz files in the folder and one below it, sorted."""
    found = (path for pattern in ("*.npz", "*/*.npz") for path in sorted(folder.glob(pattern)))
    return [path for path in found if path.is_file()]


def _read_part(path: Path, arrays: "np.lib.npyio.NpzFile", part: str) -> Arrays:
    names = f"X_{part}", f"y_{part}"
    if missing := [name for name in names if name not in arrays.files]:
        raise DatasetError(f"{path.name} has no array {' or '.join(missing)}.")
    images, labels = arrays[names[0]], arrays[names[1]].reshape(-1)
    if images.shape != (len(labels), SIDE**2) or not len(labels):
        raise DatasetError(
            f"{path.name}: {names[0]} is {images.shape}, not {(len(labels), SIDE**2)}."
        )
    if not (np.isin(labels, range(10)).all() and images.min() >= 0 and images.max() <= 1):
        raise DatasetError(f"{path.name}: labels are not 0 to 9 or values not 0 to 1 in {part}.")
    pixels = images.astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    return Arrays(pixels, labels.astype(np.int64))


SOURCE = DataSource(
    folder="cluttered_mnist_40",
    find_files=find_files,
    instructions=(
        "Put mnist_sequence1_sample_5distortions5x5.npz into the folder `cluttered_mnist_40` of "
        "the data folder."
    ),
    inspect=inspect,
    load=load,
)

CLUTTERED_40 = Definition(
    DatasetEntry(
        "cluttered-40",
        "Cluttered MNIST, 40x40",
        "MNIST digits at random positions among five crops of others; 1,000 are held out.",
        classes=DIGITS,
        channels=1,
        height=40,
        width=40,
        images=10_000,
        held_out=1_000,
        repeats=1,
        source="daviddao/spatial-transformer-tensorflow on GitHub.",
        licence="MIT",
        architecture="tensorflow",
        distortion="centred",
    ),
    source=SOURCE,
)
