"""Downloads of data sets: at most one of each file, its progress and how it ended."""

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
    """The user has cancelled the download."""


@dataclass
class Download:
    """The download of one data set, or how it ended."""

    total: int
    done: int = 0
    error: str | None = None
    is_ended: bool = False
    is_cancelled: bool = False

    def update(self, done: int, total: int) -> None:
        """Set the progress, in bytes."""
        if self.is_cancelled:
            raise _Cancelled
        self.done, self.total = done, total

    def describe(self) -> dict[str, Any]:
        """Return the download as the interface has it."""
        status = "failed" if self.error else "finished" if self.is_ended else "running"
        return {"status": status, "done": self.done, "total": self.total, "error": self.error}


class Downloads:
    """The downloads of one server. Its methods list folders: coroutines call them in a thread.

    Args:
        data: the folder that data sets are read from.
        mirror: an address to download all files from instead, each by its path in that folder.
    """

    def __init__(self, data: Path, mirror: str | None = None) -> None:
        self._data = data
        self._mirror = mirror
        self._lock = threading.Lock()
        self._downloads: dict[tuple[RemoteFile, ...], Download] = {}

    def size(self, name: str) -> int | None:
        """Return the number of bytes of a data set; None if it cannot be downloaded."""
        files = DOWNLOADS.get(name)
        return None if files is None else sum(file.size for file in files)

    def describe(self, name: str) -> dict[str, Any] | None:
        """Return the state of a data set's download, if this server has started one."""
        download = self._downloads.get(DOWNLOADS.get(name, ()))
        return None if download is None else download.describe()

    def start(self, name: str) -> dict[str, Any]:
        """Start to download a data set, unless that has begun; return the download's state.

        Raises:
            NotFound: there is no such data set.
            InvalidInput: it cannot be downloaded.
        """
        entries = availability.list_datasets(self._data)
        if name not in entries:
            raise NotFound(f"There is no data set {name!r}; there are {', '.join(entries)}.")
        files = DOWNLOADS.get(name)
        if files is None:
            raise InvalidInput(f"It cannot be downloaded. {entries[name].instructions}", "dataset")
        with self._lock:
            download = self._downloads.get(files)
            if download is None or download.is_ended:
                download = self._downloads[files] = Download(sum(file.size for file in files))
                # A server that ends waits for no download: what was received is kept.
                thread = threading.Thread(
                    target=self._download, args=(files, download), daemon=True
                )
                thread.start()
        return download.describe()

    def cancel(self, name: str) -> None:
        """Cancel a download; what was received is kept, and the next one continues from there.

        Raises:
            NotFound: the data set is not being downloaded.
        """
        download = self._downloads.get(DOWNLOADS.get(name, ()))
        if download is None or download.is_ended:
            raise NotFound(f"{name} is not being downloaded.")
        download.is_cancelled = True

    def _download(self, files: tuple[RemoteFile, ...], state: Download) -> None:
        try:
            remote = with_mirror(files, self._mirror) if self._mirror else files
            download(remote, self._data, state.update)
        except _Cancelled:
            state.error = "It was cancelled. The next download continues from there."
        except StnscopeError as error:
            state.error = str(error)
        except Exception as error:
            state.error = f"It could not be downloaded: {error}"
            raise
        finally:
            state.is_ended = True
