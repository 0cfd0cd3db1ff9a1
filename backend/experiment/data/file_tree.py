"""A folder or a zip whose files are read in the same way, without unpacking. Without torch."""

import hashlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.os_errors import display_name

MAX_FILE_BYTES = 128 * 1024**2
"""Maximum of a file that is read as a whole; a zip may declare much more than it contains."""

FileState = tuple[str, int, int]
"""A path with the size and modification time in ns of the file that has its content."""


class FileTree(Protocol):
    """Files by their relative paths, with slashes."""

    name: str
    """Its name in messages."""

    def file_sizes(self) -> dict[str, int]:
        """Return the size in bytes of every file that is not hidden.

        Raises:
            DatasetError: the tree cannot be read.
        """
        ...

    def fingerprint(self) -> str:
        """Return a digest of the paths, sizes and times of all files."""
        ...

    def state(self, path: str) -> FileState:
        """Return what differs as soon as a file has changed."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            Exception: it is missing or damaged.
        """
        ...

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            DatasetError: it is missing, damaged or too large.
        """
        ...


class FolderTree:
    """A folder as a file tree. Only files are in it, no pipes, sockets or dangling links.

    Args:
        folder: the folder.
        limit: of the files that are listed.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.name, self._folder, self._limit = display_name(folder.name), folder, limit

    def file_sizes(self) -> dict[str, int]:
        return {path: file.st_size for path, file in self._iterate_files()}

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for path, file in self._iterate_files():
            digest.update(os.fsencode(f"{path}|{file.st_size}|{file.st_mtime_ns}\n"))
        return digest.hexdigest()

    def _iterate_files(self) -> Iterator[tuple[str, os.stat_result]]:
        return islice(self._walk(), self._limit)

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield files in sorted order. There are tens of thousands, hence no `Path` for each."""
        for folder, folders, names in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            base = Path(folder).relative_to(self._folder).as_posix()
            for name in sorted(names):
                if name.startswith("."):
                    continue
                try:
                    file = os.stat(f"{folder}/{name}")
                except OSError:  # a dangling link, or deleted meanwhile
                    continue
                if stat.S_ISREG(file.st_mode):
                    yield name if base == "." else f"{base}/{name}", file

    def state(self, path: str) -> FileState:
        file = (self._folder / path).stat()
        return str(self._folder / path), file.st_size, file.st_mtime_ns

    def open(self, path: str) -> BinaryIO:
        return (self._folder / path).open("rb")

    def read(self, path: str) -> bytes:
        return _read(path, lambda: (self._folder / path).stat().st_size, lambda: self.open(path))


class ZipTree:
    """A zip as a file tree."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self.name, self._path, self._archive = display_name(path.name), path, archive
        # Some programs write the separator of Windows.
        self._members = {
            member.filename.replace("\\", "/"): member
            for member in archive.infolist()
            if not member.is_dir()
        }

    def file_sizes(self) -> dict[str, int]:
        return {name: member.file_size for name, member in self._members.items()}

    def fingerprint(self) -> str:
        stat = self._path.stat()
        return f"{self.name}|{stat.st_size}|{stat.st_mtime_ns}"

    def state(self, path: str) -> FileState:
        file = self._path.stat()
        return f"{self._path}/{path}", file.st_size, file.st_mtime_ns

    def open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self._archive.open(self._members[path]))

    def read(self, path: str) -> bytes:
        return _read(path, lambda: self._members[path].file_size, lambda: self.open(path))


def _read(path: str, size: Callable[[], int], open_file: Callable[[], BinaryIO]) -> bytes:
    """Return a file's content.

    Raises:
        DatasetError: it is missing, damaged or too large.
    """
    try:
        with raising_dataset_errors(path):
            if size() > MAX_FILE_BYTES:
                raise DatasetError(
                    f"{path} cannot be read: it has {size():,} bytes, and at most "
                    f"{MAX_FILE_BYTES:,} are read."
                )
            with open_file() as file:
                return file.read()
    except DatasetError as error:
        if isinstance(error.__cause__, KeyError | FileNotFoundError):
            raise DatasetError(f"{path} is missing.") from error
        raise


@contextmanager
def naming(tree: FileTree) -> Iterator[None]:
    """Name a zip in the DatasetErrors of this context; files of a folder have their own names."""
    try:
        yield
    except DatasetError as error:
        if isinstance(tree, ZipTree) and tree.name not in str(error):
            raise DatasetError(f"{tree.name}: {error}") from error
        raise


def list_trees(folder: Path) -> list[Path]:
    """Return the folder, and each zip in it: what `open_tree` opens."""
    zips = (path for path in folder.glob("*.zip") if path.is_file())
    return [folder, *sorted(zips)]


@contextmanager
def open_tree(path: Path, limit: int | None = None) -> Iterator[FileTree]:
    """Open a folder or a zip.

    Args:
        path: the folder or zip.
        limit: of the files that are listed of a folder.

    Raises:
        DatasetError: a zip is damaged; names it.
    """
    with ExitStack() as stack:
        tree: FileTree
        with raising_dataset_errors(path.name):
            if path.is_dir():
                tree = FolderTree(path, limit)
            else:
                tree = ZipTree(stack.enter_context(zipfile.ZipFile(path)), path)
        yield tree
