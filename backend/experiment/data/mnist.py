"""MNIST from its four idx files, gzipped or not. Its test images are held out. Without torch."""

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

from stnscope.backend.experiment.data.source import Arrays, DataSource, RemoteFile, Split
from stnscope.backend.experiment.errors import DatasetError

UNSIGNED_BYTE = 8
"""Third byte of an idx file: its data type (yann.lecun.com/exdb/mnist)."""
SIDE = 28
CLASSES = 10
COUNTS = {"train": 60_000, "t10k": 10_000}
"""Images of each part, by the first word of its file names."""
CHUNK_BYTES = 1 << 20
URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"

Shape = tuple[int, ...]
Result = TypeVar("Result")


def load(folder: Path) -> Split:
    """Read MNIST.

    Raises:
        DatasetError: a file is missing, truncated or has other content; names it.
    """
    train, held_out = (read_part(folder, part) for part in COUNTS)
    return train, held_out


def read_part(folder: Path, part: str) -> Arrays:
    """Read the images (N, 1, 28, 28) and labels of `train` or `t10k`.

    Raises:
        DatasetError: a file is missing, truncated or has other content; names it.
    """
    images, labels = (
        _use_first_valid(folder, stem, lambda path, shape=shape: _read_idx(path, shape))  # type: ignore[misc]
        for stem, shape in _file_shapes(part).items()
    )
    return Arrays(images[:, None], labels.astype(np.int64))


def inspect(folder: Path) -> None:
    """Check that the four files exist and are complete. Gzipped ones are unpacked once each.

    Raises:
        DatasetError: one is missing, truncated or has other content; names it.
    """
    for part in COUNTS:
        for stem, shape in _file_shapes(part).items():
            _use_first_valid(folder, stem, lambda path, shape=shape: _check_idx(path, shape))  # type: ignore[misc]


def _file_shapes(part: str) -> dict[str, Shape]:
    """Names of a part's two files, without suffixes, and the shape of the array in each."""
    count = COUNTS[part]
    return {
        f"{part}-images-idx3-ubyte": (count, SIDE, SIDE),
        f"{part}-labels-idx1-ubyte": (count,),
    }


def _use_first_valid(folder: Path, stem: str, use: Callable[[Path], Result]) -> Result:
    """Apply `use` to the file of that name: gzipped or not, with a dash or a dot before `idx`.

    Where several exist, the first for which `use` raises nothing counts.

    Raises:
        DatasetError: there is none; if there are invalid ones, what is wrong with the first.
    """
    errors = []
    for name in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                try:
                    return use(path)
                except DatasetError as error:
                    errors.append(error)
    if errors:
        raise errors[0]
    raise DatasetError(f"{stem} is missing, gzipped or not; it belongs into {folder}.")


def _read_idx(path: Path, shape: Shape) -> NDArray[np.uint8]:
    with _open(path) as file:
        _read_header(path, file, shape)
        data = file.read(math.prod(shape))
        _check_length(path, len(data) + _count_remaining_bytes(file), shape)
    array = np.frombuffer(data, dtype=np.uint8).reshape(shape).copy()
    if array.ndim == 1 and array.max() >= CLASSES:
        first = int(np.argmax(array >= CLASSES))
        raise DatasetError(f"{path.name}: label {first} is {array[first]}, not 0 to 9.")
    return array


def _check_idx(path: Path, shape: Shape) -> None:
    stat = path.stat()
    if error := _find_error(path, shape, stat.st_size, stat.st_mtime_ns):
        raise DatasetError(error)


@lru_cache(maxsize=64)
def _find_error(path: Path, shape: Shape, size: int, modified: int) -> str | None:
    """Return what is wrong with a file, or None. Size and time make the cache notice changes."""
    try:
        with _open(path) as file:
            header_bytes = _read_header(path, file, shape)
            is_packed = path.suffix == ".gz"
            length = _count_remaining_bytes(file) if is_packed else size - header_bytes
            _check_length(path, length, shape)
    except DatasetError as error:
        return str(error)
    return None


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading its unpacked content.

    Raises:
        DatasetError: the file cannot be unpacked.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path.name} cannot be unpacked: {error}.") from error


def _read_header(path: Path, file: BinaryIO, shape: Shape) -> int:
    """Read an idx file's header and check that it declares `shape`; return its length."""
    magic = file.read(4)
    is_idx = len(magic) == 4 and magic[:2] == b"\0\0" and 1 <= magic[3] <= 4
    if not is_idx or magic[2] != UNSIGNED_BYTE:
        raise DatasetError(f"{path.name} is not an idx file of bytes.")
    sizes = file.read(4 * magic[3])
    declared = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
    if declared != shape:
        raise DatasetError(f"{path.name} holds {declared}; MNIST has {shape} there.")
    return len(magic) + len(sizes)


def _count_remaining_bytes(file: BinaryIO) -> int:
    return sum(len(chunk) for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))


def _check_length(path: Path, count: int, shape: Shape) -> None:
    expected = math.prod(shape)
    if count != expected:
        raise DatasetError(
            f"{path.name} should hold {expected:,} bytes after its header and holds {count:,}."
        )


SOURCE = DataSource(
    folder="mnist",
    required_files=tuple(
        (f"{stem}*ubyte", f"{stem}*ubyte.gz")
        for stem in ("train-images", "train-labels", "t10k-images", "t10k-labels")
    ),
    instructions=(
        "Put its four idx files, gzipped or not, into the folder `mnist` of the data folder. Their "
        "names start with train-images, train-labels, t10k-images and t10k-labels. "
        "`stnscope download mnist` downloads them."
    ),
    inspect=inspect,
    load=load,
    downloads=tuple(
        RemoteFile(f"{URL}{name}", f"mnist/{name}", size, md5)
        for name, size, md5 in (
            ("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
        )
    ),
)
