"""MNIST from its four idx files, gzipped or not. Its test images are held out. Without torch.

The files are found by name or, whatever they are called, by the shape that they declare, in the
folder, in folders in it, and in zips: torchvision puts them into `raw`, Kaggle each into a folder
of the same name or all into a zip, and a browser may unpack what keeps its `.gz`.
"""

import gzip
import io
import math
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.digit_classes import DIGITS, NUMERALS, SUMS
from stnscope.backend.experiment.data.file_tree import FileState, FileTree, list_trees, open_tree
from stnscope.backend.experiment.data.idx_format import Shape, read_header
from stnscope.backend.experiment.data.source import (
    PART_SUFFIX,
    Arrays,
    ArraySplit,
    DataSource,
    Definition,
    RemoteFile,
)
from stnscope.backend.experiment.errors import DatasetError

SIDE = 28
CLASSES = 10
COUNTS = {"train": 60_000, "t10k": 10_000}
"""Images of each part, by the first word of its file names."""
CHUNK_BYTES = 1 << 20
MAX_BYTES = 100_000_000
"""More than the largest file has; some gzipped files unpack to a thousand times their size."""
GZIP_MAGIC = b"\x1f\x8b"
MAX_FILES = 500
"""Files among which idx files are searched; a folder with more has something else."""
FILE_NAME = re.compile(r"(train|t10k)-(images|labels)[-._]idx\d[-._]ubyte", re.IGNORECASE)
STEMS = {
    f"{part}-{kind}": f"{part}-{kind}-idx{dimensions}-ubyte"
    for part in COUNTS
    for kind, dimensions in (("images", 3), ("labels", 1))
}
"""The names of the four files, by part and kind."""
URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"

Result = TypeVar("Result")
Key = TypeVar("Key")

_shapes: dict[FileState, Shape | None] = {}
"""Declared shapes of files, by their state, by which the cache detects changes."""
_errors: dict[tuple[FileState, Shape], str | None] = {}
"""What is wrong with files, by their state and the shape that they should have."""
MAX_CACHED = 4 * MAX_FILES


def load(folder: Path) -> ArraySplit:
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
    with _open_files(folder) as files:
        images = _use_first_valid(folder, files, f"{part}-images", _read_idx)
        labels = _use_first_valid(folder, files, f"{part}-labels", _read_idx)
    return Arrays(images[:, None], labels.astype(np.int64))


def inspect(folder: Path) -> None:
    """Check that the four files exist and are complete. Gzipped ones are unpacked once each.

    Raises:
        DatasetError: one is missing, truncated or has other content; names it.
    """
    with _open_files(folder) as files:
        for role in STEMS:
            _use_first_valid(folder, files, role, _check_idx)


def find_files(folder: Path) -> list[Path]:
    """Return the files that MNIST is read from; none if one of the four is missing."""
    with _open_files(folder) as files:
        if not all(files.values()):
            return []
        return sorted({file.on_disk for candidates in files.values() for file in candidates})


@dataclass(frozen=True)
class _File:
    """A file that may be one of the four."""

    tree: FileTree
    path: str
    """Path in the tree."""
    on_disk: Path
    """The file itself, or the zip that it is in."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file for reading its unpacked content.

        Raises:
            DatasetError: the file cannot be unpacked, or what is done with its content fails.
        """
        with raising_dataset_errors(self.name, "unpacked"), ExitStack() as stack:
            file = _buffered(stack.enter_context(self.tree.open(self.path)))
            # By content: browsers unpack files without renaming them, and the other way round.
            if self.name.endswith(".gz") and file.peek(2)[:2] not in (GZIP_MAGIC, bytes(2)):
                raise ValueError("it is neither gzipped nor an idx file")
            while file.peek(2)[:2] == GZIP_MAGIC:
                file = _buffered(stack.enter_context(gzip.GzipFile(fileobj=file)))
            yield cast(BinaryIO, file)


def _buffered(file: object) -> io.BufferedReader:
    return io.BufferedReader(cast(io.RawIOBase, file))


@contextmanager
def _open_files(folder: Path) -> Iterator[dict[str, list[_File]]]:
    """Open the folder and the zips in it; yield the candidates for each of the four files.

    They come in the order in which they are tried: those with the usual names first.
    """
    with ExitStack() as stack:
        found: list[_File] = []
        for path in list_trees(folder):
            try:
                tree = stack.enter_context(open_tree(path, MAX_FILES))
                found += [
                    _File(tree, name, folder / name if path == folder else path)
                    for name in _list_names(tree)
                ]
            except DatasetError:
                # Another tree may have all that is needed; if not, a file is missing.
                continue
        found.sort(key=lambda file: (file.path.count("/"), file.path))
        roles = {role: [file for file in found if _named_role(file) == role] for role in STEMS}
        unnamed = [file for file in found if _named_role(file) is None]
        for role, shape in ((role, _shape(role)) for role in STEMS):
            roles[role] += [file for file in unnamed if _declared_shape(file) == shape]
        yield roles


def _list_names(tree: FileTree) -> list[str]:
    names = [name for name in tree.file_sizes() if not name.endswith(PART_SUFFIX)]
    return [name for index, name in enumerate(names) if index < MAX_FILES or FILE_NAME.search(name)]


def _named_role(file: _File) -> str | None:
    """Return which of the four files this is by its name; None if it has another name."""
    match = FILE_NAME.match(file.name)
    return f"{match[1]}-{match[2]}".lower() if match else None


def _shape(role: str) -> Shape:
    part, _, kind = role.partition("-")
    return (COUNTS[part], SIDE, SIDE) if kind == "images" else (COUNTS[part],)


def _declared_shape(file: _File) -> Shape | None:
    """Return the shape that a file's header declares; None if it is not an idx file."""
    try:
        state = file.tree.state(file.path)
    except OSError:
        return None
    return _cached(_shapes, state, lambda: _find_shape(file))


def _find_shape(file: _File) -> Shape | None:
    try:
        with file.open() as content:
            return _parse_header(file.name, content)
    except DatasetError:
        return None


def _cached(cache: dict[Key, Result], key: Key, compute: Callable[[], Result]) -> Result:
    """Return what `compute` returns, once per key; the oldest of many results are dropped."""
    if key not in cache:
        cache[key] = compute()
        while len(cache) > MAX_CACHED:
            cache.pop(next(iter(cache)), None)
    return cache[key]


def _use_first_valid(
    folder: Path, files: dict[str, list[_File]], role: str, use: Callable[[_File, Shape], Result]
) -> Result:
    """Apply `use` to the first candidate for which it raises nothing.

    Raises:
        DatasetError: there is none; if there are invalid ones, what is wrong with the first.
    """
    errors = []
    for file in files[role]:
        try:
            return use(file, _shape(role))
        except DatasetError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    raise DatasetError(f"{STEMS[role]} is missing, gzipped or not; it is to be in {folder}.")


def _read_idx(file: _File, shape: Shape) -> NDArray[np.uint8]:
    with file.open() as content:
        _read_header(file.name, content, shape)
        data = content.read(math.prod(shape))
        _check_length(file.name, len(data) + _count_remaining_bytes(content), shape)
    array = np.frombuffer(data, dtype=np.uint8).reshape(shape).copy()
    if array.ndim == 1 and array.max() >= CLASSES:
        first = int(np.argmax(array >= CLASSES))
        raise DatasetError(f"{file.name}: label {first} is {array[first]}, not 0 to 9.")
    return array


def _check_idx(file: _File, shape: Shape) -> None:
    with raising_dataset_errors(file.name):
        state = file.tree.state(file.path)
    if error := _cached(_errors, (state, shape), lambda: _find_error(file, shape)):
        raise DatasetError(error)


def _find_error(file: _File, shape: Shape) -> str | None:
    """Return what is wrong with a file, or None."""
    try:
        with file.open() as content:
            _read_header(file.name, content, shape)
            _check_length(file.name, _count_remaining_bytes(content), shape)
    except DatasetError as error:
        return str(error)
    return None


def _read_header(name: str, file: BinaryIO, shape: Shape) -> None:
    """Read an idx file's header and check that it declares `shape`."""
    declared = _parse_header(name, file)
    if declared != shape:
        raise DatasetError(f"{name} holds {declared}; MNIST has {shape} there.")


def _parse_header(name: str, file: BinaryIO) -> Shape:
    """Read an idx file's header; return the shape that it declares."""
    item_bytes, shape = read_header(name, file)
    if item_bytes != 1:
        raise DatasetError(f"{name} is not an idx file of bytes.")
    return shape


def _count_remaining_bytes(file: BinaryIO) -> int:
    """Return how many bytes follow, or more than `MAX_BYTES` if it is more."""
    count = 0
    while count <= MAX_BYTES and (chunk := file.read(CHUNK_BYTES)):
        count += len(chunk)
    return count


def _check_length(name: str, count: int, shape: Shape) -> None:
    expected = math.prod(shape)
    if count != expected:
        raise DatasetError(
            f"{name} should hold {expected:,} bytes after its header and holds {count:,}."
        )


SOURCE = DataSource(
    folder="mnist",
    find_files=find_files,
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

CREDIT = "Y. LeCun, C. Cortes and C. Burges, The MNIST Database of Handwritten Digits."

SINGLE_DIGITS = Definition(
    DatasetEntry(
        "mnist",
        "MNIST",
        "70,000 handwritten digits of 28x28 pixels; 10,000 are held out.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=28,
        images=60_000,
        held_out=10_000,
        repeats=1,
        source=CREDIT,
        licence="CC BY-SA 3.0",
        architecture="paper-st-cnn",
        distortion="RTS",
    ),
    source=SOURCE,
)

SEQUENCES = Definition(
    DatasetEntry(
        "mnist-sequences",
        "Rows of three MNIST digits",
        "Three MNIST digits in a row; each is one label.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=84,
        images=60_000,
        held_out=1_000,
        repeats=1,
        source=CREDIT,
        licence="CC BY-SA 3.0",
        architecture="recurrent",
        distortion="slanted",
        labels=3,
    ),
    source=SOURCE,
    composition="rows",
)

ADDITION = Definition(
    DatasetEntry(
        "mnist-addition",
        "Two MNIST digits to add",
        "Two MNIST digits, one in each channel; their sum is the class.",
        classes=SUMS,
        channels=2,
        height=28,
        width=28,
        images=60_000,
        held_out=1_000,
        repeats=1,
        source=CREDIT,
        licence="CC BY-SA 3.0",
        architecture="addition-2st",
        distortion="RTS",
        strength=0.5,
        separate_channels=True,
    ),
    source=SOURCE,
    composition="pairs",
)

NUMBERS = Definition(
    DatasetEntry(
        "mnist-numbers",
        "Numbers of up to five MNIST digits",
        "One to five MNIST digits in a row, like a house number; each position is one label.",
        classes=NUMERALS,
        channels=3,
        height=20,
        width=60,
        images=60_000,
        held_out=1_000,
        repeats=1,
        source=CREDIT,
        licence="CC BY-SA 3.0",
        architecture="svhn-st",
        distortion="TC",
        labels=5,
    ),
    source=SOURCE,
    composition="numbers",
)
