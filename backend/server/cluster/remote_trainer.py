"""A trainer on a node of a Ray cluster: a trainer process, and what it records.

The process is the one that a server starts on its own machine, and it writes to a recording on the
node. The actor sends what is added to that, and forwards requests. If no rows are requested for
a while, the server has ended: the trainer writes a checkpoint and ends, and its recording is kept
for a server that reconnects.
"""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import ray

from stnscope.backend.experiment.os_errors import translating_os_errors
from stnscope.backend.experiment.recording.lock import has_writer
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.replication import (
    NewRows,
    Position,
    StepRow,
    follows,
    new_rows,
    position,
)
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import ChildEnded, ChildProcess, command_for
from stnscope.backend.version import VERSION

POLL_SECONDS = 0.01
"""Interval between reads of the recording."""
RESPONSE_SECONDS = 1.0
"""Time after which a request for rows returns none."""
LOCAL_RECORDING_BYTES = 200_000_000
"""Size at which the recording on the node is thinned: rows that were sent are not needed."""
KEPT_SECONDS = 3600.0
"""How long what an abandoned trainer has recorded waits for a server."""
TICK_SECONDS = 0.5
PREFIX = "stnscope-trainer-"
"""Prefix of the folders of recordings, among the node's temporary files."""


@dataclass(frozen=True)
class ActorLocation:
    """Where an actor is, as it reports.

    Attributes:
        node: the id of its node.
        version: of this program there.
        has_run: whether it was given a run before.
    """

    node: str
    version: str
    has_run: bool


@dataclass(frozen=True)
class RowsResponse:
    """What a trainer on a node has recorded, and how it is.

    Attributes:
        rows: since the requested position.
        is_responsive: False if the trainer process hangs.
        exit_code: of the trainer process; None while it runs, or while more rows follow.
        was_abandoned: whether it ended because no rows were requested.
    """

    rows: NewRows
    is_responsive: bool
    exit_code: int | None
    was_abandoned: bool


def remove_abandoned() -> None:
    """Remove what actors have left that were killed long ago, with their trainers."""
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            is_old = time.time() - newest > 2 * KEPT_SECONDS
            if is_old and not any(map(has_writer, folder.glob(f"*{SUFFIX}"))):
                shutil.rmtree(folder)


class RemoteTrainer:
    """A trainer process on this node; the class of an actor.

    Args:
        deadlines: of the server.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._folder: TemporaryDirectory[str] | None = None
        self._recording: Recording | None = None
        self._seeded: Position | None = None
        self._process: ChildProcess | None = None
        self._sent_inputs: set[str] = set()
        self._sent_state: tuple[int, bool] | None = None
        """Version of the recording in the last response, and whether the process responded."""
        self._silence = 0.0
        self._was_abandoned = False
        self._reading = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Before any call: none comes from a server that ends meanwhile.
        threading.Thread(target=self._end_if_abandoned, daemon=True).start()

    async def prepare(self) -> ActorLocation:
        """Wait to be given a run; return where this is."""
        self._silence = 0.0
        self._loop = asyncio.get_running_loop()
        node = ray.get_runtime_context().get_node_id()
        return ActorLocation(node, VERSION, self._process is not None)

    async def begin(self, run_id: str, seed: bytes, data: str, quota: Mapping[str, int]) -> None:
        """Start to train a run.

        Args:
            run_id: of the run.
            seed: the recording to begin with, as `replication.seed` returns it.
            data: the data folder.
            quota: the fields of a `Quota`.

        Raises:
            StnscopeError: nothing can be written on this node.
        """
        self._silence = 0.0
        self._sent_inputs.clear()
        self._sent_state = None
        path = await asyncio.to_thread(self._create_recording, run_id, seed)
        limits = Quota(**quota)
        limits = replace(limits, run=min(limits.run, LOCAL_RECORDING_BYTES))
        self._process = await ChildProcess.start(command_for("trainer_main"), self._deadlines)
        assignment = {"recording": str(path), "data": data, "quota": asdict(limits)}
        with suppress(ChildEnded):  # an response has its exit code
            await self._process.send(assignment)

    def _create_recording(self, run_id: str, seed: bytes) -> Path:
        with translating_os_errors():
            remove_abandoned()
            self._folder = TemporaryDirectory(prefix=PREFIX)
            path = Path(self._folder.name) / f"{run_id}{SUFFIX}"
            path.write_bytes(seed)
        self._recording = Recording.open(path)
        self._seeded = position(self._recording)
        return path

    async def request(self, request: Mapping[str, Any]) -> None:
        """Forward a request to the trainer process."""
        if self._process is not None:
            with suppress(ChildEnded):
                await self._process.send(request)

    async def detach(self) -> None:
        """Have the trainer process write a checkpoint and end."""
        if self._process is not None:
            self._process.close_stdin()

    async def kill(self) -> None:
        """Kill the trainer process."""
        if self._process is not None:
            await self._process.kill()

    async def continues(self, last: StepRow | None) -> bool:
        """Whether what is recorded here follows the last step of the server's recording.

        Not if the run was trained elsewhere since.
        """
        assert self._recording is not None
        assert self._seeded is not None
        return await asyncio.to_thread(follows, self._recording, self._seeded, last)

    async def rows(self, after: Position, with_inputs: bool) -> RowsResponse:
        """Return what was recorded after a position; if there is nothing, wait for a moment.

        Args:
            after: where the recording of the server is.
            with_inputs: whether inputs that were sent before are missing there.
        """
        return await asyncio.to_thread(self._wait_for_rows, after, with_inputs)

    def _wait_for_rows(self, after: Position, with_inputs: bool) -> RowsResponse:
        recording, process = self._recording, self._process
        assert recording is not None
        assert process is not None
        # A server that was killed may have left a call.
        with self._reading:
            if with_inputs:
                self._sent_inputs.clear()
                self._sent_state = None
            deadline = time.monotonic() + RESPONSE_SECONDS
            while True:
                self._silence = 0.0
                exit_code = process.exit_code  # first: after the process's end nothing is added
                state = (recording.data_version(), not process.is_unresponsive)
                is_over = exit_code is not None or time.monotonic() > deadline
                if is_over or state != self._sent_state:
                    break
                time.sleep(POLL_SECONDS)
            rows = new_rows(recording, after, self._sent_inputs)
            has_more = not rows.run
            self._sent_state = None if has_more else state
        return RowsResponse(rows, state[1], None if has_more else exit_code, self._was_abandoned)

    async def remove(self) -> None:
        """Kill the trainer process, and remove its recording; without another call, end soon."""
        await self.kill()
        await asyncio.to_thread(self._remove_recording)
        self._process = None

    def _remove_recording(self) -> None:
        with self._reading:
            if self._recording is not None:
                self._recording.close()
                self._recording = None
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _end_if_abandoned(self) -> None:
        """End the trainer process if no rows are requested for a while; later, this process too.

        Seconds are counted in which this process runs: no server is given up for a time in which
        the whole machine stood still.
        """
        while self._silence < KEPT_SECONDS:
            time.sleep(TICK_SECONDS)
            self._silence += TICK_SECONDS
            if self._silence >= self._deadlines.silence:
                if self._process is None or self._loop is None:  # nothing would be lost
                    break
                if self._process.exit_code is None and not self._was_abandoned:
                    self._was_abandoned = True
                    self._loop.call_soon_threadsafe(self._process.close_stdin)
        if self._folder is not None:
            self._folder.cleanup()
        os._exit(0)
