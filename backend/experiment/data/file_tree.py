"""A folder or a zip, read in place, as one thing."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from stnscope.backend.experiment.errors import DatasetError


class Tree(Protocol):
    """Files by their names, with slashes."""

    name: str
    """What it is called in messages."""

    def sizes(self) -> dict[str, int]:
        """All files but hidden ones, and how many bytes each has."""
        ...

    def stamp(self) -> str:
        """Text that is another one as soon as any file is."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content.

        Raises:
            KeyError, OSError, zipfile.BadZipFile: it is not there, or damaged.
        """
        ...


class Folder:
    """A folder as a tree."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path

    def sizes(self) -> dict[str, int]:
        return {name: stat.st_size for name, stat in self._files()}

    def stamp(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for name, stat in self._files():
            digest.update(f"{name}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Sorted folder by folder; many thousands, hence no `Path` for each."""
        for folder, folders, names in os.walk(self._path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            base = Path(folder).relative_to(self._path).as_posix()
            for name in sorted(names):
                if not name.startswith("."):
                    yield name if base == "." else f"{base}/{name}", os.stat(f"{folder}/{name}")

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()


class Archive:
    """A zip as a tree."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self.name, self._path, self._archive = path.name, path, archive

    def sizes(self) -> dict[str, int]:
        return {each.filename: each.file_size for each in self._archive.infolist()}

    def stamp(self) -> str:
        stat = self._path.stat()
        return f"{self.name}|{stat.st_size}|{stat.st_mtime_ns}"

    def read(self, name: str) -> bytes:
        return self._archive.read(name)


@contextmanager
def trees(folder: Path) -> Iterator[list[Tree]]:
    """The folder, and each zip in it.

    Raises:
        DatasetError: a zip is damaged; names it.
    """
    with ExitStack() as stack:
        found: list[Tree] = [Folder(folder)]
        for path in sorted(folder.glob("*.zip")):
            try:
                archive = stack.enter_context(zipfile.ZipFile(path))
            except (zipfile.BadZipFile, OSError) as error:
                raise DatasetError(f"{path.name} cannot be read: {error}.") from error
            found.append(Archive(archive, path))
        yield found
