"""The live end of a recording, read once for all who watch it.

The recording is the only thing that trainer and server share, so a run trained from the command
line is watched in just the same way.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording, StoredFrame
from stnscope.backend.experiment.run_status import LIVE
from stnscope.backend.server.runs import Run, Runs

# Between two looks at a recording that is being written, and at one that is not.
LIVE_INTERVAL = 0.01
STILL_INTERVAL = 0.25
# A trainer that was killed writes nothing any more: its lock is looked at, at this pace.
LOCK_INTERVAL = 1.0

T = TypeVar("T")


class Tail:
    """What is newest in one recording; wakes its viewers when that changes."""

    def __init__(self, runs: Runs, run_id: str) -> None:
        self._runs = runs
        self.run_id = run_id
        self.run: Run = {}
        self.newest: StoredFrame | None = None
        self.deleted = False
        self._recording: Recording | None = None
        self._wakes: set[asyncio.Event] = set()
        self._version: int | None = None
        self._looked = 0.0
        self._whole: tuple[int, bytes] = (0, b"")
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        """Reads the recording for the first time.

        Raises:
            NotFound: there is no such run.
        """
        self._recording = Recording.open(self._runs.path(self.run_id))
        await self._look()

    async def follow(self) -> None:
        """Looks again and again until the recording is deleted."""
        while not self.deleted:
            awaited = self.run["status"] in LIVE
            await asyncio.sleep(LIVE_INTERVAL if awaited else STILL_INTERVAL)
            if await self._look():
                for wake in self._wakes:
                    wake.set()

    async def close(self) -> None:
        """Closes the recording, after whoever is reading it."""
        async with self._reading:
            if self._recording is not None:
                self._recording.close()

    @contextmanager
    def waking(self, wake: asyncio.Event) -> Iterator[None]:
        """Sets `wake` on each change while inside."""
        self._wakes.add(wake)
        try:
            yield
        finally:
            self._wakes.discard(wake)

    async def metrics(self, *, after: int | None, seq: int) -> dict[str, list[Any]]:
        """Rows of metrics for steps after `after`, written after `seq`."""
        return await self._read(lambda recording: recording.metrics(after=after, seq=seq))

    async def whole(self, stored: StoredFrame) -> bytes:
        """The frame's bytes with its input; made once, however many viewers need it."""
        if self._whole[0] != stored.ref.seq:
            images = await self._read(lambda recording: recording.input(stored.input_key))
            data = Frame.decode(stored.data).with_input(images).encode()
            self._whole = (stored.ref.seq, data)
        return self._whole[1]

    async def _read(self, query: Callable[[Recording], T]) -> T:
        async with self._reading:
            assert self._recording is not None
            reading = asyncio.create_task(asyncio.to_thread(query, self._recording))
            try:
                return await asyncio.shield(reading)
            finally:
                # Who leaves in the middle still lets the thread finish before another reads.
                await asyncio.wait([reading])

    async def _look(self) -> bool:
        """Takes in what has changed; answers whether anything has."""
        now = asyncio.get_running_loop().time()
        stale = now - self._looked >= LOCK_INTERVAL
        if stale:
            self._looked = now
            self.deleted = not self._exists()
        seen = (self._version, self.newest.ref.seq if self.newest else 0, stale)
        found = await self._read(lambda recording: _changes(recording, *seen))
        if found is None:
            return self.deleted
        self._version, run, newest = found
        changed = run != self.run or newest is not None or self.deleted
        self.run, self.newest = run, newest or self.newest
        return changed

    def _exists(self) -> bool:
        try:
            self._runs.path(self.run_id)
        except NotFound:
            return False
        return True


def _changes(
    recording: Recording, version: int | None, seq: int, stale: bool
) -> tuple[int, Run, StoredFrame | None] | None:
    current = recording.version()
    if current == version and not stale:
        return None
    # What has just been written needs no look for its writer.
    run = recording.summary(look_for_writer=stale)
    return current, run, recording.newest(after=seq)


class Tails:
    """The tails that are being followed; each lives as long as it has viewers."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._tails: dict[str, tuple[Tail, asyncio.Task[None]]] = {}
        self._viewers: dict[str, int] = {}

    async def watch(self, run_id: str) -> Tail:
        """The tail of a run, for one more viewer.

        Raises:
            NotFound: there is no such run.
        """
        if run_id not in self._tails:
            tail = Tail(self._runs, run_id)
            await tail.open()
            if run_id in self._tails:  # another viewer has come in the meantime
                await tail.close()
            else:
                self._tails[run_id] = (tail, asyncio.create_task(tail.follow()))
        self._viewers[run_id] = self._viewers.get(run_id, 0) + 1
        return self._tails[run_id][0]

    async def leave(self, run_id: str) -> None:
        """One viewer fewer."""
        self._viewers[run_id] -= 1
        if not self._viewers[run_id]:
            del self._viewers[run_id]
            await _end(*self._tails.pop(run_id))

    @property
    def viewers(self) -> int:
        return sum(self._viewers.values())

    async def close(self) -> None:
        for run_id in list(self._tails):
            await _end(*self._tails.pop(run_id))


async def _end(tail: Tail, following: asyncio.Task[None]) -> None:
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await tail.close()
