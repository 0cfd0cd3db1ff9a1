"""MNIST's four files, idx, gzipped or not."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.experiment.errors import DatasetError

BYTES = 8
"""What an idx file's third byte says where it holds bytes, as MNIST's do."""
MOST_VALUES = 200_000_000
SIDE = 28
CLASSES = 10
COUNTS = {"train": 60_000, "t10k": 10_000}


def part(folder: Path, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 28, 28) and labels (N,) of `train` or `t10k`.

    Raises:
        DatasetError: a file is missing, cut short or not what its name says; names it.
    """
    images_path = find(folder, f"{name}-images-idx3-ubyte")
    labels_path = find(folder, f"{name}-labels-idx1-ubyte")
    images, labels = read_idx(images_path), read_idx(labels_path)
    wanted = (COUNTS[name], SIDE, SIDE)
    for path, array, shape in ((images_path, images, wanted), (labels_path, labels, wanted[:1])):
        if array.shape != shape:
            raise DatasetError(f"{path.name} holds {array.shape}; MNIST has {shape} there.")
    if labels.max() >= CLASSES:
        first = int(np.argmax(labels >= CLASSES))
        raise DatasetError(f"{labels_path.name}: label {first} is {labels[first]}, not 0 to 9.")
    return images, labels


def find(folder: Path, stem: str) -> Path:
    """The file of that name, gzipped or not, with a dash or a dot before its `idx`.

    Raises:
        DatasetError: there is none.
    """
    for name in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise DatasetError(f"{stem} is missing, gzipped or not; it belongs into {folder}.")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in an idx file of bytes.

    Raises:
        DatasetError: it is damaged or of another kind; names the file and what is wrong.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path.name} cannot be unpacked: {error}.") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != BYTES or not 1 <= data[3] <= 4:
        raise DatasetError(f"{path.name} is not an idx file of bytes.")
    start = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    wanted = math.prod(shape)
    if len(data) < start or wanted > MOST_VALUES or len(data) - start != wanted:
        raise DatasetError(
            f"{path.name} should hold {wanted:,} bytes after its head and holds "
            f"{max(0, len(data) - start):,}."
        )
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape).copy()
