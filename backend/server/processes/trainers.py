"""The trainer processes of a server: started, queued, sent requests, and watched to their end.

One standby process, with torch already imported, makes a start fast. A run that a user starts
pauses the demonstration; beyond the limit of trainers, runs queue. With a cluster, all but the
demonstration are trained there while it can be used, and what waits for resources waits there.

The state of `Trainers` changes in the event loop only; recordings are read and written in threads.
While a thread works, the loop may start or end a run. What users request of a run is in
`server.requests`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Protocol
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import (
    Conflict,
    NotFound,
    StnscopeError,
    TrainerTimeout,
)
from stnscope.backend.experiment.home import sweep_of
from stnscope.backend.experiment.run_status import (
    LIVE,
    TRAINING,
)
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import ChildEnded, ChildProcess, command_for
from stnscope.backend.server.runs import Runs, just_ended

log = logging.getLogger(__name__)


class TrainerProcess(Protocol):
    """The trainer of a run, wherever it is; see `ChildProcess`."""

    @property
    def exit_code(self) -> int | None: ...
    @property
    def is_alive(self) -> bool: ...
    @property
    def is_unresponsive(self) -> bool: ...
    async def wait_for_responsiveness(self, is_responsive: bool) -> None: ...
    async def send(self, head: Mapping[str, Any], body: bytes = b"") -> None: ...
    def close_stdin(self) -> None: ...
    async def wait(self) -> int: ...
    async def wait_or_kill(self, seconds: float) -> None: ...
    async def wait_or_kill_if_unresponsive(self) -> None: ...


class RemoteProcess(TrainerProcess, Protocol):
    """A trainer on a cluster."""

    node: str | None
    """The name of the node where it trains; None while it waits for one."""
    was_lost: bool
    """Whether the cluster was lost."""


class RemoteTrainers(Protocol):
    """A cluster that trains runs."""

    @property
    def is_connected(self) -> bool: ...
    async def start(self, reclaim: Callable[[Sequence[str]], Awaitable[None]]) -> None: ...
    async def train(
        self, run_id: str, assignment: Mapping[str, Any], config: RunConfig
    ) -> RemoteProcess: ...
    def discard(self, run_id: str) -> None: ...
    async def close(self) -> None: ...


COMMAND = command_for("trainer_main")
NOT_BEGUN = "Its trainer ended before training began."
STANDBY_DELAY = 3.0


class Trainers:
    """The trainer processes of one server.

    Args:
        runs: the runs to train.
        limit: how many may train at once.
        timeout: seconds in which a trainer must take a request.
        deadlines: for a trainer to load, to show that it runs, and to end.
        standby: whether to keep a standby process.
        cluster: that trains the runs, while it can be used.
    """

    def __init__(
        self,
        runs: Runs,
        limit: int,
        timeout: float,
        deadlines: Deadlines | None = None,
        *,
        standby: bool = True,
        cluster: RemoteTrainers | None = None,
    ) -> None:
        self._runs = runs
        self._cluster = cluster
        self._deadlines = deadlines or Deadlines()
        self._limit = limit
        self._timeout = timeout
        self._keeps_standby = standby
        self._standby_process: ChildProcess | None = None
        self._processes: dict[str, TrainerProcess] = {}
        self._remote: dict[str, RemoteProcess] = {}
        """Trainer processes on the cluster."""
        self._queue: list[str] = []
        self._demonstrations: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._start_lock = asyncio.Lock()
        self._run_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._is_closing = False

    async def start(self) -> None:
        """Start the standby process, and submit the runs that an earlier server left queued."""
        if self._keeps_standby:
            self._standby_process = await ChildProcess.start(COMMAND, self._deadlines)
        if self._cluster is not None:
            await self._cluster.start(self._reclaim)
        try:
            runs = await run_in_threadpool(self._runs.list)
        except StnscopeError as error:
            log.warning("Queued runs are not started. %s", error)
            return
        for run in reversed(runs):
            is_queued = run["status"] == "queued" and not run["watched"]
            if is_queued and not self.owns(run["id"]):
                await self.submit(run["id"], demonstration=run["demonstration"])

    async def close(self) -> None:
        """Have every trainer write a checkpoint and end; kill those that do not in time."""
        self._is_closing = True
        if self._standby_process is not None:
            await self._standby_process.kill()
        processes = list(self._processes.values())
        for process in processes:
            process.close_stdin()
        await asyncio.gather(*(self._end(process) for process in processes))
        if self._cluster is not None:
            await self._cluster.close()
        for task in self._tasks:
            task.cancel()

    def owns(self, run_id: str) -> bool:
        """Whether this server trains the run, or has queued it."""
        return run_id in self._processes or run_id in self._queue

    def trains(self, run_id: str) -> bool:
        """Whether the run has a trainer of this server."""
        return run_id in self._processes

    def is_queued(self, run_id: str) -> bool:
        """Whether the run waits for a trainer of this server."""
        return run_id in self._queue

    def node(self, run_id: str) -> str | None:
        """Return the name of the cluster's node where a run is trained; None if there is none."""
        process = self._remote.get(run_id)
        return None if process is None else process.node

    def waits_for_cluster(self, run_id: str) -> bool:
        """Whether a run waits until the cluster has resources for it."""
        process = self._remote.get(run_id)
        return process is not None and process.node is None

    def is_unresponsive(self, run_id: str) -> bool:
        """Whether the run has a trainer that hangs; the run can be stopped and deleted then."""
        process = self._processes.get(run_id)
        return process is not None and process.is_unresponsive

    async def submit(self, run_id: str, *, demonstration: bool = False) -> None:
        """Queue a run; it starts as soon as fewer than the limit train."""
        # Before anything is awaited, so that the run is owned from here on.
        self._queue.insert(place_in_queue(self._queue, run_id), run_id)
        if demonstration:
            self._demonstrations.add(run_id)
        else:
            await self._pause_demonstrations()
        await self._start_queued()

    @contextmanager
    def removed_from_queue(self, run_id: str) -> Iterator[None]:
        """Keep a run out of the queue from here on, unless the body raises."""
        was_queued = run_id in self._queue
        if was_queued:
            self._queue.remove(run_id)
        try:
            yield
        except BaseException:
            if was_queued:
                self._queue.insert(0, run_id)
                self._run_in_background(self._start_queued())
            raise

    def lock(self, run_id: str) -> asyncio.Lock:
        """Return the lock under which requests for a run are handled one by one."""
        lock = self._run_locks.get(run_id)
        if lock is None:
            lock = self._run_locks[run_id] = asyncio.Lock()
        return lock

    async def wait_for_end(self, run_id: str) -> None:
        """Wait until a run has no trainer; kill it after some time, and at once if it hangs."""
        process = self._processes.get(run_id)
        if process is not None:
            await self._end(process)
            self._remove_process(run_id, process)

    async def _end(self, process: TrainerProcess) -> None:
        await process.wait_or_kill(0 if process.is_unresponsive else self._deadlines.end)

    async def send(self, run_id: str, request: Mapping[str, Any]) -> None:
        """Send a request to a run's trainer.

        Raises:
            Conflict: this server does not train the run.
            TrainerTimeout: the trainer took no request in time.
        """
        process = self._processes.get(run_id)
        if process is None:
            raise not_owned(run_id)
        try:
            async with asyncio.timeout(self._timeout):
                await process.send(request)
        except ChildEnded:
            raise just_ended(run_id) from None
        except TimeoutError:
            raise TrainerTimeout(
                f"The trainer took no request within {self._timeout:g} s; it may be stopped."
            ) from None

    async def _pause_demonstrations(self) -> None:
        for run_id in self._demonstrations & set(self._processes):
            # It may end at this moment.
            with suppress(StnscopeError):
                run = await run_in_threadpool(self._runs.summary, run_id)
                # One that is still loading is paused as soon as it trains.
                if run["status"] in LIVE:
                    await self.send(run_id, {"action": "pause"})

    async def _start_queued(self) -> None:
        async with self._start_lock:
            while not self._is_closing and (run_id := self._next_in_queue()):
                await self._start(run_id)

    def _next_in_queue(self) -> str | None:
        """Return the first run of the queue that can be trained now; None if none can be."""
        if self._training_count() < self._limit:
            return next(iter(self._queue), None)
        return next(filter(self._is_for_cluster, self._queue), None)

    def _is_for_cluster(self, run_id: str) -> bool:
        is_connected = self._cluster is not None and self._cluster.is_connected
        return is_connected and run_id not in self._demonstrations

    async def _start(self, run_id: str) -> None:
        """Assign a queued run to a trainer process."""
        try:
            first_message = await run_in_threadpool(assignment, self._runs, run_id)
        except NotFound:
            first_message = None
        is_remote = self._is_for_cluster(run_id)
        if not is_remote:
            await self._prepare_standby()
        # It may have been stopped or deleted meanwhile.
        if self._is_closing or run_id not in self._queue:
            return
        self._queue.remove(run_id)
        if first_message is None:
            return
        if is_remote:
            await self._start_on_cluster(run_id, first_message)
            return
        process, self._standby_process = self._standby_process, None
        assert process is not None
        self._processes[run_id] = process
        self._run_in_background(self._watch(run_id, process))
        if self._keeps_standby:
            self._run_in_background(self._renew_standby())
        # If it has ended, `_watch` marks the run.
        with suppress(ChildEnded):
            await process.send(first_message)

    async def _prepare_standby(self) -> None:
        """Have a standby process that can be given a run."""
        if self._standby_process is not None and self._standby_process.is_unresponsive:
            await self._standby_process.kill()
        if self._standby_process is None or not self._standby_process.is_alive:
            self._standby_process = await ChildProcess.start(COMMAND, self._deadlines)

    async def _start_on_cluster(self, run_id: str, first_message: Mapping[str, Any]) -> None:
        """Have the cluster train a run; if it is lost at this moment, the run stays queued."""
        assert self._cluster is not None
        try:
            config = await run_in_threadpool(self._runs.config, run_id)
            process = await self._cluster.train(run_id, first_message, config)
        except ChildEnded:
            self._queue.insert(0, run_id)
            return
        except StnscopeError as error:
            log.warning("Run %s is not trained. %s", run_id, error)
            return
        self._processes[run_id] = self._remote[run_id] = process
        self._run_in_background(self._watch(run_id, process))

    async def _reclaim(self, run_ids: Sequence[str]) -> None:
        """Reclaim the runs that the cluster trains since an earlier server, or connection.

        Other queued runs are sent to it too.
        """
        assert self._cluster is not None
        for run_id in run_ids:
            # Another home may have it.
            with suppress(StnscopeError):
                run = await run_in_threadpool(self._runs.read_or_fault, run_id)
                if self.owns(run_id) or run["status"] in TRAINING:
                    continue  # another server may train it
                if run["status"] in ("queued", "interrupted"):
                    self._queue.insert(0, run_id)
                else:
                    self._cluster.discard(run_id)
        await self._start_queued()

    async def _renew_standby(self) -> None:
        # Importing torch takes a core for seconds, which the run that has just started needs first.
        await asyncio.sleep(STANDBY_DELAY)
        async with self._start_lock:
            if self._standby_process is None and not self._is_closing:
                self._standby_process = await ChildProcess.start(COMMAND, self._deadlines)

    def _run_in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run in the background, until the server closes."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _training_count(self) -> int:
        """Return how many trainers here train runs of users.

        A demonstration, or what hangs, does not count.
        """
        runs = set(self._processes) - self._demonstrations - set(self._remote)
        return sum(not self.is_unresponsive(run_id) for run_id in runs)

    async def _watch(self, run_id: str, process: TrainerProcess) -> None:
        """Wait until a trainer has ended, and start the next run of the queue."""
        watching = asyncio.create_task(self._watch_responsiveness(run_id, process))
        code = await process.wait()
        watching.cancel()
        if code:
            log.warning("The trainer of run %s ended with code %s.", run_id, code)
        remote = self._remote.get(run_id)
        self._remove_process(run_id, process)
        if not self._is_closing:
            if remote is process and remote.was_lost:
                await self._requeue_if_not_begun(run_id)
            await self._start_queued()
            # The run may have been deleted, or the disk be full.
            with suppress(StnscopeError):
                await self._fail_if_not_begun(run_id)

    async def _watch_responsiveness(self, run_id: str, process: TrainerProcess) -> None:
        """Log that a trainer hangs, and let the next run start; log that it responds again."""
        while True:
            await process.wait_for_responsiveness(False)
            log.warning("The trainer of run %s does not respond.", run_id)
            await self._start_queued()
            await process.wait_for_responsiveness(True)
            if process.is_alive:
                log.warning("The trainer of run %s responds again.", run_id)

    async def _requeue_if_not_begun(self, run_id: str) -> None:
        """Queue a run again that was waiting in a cluster that is lost."""
        with suppress(StnscopeError):
            run = await run_in_threadpool(self._runs.read_or_fault, run_id)
            if run["status"] == "queued" and not self.owns(run_id):
                self._queue.insert(0, run_id)

    async def _fail_if_not_begun(self, run_id: str) -> None:
        async with self.lock(run_id):
            run = await run_in_threadpool(self._runs.summary, run_id)
            if run["status"] == "queued" and not self.owns(run_id):
                await run_in_threadpool(self._runs.fail, run_id, NOT_BEGUN)

    def _remove_process(self, run_id: str, process: TrainerProcess) -> None:
        # The run may have another trainer meanwhile, which is not removed.
        if self._processes.get(run_id) is process:
            del self._processes[run_id]
            self._remote.pop(run_id, None)
            self._demonstrations.discard(run_id)


def place_in_queue(queue: Sequence[str], run_id: str) -> int:
    """Return where a run joins the queue: at its end, but before the runs of sweeps.

    A sweep may take hours, in which no other run could train.
    """
    if sweep_of(run_id):
        return len(queue)
    return sum(sweep_of(queued) is None for queued in queue)


def assignment(runs: Runs, run_id: str) -> dict[str, Any]:
    """Return the message that assigns a run to a trainer process.

    Raises:
        NotFound: there is no such run.
    """
    return {
        "recording": str(runs.path(run_id)),
        "data": str(runs.data),
        "quota": asdict(runs.quota),
    }


def not_owned(run_id: str) -> Conflict:
    """Return the error for a request to a trainer that is not this server's."""
    return Conflict(
        f"Run {run_id} is trained by a process that this server did not start: it can be watched, "
        "not controlled."
    )
