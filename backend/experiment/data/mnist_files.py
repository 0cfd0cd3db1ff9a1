"""MNIST's four files, idx, gzipped or not."""

import gzip
import math
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.errors import DatasetError

BYTES = 8
"""What an idx file's third byte says where it holds bytes, as MNIST's do."""
SIDE = 28
CLASSES = 10
COUNTS = {"train": 60_000, "t10k": 10_000}
PIECE = 1 << 20

Shape = tuple[int, ...]
Taken = TypeVar("Taken")


def part(folder: Path, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 28, 28) and labels (N,) of `train` or `t10k`.

    Raises:
        DatasetError: a file is missing, cut short or not what its name says; names it.
    """
    images, labels = (
        _first(folder, stem, lambda path, shape=shape: _read(path, shape))  # type: ignore[misc]
        for stem, shape in _files(name).items()
    )
    return images, labels


def check(folder: Path) -> None:
    """Sees that the four files are there and whole. Those that are gzipped are read, but once.

    Raises:
        DatasetError: one is missing, cut short or not what its name says; names it.
    """
    for name in COUNTS:
        for stem, shape in _files(name).items():
            _first(folder, stem, lambda path, shape=shape: _look(path, shape))  # type: ignore[misc]


def _files(name: str) -> dict[str, Shape]:
    """The names of a part's images and labels, and what each file holds."""
    count = COUNTS[name]
    return {
        f"{name}-images-idx3-ubyte": (count, SIDE, SIDE),
        f"{name}-labels-idx1-ubyte": (count,),
    }


def _first(folder: Path, stem: str, take: Callable[[Path], Taken]) -> Taken:
    """What is taken of the first file of that name that is sound, gzipped or not, with a dash or a
    dot before its `idx`.

    Raises:
        DatasetError: there is none; tells what is wrong with the first, if there is one.
    """
    faults = []
    for name in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                try:
                    return take(path)
                except DatasetError as error:
                    faults.append(error)
    if faults:
        raise faults[0]
    raise DatasetError(f"{stem} is missing, gzipped or not; it belongs into {folder}.")


def _read(path: Path, shape: Shape) -> NDArray[np.uint8]:
    with _opened(path) as file:
        _read_head(path, file, shape)
        data = file.read(math.prod(shape))
        _check_length(path, len(data) + _rest(file), shape)
    array = np.frombuffer(data, dtype=np.uint8).reshape(shape).copy()
    if array.ndim == 1 and array.max() >= CLASSES:
        first = int(np.argmax(array >= CLASSES))
        raise DatasetError(f"{path.name}: label {first} is {array[first]}, not 0 to 9.")
    return array


def _look(path: Path, shape: Shape) -> None:
    stat = path.stat()
    if fault := _fault(path, shape, stat.st_size, stat.st_mtime_ns):
        raise DatasetError(fault)


@lru_cache(maxsize=64)
def _fault(path: Path, shape: Shape, size: int, written: int) -> str | None:
    """What is wrong with a file of that size, written then; with others it is looked at anew."""
    try:
        with _opened(path) as file:
            head = _read_head(path, file, shape)
            packed = path.suffix == ".gz"
            _check_length(path, _rest(file) if packed else size - head, shape)
    except DatasetError as error:
        return str(error)
    return None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file's content, unpacked.

    Raises:
        DatasetError: it cannot be; says why.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path.name} cannot be unpacked: {error}.") from error


def _read_head(path: Path, file: BinaryIO, shape: Shape) -> int:
    """Reads an idx file's head, which should announce that shape; answers with its length."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != BYTES or not 1 <= magic[3] <= 4:
        raise DatasetError(f"{path.name} is not an idx file of bytes.")
    sides = file.read(4 * magic[3])
    told = tuple(int.from_bytes(sides[at : at + 4], "big") for at in range(0, len(sides), 4))
    if told != shape:
        raise DatasetError(f"{path.name} holds {told}; MNIST has {shape} there.")
    return len(magic) + len(sides)


def _rest(file: BinaryIO) -> int:
    """How many bytes there are from here on."""
    return sum(len(piece) for piece in iter(lambda: file.read(PIECE), b""))


def _check_length(path: Path, count: int, shape: Shape) -> None:
    wanted = math.prod(shape)
    if count != wanted:
        raise DatasetError(
            f"{path.name} should hold {wanted:,} bytes after its head and holds {count:,}."
        )
