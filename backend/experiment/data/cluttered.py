"""Cluttered MNIST at 40x40, from the archive of arrays that comes with TensorFlow's model."""

import zipfile
from pathlib import Path

import numpy as np
import torch

from stnscope.backend.experiment.data import cluttered_files
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.errors import DatasetError

SIDE = 40


def load(folder: Path) -> tuple[Images, Images]:
    """The training images, and the validation images as held out ones.

    Raises:
        DatasetError: the archive is missing or damaged; names it and what is wrong.
    """
    path = cluttered_files.find(folder)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _images(path, arrays, "train"), _images(path, arrays, "valid")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path.name} cannot be read: {error}.") from error


def _images(path: Path, arrays: "np.lib.npyio.NpzFile", part: str) -> Images:
    names = f"X_{part}", f"y_{part}"
    if missing := [name for name in names if name not in arrays.files]:
        raise DatasetError(f"{path.name} has no array {' or '.join(missing)}.")
    images, labels = arrays[names[0]], arrays[names[1]].reshape(-1)
    if images.shape != (len(labels), SIDE**2) or not len(labels):
        raise DatasetError(
            f"{path.name}: {names[0]} is {images.shape}, not {(len(labels), SIDE**2)}."
        )
    if not (np.isin(labels, range(10)).all() and images.min() >= 0 and images.max() <= 1):
        raise DatasetError(f"{path.name}: labels are not 0 to 9 or tones not 0 to 1 in {part}.")
    pixels = torch.from_numpy(images.astype(np.float32)).view(-1, 1, SIDE, SIDE)
    return Images(pixels, torch.from_numpy(labels.astype(np.int64)))
