"""A folder or a zip, read in place, as one thing."""

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from backend.experiment.errors import DatasetError


class Tree(Protocol):
    """Files by their names, with slashes."""

    name: str
    """What it is called in messages."""

    def names(self) -> list[str]:
        """All files."""
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

    def names(self) -> list[str]:
        return [
            path.relative_to(self._path).as_posix()
            for path in sorted(self._path.rglob("*"))
            if path.is_file()
        ]

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()


class Archive:
    """A zip as a tree."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.name, self._archive = name, archive

    def names(self) -> list[str]:
        return self._archive.namelist()

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
            found.append(Archive(archive, path.name))
        yield found
