"""A folder or a zip whose files are read in the same way, without unpacking."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from stnscope.backend.experiment.errors import DatasetError


class FileTree(Protocol):
    """Files by their relative paths, with slashes."""

    name: str
    """Its name in messages."""

    def file_sizes(self) -> dict[str, int]:
        """Return the size in bytes of every file that is not hidden."""
        ...

    def fingerprint(self) -> str:
        """Return a digest of the paths, sizes and times of all files."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            KeyError, OSError, zipfile.BadZipFile: it is missing or damaged.
        """
        ...


class FolderTree:
    """A folder as a file tree."""

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = folder.name, folder

    def file_sizes(self) -> dict[str, int]:
        return {path: stat.st_size for path, stat in self._iterate_files()}

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for path, stat in self._iterate_files():
            digest.update(f"{path}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _iterate_files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield files in sorted order. There are tens of thousands, hence no `Path` for each."""
        for folder, folders, names in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            base = Path(folder).relative_to(self._folder).as_posix()
            for name in sorted(names):
                if not name.startswith("."):
                    yield name if base == "." else f"{base}/{name}", os.stat(f"{folder}/{name}")

    def read(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()


class ZipTree:
    """A zip as a file tree."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self.name, self._path, self._archive = path.name, path, archive

    def file_sizes(self) -> dict[str, int]:
        return {member.filename: member.file_size for member in self._archive.infolist()}

    def fingerprint(self) -> str:
        stat = self._path.stat()
        return f"{self.name}|{stat.st_size}|{stat.st_mtime_ns}"

    def read(self, path: str) -> bytes:
        return self._archive.read(path)


@contextmanager
def open_trees(folder: Path) -> Iterator[list[FileTree]]:
    """Open the folder, and each zip in it.

    Raises:
        DatasetError: a zip is damaged; names it.
    """
    with ExitStack() as stack:
        trees: list[FileTree] = [FolderTree(folder)]
        for path in sorted(folder.glob("*.zip")):
            try:
                archive = stack.enter_context(zipfile.ZipFile(path))
            except (zipfile.BadZipFile, OSError) as error:
                raise DatasetError(f"{path.name} cannot be read: {error}.") from error
            trees.append(ZipTree(archive, path))
        yield trees
