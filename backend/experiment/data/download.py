"""Download a data set's files: with progress, resuming where an earlier download broke off.

A file is written under a name of its own and renamed once it is complete and valid. Files that
exist and are valid are not downloaded again. Without torch.
"""

import errno
import hashlib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from filelock import FileLock, Timeout

from stnscope.backend.experiment.data.data_errors import explain
from stnscope.backend.experiment.data.source import PART_SUFFIX, RemoteFile
from stnscope.backend.experiment.errors import DatasetError, InsufficientStorage, Unavailable
from stnscope.backend.experiment.os_errors import (
    DENIED_ERRNOS,
    FULL_ERRNOS,
    translate_os_error,
)

CHUNK_BYTES = 256 * 1024
TIMEOUT_SECONDS = 30
OLD_SUFFIX = ".old"
LOCK_NAME = ".download.lock"

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded and in total; an exception that it raises ends the download."""


def with_mirror(files: Sequence[RemoteFile], url: str) -> tuple[RemoteFile, ...]:
    """Return the same files at another URL, each under its path in the data folder."""
    return tuple(replace(file, url=f"{url.rstrip('/')}/{file.path}") for file in files)


def download(files: Sequence[RemoteFile], data: Path, progress: Progress | None = None) -> None:
    """Download those files that are missing or invalid.

    An invalid file is kept beside the new one, under a name that ends in `.old`.

    Args:
        files: what to download.
        data: the data folder.
        progress: called after each chunk.

    Raises:
        Unavailable: a server does not respond, or the connection broke; the next download resumes.
        DatasetError: a downloaded file is invalid; it is deleted.
        AccessDenied: this user may not write to the data folder.
        InsufficientStorage: the disk is full.
    """
    try:
        with _temporary_folder(data), FileLock(data / LOCK_NAME, timeout=0):
            try:
                _download_all(files, data, progress)
            finally:
                with suppress(OSError):  # Windows cannot delete an open file
                    (data / LOCK_NAME).unlink()
    except Timeout:
        raise Unavailable(
            f"Another process is downloading into {data}. Wait until it is done."
        ) from None
    except OSError as error:
        raise translate_os_error(error, data) from error


@contextmanager
def _temporary_folder(path: Path) -> Iterator[None]:
    """Create a folder if it does not exist, and then remove it again if it stays empty."""
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):
                path.rmdir()


def _download_all(files: Sequence[RemoteFile], data: Path, progress: Progress | None) -> None:
    total = sum(file.size for file in files)
    finished = 0

    def report(done: int) -> None:
        if progress is not None:
            progress(min(done, total), total)

    for file in files:
        path = data / file.path
        if not path.exists() or _find_error(file, path):
            try:
                _download_one(file, path, lambda done, before=finished: report(before + done))  # type: ignore[misc]
            except (OSError, HTTPException, ValueError) as error:
                raise _translate(error, file) from error
        finished += file.size
        report(finished)


def _translate(error: Exception, file: RemoteFile) -> Exception:
    """Return what an error means: of the disk, or of the server and the connection to it."""
    if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
        return InsufficientStorage(
            f"The disk is full; {file.path} does not fit. Free some space and try again."
        )
    if isinstance(error, OSError) and error.errno in DENIED_ERRNOS and error.filename:
        return translate_os_error(error)
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return Unavailable(
        f"{file.url} cannot be downloaded: {str(reason) or type(error).__name__}. Trying again "
        "resumes the download."
    )


def _download_one(file: RemoteFile, path: Path, report: Callable[[int], None]) -> None:
    part = path.with_name(path.name + PART_SUFFIX)
    with _temporary_folder(path.parent):
        _write_part(file.url, part, report)
        error = _find_error(file, part)
        if error:
            part.unlink()
            raise DatasetError(f"{file.url} is not the expected file: {error}. Try again.")
        if path.exists():
            path.replace(path.with_name(path.name + OLD_SUFFIX))
        part.replace(path)


def _write_part(url: str, part: Path, report: Callable[[int], None]) -> None:
    """Download into a partial file, continuing after what it already has."""
    size = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if size and error.code == 416:  # the partial file is already complete
            return
        raise
    with response:
        # A server without support for ranges sends the whole file.
        is_resumed = response.status == 206
        size = size if is_resumed else 0
        with part.open("ab" if is_resumed else "wb") as file:
            for chunk in _read_chunks(response):
                file.write(chunk)
                size += len(chunk)
                report(size)


def _read_chunks(response: HTTPResponse) -> Iterator[bytes]:
    """Yield a response's body.

    Raises:
        OSError: it ends before its declared length.
    """
    length = response.headers["Content-Length"]
    remaining = None if length is None else int(length)
    while True:
        try:
            chunk = response.read1(CHUNK_BYTES)  # returns early with what has been received
        except HTTPException as error:
            raise ConnectionError(errno.ECONNRESET, "the connection broke") from error
        if not chunk:
            break
        remaining = None if remaining is None else remaining - len(chunk)
        yield chunk
    if remaining:
        raise ConnectionError(errno.ECONNRESET, "the connection broke")


def _find_error(file: RemoteFile, path: Path) -> str | None:
    """Return why a downloaded file is invalid; None if it is valid as far as can be checked."""
    if file.md5 is not None:
        digest = hashlib.md5(usedforsecurity=False)
        with path.open("rb") as content:
            for chunk in iter(lambda: content.read(CHUNK_BYTES), b""):
                digest.update(chunk)
        return None if digest.hexdigest() == file.md5 else "its checksum differs"
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = archive.namelist()
    except Exception as error:  # a damaged zip raises nearly every type of exception
        return explain(error)
    if damaged:
        return f"{damaged} in it is damaged"
    pattern = file.required_member
    if pattern is not None and not any(pattern.search(name) for name in names):
        return "it contains no training images"
    return None
