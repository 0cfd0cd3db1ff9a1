"""The live end of a recording, read once for all its viewers.

The recording is the only thing that trainer and server share, so that a run trained from the
command line is watched in the same way.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from stnscope.backend.experiment.errors import (
    NotFound,
    RecordingError,
    RecordingUnavailable,
    StnscopeError,
)
from stnscope.backend.experiment.recording.reader import LOCK_SECONDS, Recording
from stnscope.backend.experiment.recording.recording_errors import raising_recording_errors
from stnscope.backend.experiment.recording.records import StoredFrame
from stnscope.backend.experiment.run_status import LIVE
from stnscope.backend.server.runs import Run, Runs, faulty_run

log = logging.getLogger(__name__)

LIVE_INTERVAL = 0.01
"""Seconds between two reads of a recording that is being written."""
IDLE_INTERVAL = 0.25
"""Seconds between two reads of one that is not."""
LOCK_INTERVAL = 1.0
"""Seconds between two checks of a recording's lock: a trainer that was killed writes nothing."""
RETRY_INTERVAL = 1.0
"""Seconds until a recording is opened again that could not be read."""
MAX_THREADS = 64
"""A recording that another program locks delays a thread, and no other recording's viewers."""

MAX_MESSAGE_ROWS = 2000
"""Rows of metrics in one message; a client that lacks more of them gets several."""
METRICS_INTERVAL = 0.5
"""Seconds between two reads of new metrics."""

EVERY_STEP = frozenset({"step", "loss", "stillness", "last_step", "frames"})
"""The fields of a run that change with every step or frame."""

T = TypeVar("T")


@dataclass(frozen=True)
class Changes:
    """What was written to a recording since it was last read."""

    version: int
    run: Run
    newest: StoredFrame | None
    """The newest frame, if it is newer than the one that is known."""


class Tail:
    """The newest state of one recording; notifies its viewers of each change.

    Args:
        runs: the runs of the home.
        run_id: the run to follow.
        threads: where the recording is read.
    """

    def __init__(self, runs: Runs, run_id: str, threads: Executor) -> None:
        self._runs = runs
        self._threads = threads
        self.run_id = run_id
        self.run: Run = {}
        self.newest: StoredFrame | None = None
        self.is_deleted = False
        self.changes = 0
        """Number of changes of the run other than those of every step."""
        self._recording: Recording | None = None
        self._file: tuple[int, int] | None = None
        """Device and inode of the file that is open."""
        self._events: dict[asyncio.Event, Callable[[], bool]] = {}
        """The viewers' events, each with whether it waits for a frame."""
        self._version: int | None = None
        self._checked_at = 0.0
        self._with_input: tuple[int, bytes] = (0, b"")
        self._metrics_turn = 0
        self._metrics: dict[tuple[int | None, int], asyncio.Future[dict[str, Any]]] = {}
        """The metrics that were read in this turn, by the requested range."""
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Read the recording for the first time.

        Raises:
            NotFound: there is no such run.
            RecordingError: its recording cannot be read.
        """
        try:
            await self._in_thread(self._open)
            await self._update()
        except BaseException:
            await self.close()
            raise

    async def follow(self) -> None:
        """Read the recording again and again until it is deleted, whatever happens to it."""
        while not self.is_deleted:
            is_live = self.run["status"] in LIVE
            await asyncio.sleep(LIVE_INTERVAL if is_live else IDLE_INTERVAL)
            before = self.newest, self.changes
            try:
                await self._update()
            except Exception as error:
                await self._recover(error)
            if (self.newest, self.changes) != before:
                for event, waits_for_frame in self._events.items():
                    if self.changes != before[1] or waits_for_frame():
                        event.set()

    async def close(self) -> None:
        """Close the recording, once no thread reads it."""
        await self._in_thread(self._close)

    @contextmanager
    def notifying(
        self, event: asyncio.Event, waits_for_frame: Callable[[], bool]
    ) -> Iterator[None]:
        """Set an event while inside: when the run changes, or a frame comes that is waited for.

        What every step changes does not count: viewers poll it at intervals of their own.
        """
        self._events[event] = waits_for_frame
        try:
            yield
        finally:
            del self._events[event]

    @property
    def metrics_turn(self) -> int:
        """A number that increases every `METRICS_INTERVAL`."""
        return int(asyncio.get_running_loop().time() / METRICS_INTERVAL)

    async def metrics(self, *, after: int | None, seq: int) -> dict[str, Any]:
        """Return the first rows of metrics for steps after `after`, written after `seq`.

        They are read once in each turn, for all viewers that request the same: those that have come
        to the newest row.
        """
        turn, requested = self.metrics_turn, (after, seq)
        if turn != self._metrics_turn:
            self._metrics_turn = turn
            self._metrics = {}
        if requested not in self._metrics:
            read = self._read(
                lambda recording: recording.new_metrics(seq, after=after, limit=MAX_MESSAGE_ROWS)
            )
            self._metrics[requested] = asyncio.ensure_future(read)
        # A viewer that leaves does not cancel what others wait for.
        return await asyncio.shield(self._metrics[requested])

    async def with_input(self, stored: StoredFrame) -> bytes:
        """Return a frame's bytes with its input; encoded once, however many viewers need it."""
        if self._with_input[0] != stored.ref.seq:
            data = await self._read(lambda recording: recording.encode_with_input(stored))
            self._with_input = (stored.ref.seq, data)
        return self._with_input[1]

    def _open(self) -> None:
        path = self._runs.path(self.run_id)
        self._recording = Recording.open(path, lock_seconds=LOCK_SECONDS)
        self._file = _identify(path)

    def _close(self) -> None:
        if self._recording is not None:
            self._recording.close()
            self._recording = None

    async def _read(self, query: Callable[[Recording], T]) -> T:
        def run_query() -> T:
            if self._recording is None:
                self._open()
            assert self._recording is not None
            return query(self._recording)

        return await self._in_thread(run_query)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread, while no other thread uses the recording."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            result = loop.run_in_executor(self._threads, work)
            try:
                return await asyncio.shield(result)
            finally:
                # A caller who is cancelled still waits until the thread has finished.
                await asyncio.wait([result])

    async def _update(self) -> None:
        """Read what has changed."""
        now = asyncio.get_running_loop().time()
        is_check_due = now - self._checked_at >= LOCK_INTERVAL
        if is_check_due:
            self._checked_at = now
            await self._in_thread(self._check_file)
        seq = self.newest.ref.seq if self.newest else 0
        version = None if is_check_due else self._version
        changes = await self._read(lambda recording: _changes(recording, version, seq))
        if changes is None:
            return
        self._version = changes.version
        self._set_run(changes.run | {"id": self.run_id})
        self.newest = changes.newest or self.newest

    def _set_run(self, run: Run) -> None:
        self.changes += _without_every_step(run) != _without_every_step(self.run)
        self.run = run

    def _check_file(self) -> None:
        """Close the recording if its file was replaced by another one; it is then opened again.

        Raises:
            NotFound: the run was deleted.
        """
        file = _identify(self._runs.path(self.run_id))
        if self._recording is not None and self._file != file:
            self._close()
            self.newest = None

    async def _recover(self, error: Exception) -> None:
        """Prepare for reading the recording again after an error.

        The recording is opened again, as nothing is known about what the error has left. Until it
        can be read, the run's status has the reason; a lock that another program holds is no
        change.
        """
        if isinstance(error, NotFound):
            self.changes += not self.is_deleted
            self.is_deleted = True
        elif isinstance(error, RecordingError) and not isinstance(error, RecordingUnavailable):
            self._set_run(faulty_run(self.run_id, error) | {"created": self.run["created"]})
        elif not isinstance(error, StnscopeError):
            log.error("Run %s cannot be read.", self.run_id, exc_info=error)
        await self.close()
        self._version, self._checked_at = None, 0.0
        if not self.is_deleted:
            await asyncio.sleep(RETRY_INTERVAL)


def _without_every_step(run: Run) -> Run:
    return {key: run[key] for key in run if key not in EVERY_STEP}


def _identify(path: Path) -> tuple[int, int]:
    """Return device and inode of a recording's file.

    Raises:
        NotFound: it has been deleted.
        RecordingError: it cannot be read.
    """
    with raising_recording_errors(path):
        file = path.stat()
    return file.st_dev, file.st_ino


def _changes(recording: Recording, version: int | None, seq: int) -> Changes | None:
    """Read what has changed in a recording; return None if nothing has.

    Args:
        recording: the recording.
        version: its version when it was last read; None to read it in any case, and check its lock.
        seq: the number of the newest frame that is known.
    """
    current = recording.data_version()
    if current == version:
        return None
    # What has just been written needs no check for its writer.
    run = recording.summary(check_writer=version is None)
    return Changes(current, run, recording.newest_frame(after=seq))


class Tails:
    """The tails of one server; each is followed as long as it has viewers."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="tail")
        self._tails: dict[str, tuple[Tail, asyncio.Task[None]]] = {}
        self._viewers: dict[str, int] = {}

    async def add_viewer(self, run_id: str) -> Tail:
        """Return the tail of a run, for one more viewer.

        Raises:
            NotFound: there is no such run.
            RecordingError: its recording cannot be read.
        """
        while run_id not in self._tails:
            tail = Tail(self._runs, run_id, self._threads)
            await tail.open()
            if run_id in self._tails:  # another viewer has come meanwhile
                await tail.close()
            else:
                self._tails[run_id] = (tail, asyncio.create_task(tail.follow()))
        self._viewers[run_id] = self._viewers.get(run_id, 0) + 1
        return self._tails[run_id][0]

    async def remove_viewer(self, run_id: str) -> None:
        """Remove one viewer of a run; close its tail after the last."""
        self._viewers[run_id] -= 1
        if not self._viewers[run_id]:
            del self._viewers[run_id]
            await _end(*self._tails.pop(run_id))

    async def close(self) -> None:
        """Close all tails."""
        for run_id in list(self._tails):
            await _end(*self._tails.pop(run_id))
        self._threads.shutdown(wait=False)


async def _end(tail: Tail, following: asyncio.Task[None]) -> None:
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await tail.close()
