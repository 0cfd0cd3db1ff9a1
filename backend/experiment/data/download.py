"""Fetches the files of a data set: with progress, from where it broke off, and only whole ones.

A file is written beside its place, under a name of its own, and comes into its place once it is
complete and right. What is there already is not fetched again.
"""

import errno
import hashlib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from filelock import FileLock, Timeout

from stnscope.backend.experiment.data import gtsrb_files
from stnscope.backend.experiment.errors import DatasetError, InsufficientStorage, Unavailable

PIECE = 256 * 1024
TIMEOUT_SECONDS = 30
PART = ".part"
OLD = ".old"
LOCK = ".fetching.lock"

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many are there; what it raises ends the fetching."""


@dataclass(frozen=True)
class RemoteFile:
    """One file that can be fetched."""

    address: str
    path: str
    """Where it belongs in the data folder."""
    size: int
    """In bytes, about."""
    md5: str | None = None
    """Of its content, where that is known."""


MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
ERDA = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"

MNIST_FILES = tuple(
    RemoteFile(f"{MNIST}{name}", f"mnist/{name}", size, md5)
    for name, size, md5 in (
        ("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    )
)
GTSRB_FILES = (
    RemoteFile(
        f"{ERDA}GTSRB_Final_Training_Images.zip",
        "gtsrb/GTSRB_Final_Training_Images.zip",
        276_294_756,
    ),
)
FILES = {
    "mnist": MNIST_FILES,
    "mnist-sequences": MNIST_FILES,
    "mnist-addition": MNIST_FILES,
    "mnist-numbers": MNIST_FILES,
    "gtsrb": GTSRB_FILES,
    "gtsrb-regions": GTSRB_FILES,
}
"""By data set; those that are part of the program, or lie nowhere to be fetched, have none."""


def mirrored(files: Sequence[RemoteFile], address: str) -> tuple[RemoteFile, ...]:
    """The same files at another address, each under its path in the data folder."""
    return tuple(replace(file, address=f"{address.rstrip('/')}/{file.path}") for file in files)


def fetch(files: Sequence[RemoteFile], data: Path, progress: Progress | None = None) -> None:
    """Fetches those files that are not there yet, or not as they should be.

    One that is not is kept beside the new one, under a name that ends in `.old`.

    Args:
        files: what to fetch.
        data: the folder that data sets are read from.
        progress: is told how far it is.

    Raises:
        Unavailable: a server does not answer, or the connection broke; fetching again goes on from
            there.
        DatasetError: what came is not the file; it is thrown away.
        InsufficientStorage: the disk is full.
    """
    try:
        with _folder(data), FileLock(data / LOCK, timeout=0):
            try:
                _fetch_all(files, data, progress)
            finally:
                with suppress(OSError):  # where what is open cannot be removed, it stays
                    (data / LOCK).unlink()
    except Timeout:
        raise Unavailable(
            f"Another process is fetching into {data}; wait until it is done."
        ) from None
    except OSError as error:
        raise DatasetError(f"Nothing can be written into {data}: {error.strerror}.") from error


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Makes a folder where there is none, and takes it away again if nothing came into it."""
    made = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if made:
            with suppress(OSError):
                path.rmdir()


def _fetch_all(files: Sequence[RemoteFile], data: Path, progress: Progress | None) -> None:
    total = sum(file.size for file in files)
    before = 0
    for file in files:
        target = data / file.path
        if not target.exists() or _fault(file, target):
            start = before
            try:
                _fetch(
                    file,
                    target,
                    lambda done, start=start: _tell(progress, start + done, total),  # type: ignore[misc]
                )
            except OSError as error:
                raise _in_words(file, error) from error
        before += file.size
        _tell(progress, before, total)


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(min(done, total), total)


def _in_words(file: RemoteFile, error: OSError) -> Exception:
    if error.errno == errno.ENOSPC:
        return InsufficientStorage(
            f"The disk is full; there is no room for {file.path}. Make room, try again."
        )
    reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return Unavailable(
        f"{file.address} cannot be fetched: {reason}. Trying again goes on from where it broke off."
    )


def _fetch(file: RemoteFile, target: Path, done: Callable[[int], None]) -> None:
    part = target.with_name(target.name + PART)
    with _folder(target.parent):
        _download(file.address, part, done)
        fault = _fault(file, part)
        if fault:
            part.unlink()
            raise DatasetError(f"{file.address} is not what it should be: {fault}. Try again.")
        if target.exists():
            target.replace(target.with_name(target.name + OLD))
        part.replace(target)


def _download(address: str, part: Path, done: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:  # there is nothing after what is here already
            return
        raise
    with answer:
        # A server that knows no ranges sends all of it anew.
        kept = answer.status == 206
        have = have if kept else 0
        with part.open("ab" if kept else "wb") as file:
            for piece in _pieces(answer):
                file.write(piece)
                have += len(piece)
                done(have)


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    """What comes, until it ends.

    Raises:
        OSError: it ends too early.
    """
    left = int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
    while True:
        try:
            piece = answer.read1(PIECE)  # what there is, however little
        except HTTPException as error:
            raise ConnectionError(errno.ECONNRESET, "the connection broke") from error
        if not piece:
            break
        left = None if left is None else left - len(piece)
        yield piece
    if left:
        raise ConnectionError(errno.ECONNRESET, "the connection broke")


def _fault(file: RemoteFile, path: Path) -> str | None:
    """Why a fetched file cannot be the one that was meant; None if nothing speaks against it."""
    if file.md5 is not None:
        digest = hashlib.md5(usedforsecurity=False)
        with path.open("rb") as content:
            for piece in iter(lambda: content.read(PIECE), b""):
                digest.update(piece)
        return None if digest.hexdigest() == file.md5 else "its checksum differs"
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            listed = any(gtsrb_files.OFFICIAL.search(name) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        return str(error)
    if damaged:
        return f"{damaged} in it is damaged"
    return None if listed else "it holds no training images"
