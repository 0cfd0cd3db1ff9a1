"""Cluttered MNIST's archive of arrays: found, and looked at from outside."""

import zipfile
from pathlib import Path

from stnscope.backend.experiment.errors import DatasetError

ARRAYS = ("X_train", "y_train", "X_valid", "y_valid")


def find(folder: Path) -> Path:
    """The archive, the first by its name.

    Raises:
        DatasetError: there is none.
    """
    path = next(iter(sorted(folder.glob("*.npz"))), None)
    if path is None:
        raise DatasetError(f"There is no npz file in {folder}.")
    return path


def check(folder: Path) -> None:
    """Sees that the archive is whole and has the arrays, as far as its directory tells.

    Raises:
        DatasetError: it is missing, cut short or another one; names it.
    """
    path = find(folder)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path.name} cannot be read: {error}.") from error
    if missing := [name for name in ARRAYS if f"{name}.npy" not in names]:
        raise DatasetError(f"{path.name} has no array {' or '.join(missing)}.")
