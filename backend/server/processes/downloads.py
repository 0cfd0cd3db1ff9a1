"""Data sets on their way here: at most one download of each file, its progress, its end."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.download import download, with_mirror
from stnscope.backend.experiment.data.registry import DOWNLOADS
from stnscope.backend.experiment.data.source import RemoteFile
from stnscope.backend.experiment.errors import InvalidInput, NotFound, StnscopeError


class _Cancelled(Exception):
    """Nobody wants it any more."""


@dataclass
class Download:
    """One data set being fetched, or how that ended."""

    total: int
    done: int = 0
    error: str | None = None
    ended: bool = False
    wanted: bool = True

    def note(self, done: int, total: int) -> None:
        if not self.wanted:
            raise _Cancelled
        self.done, self.total = done, total

    def shown(self) -> dict[str, Any]:
        status = "failed" if self.error else "finished" if self.ended else "running"
        return {"status": status, "done": self.done, "total": self.total, "error": self.error}


class Downloads:
    """What one server fetches.

    Args:
        data: the folder that data sets are read from.
        mirror: an address to fetch all files from instead, each under its path in that folder.
    """

    def __init__(self, data: Path, mirror: str | None = None) -> None:
        self._data = data
        self._mirror = mirror
        self._fetches: dict[tuple[RemoteFile, ...], Download] = {}

    def size(self, name: str) -> int | None:
        """How many bytes a data set has; None if it cannot be fetched."""
        files = DOWNLOADS.get(name)
        return None if files is None else sum(file.size for file in files)

    def show(self, name: str) -> dict[str, Any] | None:
        """How far a data set is that is, or was, fetched by this server."""
        found = self._fetches.get(DOWNLOADS.get(name, ()))
        return None if found is None else found.shown()

    def start(self, name: str) -> dict[str, Any]:
        """Begins to fetch a data set, unless it is on its way.

        Raises:
            NotFound: there is no such data set.
            InvalidInput: it cannot be fetched; says how to get it.
        """
        entries = availability.list_datasets(self._data)
        if name not in entries:
            raise NotFound(f"There is no data set {name!r}; there are {', '.join(entries)}.")
        files = DOWNLOADS.get(name)
        if files is None:
            raise InvalidInput(f"It cannot be fetched. {entries[name].how}", "dataset")
        running = self._fetches.get(files)
        if running is None or running.ended:
            running = self._fetches[files] = Download(sum(file.size for file in files))
            # A server that leaves waits for none: what has come is kept.
            threading.Thread(target=self._work, args=(files, running), daemon=True).start()
        return running.shown()

    def cancel(self, name: str) -> None:
        """Ends a download; what has come is kept, to go on from.

        Raises:
            NotFound: the data set is not on its way.
        """
        found = self._fetches.get(DOWNLOADS.get(name, ()))
        if found is None or found.ended:
            raise NotFound(f"{name} is not being fetched.")
        found.wanted = False

    def _work(self, files: tuple[RemoteFile, ...], running: Download) -> None:
        addressed = with_mirror(files, self._mirror) if self._mirror else files
        try:
            download(addressed, self._data, running.note)
        except _Cancelled:
            running.error = "It was broken off. Fetching it again goes on from there."
        except StnscopeError as error:
            running.error = str(error)
        except Exception as error:
            running.error = f"It could not be fetched: {error}"
            raise
        finally:
            running.ended = True
