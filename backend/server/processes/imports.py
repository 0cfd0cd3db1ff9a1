"""Recordings that are imported: received beside the others, then read by a process of its own.

A recording that is refused leaves nothing behind; one that is accepted appears whole.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.errors import TooLarge, Unavailable
from stnscope.backend.experiment.home import new_run_id
from stnscope.backend.experiment.os_errors import translating_os_errors
from stnscope.backend.experiment.recording.importer import DRAFT_SUFFIX
from stnscope.backend.experiment.recording.quota import (
    Quota,
    format_bytes,
    raising_insufficient_storage,
)
from stnscope.backend.experiment.recording.untrusted_file import HEADER_BYTES, check_header
from stnscope.backend.experiment.recording.writer import CREATED_SUFFIX, DATABASE_SUFFIXES
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.http.upload import receive_file
from stnscope.backend.server.processes.child_process import (
    ChildEnded,
    ChildHung,
    ChildOwner,
    ChildProcess,
    command_for,
)
from stnscope.backend.server.runs import Runs

log = logging.getLogger(__name__)

COMMAND = command_for("import_main")
MAX_CONCURRENT_UPLOADS = 4
SLOW_BYTES_PER_SECOND = 100_000.0
"""An upload below this rate is aborted after some seconds, if another one waits."""
BYTES_PER_CHECK = 32 * 1024 * 1024
"""Bytes that are received between two checks of the disk space."""
UPLOAD_PREFIX = "incoming-"
"""Begins the name of the folder, in the home, into which an upload is received."""
UNFINISHED_SUFFIXES = (DRAFT_SUFFIX, CREATED_SUFFIX)
"""Suffixes of recordings that are being imported or created."""
ABANDONED_SECONDS = 24 * 3600.0


def max_recording_bytes(quota: Quota) -> int:
    """Return the size that a recording may have to be imported; one at its limit is a bit over."""
    return quota.run + quota.run // 16


class Imports(ChildOwner):
    """The imports of one server; recordings are received at once and read one after another.

    Args:
        runs: where imported recordings are added.
        deadlines: for one to be read, and for the process that does so to show that it runs.
    """

    def __init__(self, runs: Runs, deadlines: Deadlines | None = None) -> None:
        self._runs = runs
        self._deadlines = deadlines or Deadlines()
        self._uploads: dict[str, _Upload] = {}
        self._lock = asyncio.Lock()

    async def import_recording(self, body: AsyncIterator[bytes], content_type: str) -> str:
        """Import a recording from a request's body; return its id.

        Raises:
            RecordingError: it is not a recording, or damaged.
            TooLarge: it is larger than a recording may be.
            InsufficientStorage: there is no disk space for it.
            Unavailable: too many are being received, or reading it took too long.
        """
        if len(self._uploads) >= MAX_CONCURRENT_UPLOADS and not self._abort_slowest():
            raise Unavailable("Other recordings are being received. Try again in a moment.")
        run_id = new_run_id()
        upload = self._uploads[run_id] = _Upload()
        try:
            await self._receive_and_read(
                upload, upload.count(body), content_type, self._runs.new_path(run_id)
            )
        finally:
            self._uploads.pop(run_id, None)
        return run_id

    def _abort_slowest(self) -> bool:
        """Abort the slowest upload, so that another is received; return whether there is one."""
        slow = [
            (upload.bytes_per_second, run_id)
            for run_id, upload in self._uploads.items()
            if upload.seconds > self._deadlines.body
            and upload.bytes_per_second < SLOW_BYTES_PER_SECOND
        ]
        if not slow:
            return False
        self._uploads.pop(min(slow)[1]).abort()
        return True

    def remove_abandoned(self) -> None:
        """Remove the files of imports, and of new runs, that an earlier server did not end."""
        paths = (
            *self._runs.folder.parent.glob(f"{UPLOAD_PREFIX}*"),
            *(path for path in self._runs.folder.glob("*") if _is_unfinished(path)),
        )
        for path in paths:
            # It may be removed by another server of this home, or belong to another user.
            with suppress(OSError):
                # A younger one may belong to another server.
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    _remove(path)

    async def close(self) -> None:
        """End the process that reads a recording."""
        await self._end_process()

    async def _receive_and_read(
        self, upload: "_Upload", body: AsyncIterator[bytes], content_type: str, target: Path
    ) -> None:
        # Not among the recordings, whose size is limited.
        folder = await run_in_threadpool(_create_upload_folder, self._runs.folder.parent)
        try:
            with raising_insufficient_storage():
                async with upload.receiving():
                    await receive_file(body, content_type, folder / target.name, self._check_piece)
            async with self._lock:
                await self._read(folder / target.name, target)
        finally:
            await run_in_threadpool(_remove_leftovers, folder, target)

    def _check_piece(self, piece: bytes, received: int) -> None:
        """Check a piece of an upload: its size, the disk space, and of the first one the header."""
        if received == 0:
            check_header(piece[:HEADER_BYTES])
        limit = max_recording_bytes(self._runs.quota)
        size = received + len(piece)
        if size > limit:
            raise TooLarge(
                f"The file is larger than {format_bytes(limit)}, the most for a recording."
            )
        if received // BYTES_PER_CHECK != size // BYTES_PER_CHECK or received == 0:
            self._runs.check_disk_space(size)

    async def _read(self, source: Path, target: Path) -> None:
        process = self._process = await ChildProcess.start(COMMAND, self._deadlines)
        try:
            async with asyncio.timeout(self._deadlines.recording):
                await process.send({"source": str(source), "target": str(target)})
                await process.receive()
        except TimeoutError:
            raise Unavailable(
                f"Reading the recording took longer than {self._deadlines.recording:.0f} s, so it "
                "was aborted."
            ) from None
        except ChildHung:
            raise Unavailable(
                "The process that reads recordings did not respond and was ended. Try again."
            ) from None
        except ChildEnded:
            log.warning("The import process ended with code %s.", await process.wait())
            raise Unavailable(
                "The process that reads recordings ended while it read this one."
            ) from None
        finally:
            await self._end_process()


class _Upload:
    """An upload: how fast it is, and whether it was aborted."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._received = 0
        self._timeout: asyncio.Timeout | None = None

    @property
    def seconds(self) -> float:
        """For how long it has been received; 0 once it is complete."""
        return 0.0 if self._timeout is None else time.monotonic() - self._started

    @property
    def bytes_per_second(self) -> float:
        return self._received / max(self.seconds, 1e-3)

    async def count(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the body's pieces, and count their bytes."""
        async for piece in body:
            self._received += len(piece)
            yield piece

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Context for receiving; raises Unavailable once the upload is aborted."""
        try:
            async with asyncio.timeout(None) as self._timeout:
                yield
        except TimeoutError:
            raise Unavailable(
                "The recording was received so slowly that another one took its place. Try again."
            ) from None
        finally:
            self._timeout = None

    def abort(self) -> None:
        assert self._timeout is not None, "only what is being received is aborted"
        self._timeout.reschedule(0)


def _create_upload_folder(home: Path) -> Path:
    with translating_os_errors(home):
        return Path(mkdtemp(prefix=UPLOAD_PREFIX, dir=home))


def _remove_leftovers(folder: Path, target: Path) -> None:
    """Remove what an import leaves beside its recording, or in place of it."""
    _remove(folder)
    for suffix in UNFINISHED_SUFFIXES:
        for database_suffix in DATABASE_SUFFIXES:
            _remove(target.with_name(f"{target.stem}{suffix}{database_suffix}"))
    if not target.exists():
        _remove(target.with_suffix(".lock"))


def _is_unfinished(path: Path) -> bool:
    """Whether a file is that of a recording which is being imported or created."""
    return any(path.suffix.startswith(suffix) for suffix in UNFINISHED_SUFFIXES)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
