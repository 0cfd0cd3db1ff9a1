"""The trainer processes of a server: started, queued, controlled and watched until they end.

One standby process, with torch already imported, makes a start fast. A run that a user starts
pauses the demonstration; beyond the limit of trainers, runs queue. With a cluster, all but the
demonstration are trained there while it can be used, and what waits for room waits there.

The state of `Trainers` changes in the event loop only; recordings are read and written in threads.
While a thread works, the loop may start or end a run; therefore requests for one run are handled
one by one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Protocol
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.config import CPU, RunConfig
from stnscope.backend.experiment.errors import (
    Conflict,
    NotFound,
    RecordingError,
    RecordingUnavailable,
    StnscopeError,
    TrainerTimeout,
)
from stnscope.backend.experiment.frames.frame import Frame, Label
from stnscope.backend.experiment.home import sweep_of
from stnscope.backend.experiment.probes import added_pictures
from stnscope.backend.experiment.run_status import (
    ALLOWED_IN,
    DELETED,
    ENDED,
    FAULTS,
    LIVE,
    PERMANENT_FAULTS,
    TRAINING,
    TRANSITIONS,
    Action,
    Operation,
    can,
    status_mismatch,
)
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import ChildEnded, ChildProcess, command_for
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.effects import effect, just_ended, wait_for_effect
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.backend.server.processes.watched_loops import WatchedLoops
from stnscope.backend.server.runs import (
    Run,
    Runs,
    check_changeable,
    faulty_run,
    is_example,
    live_trainer_error,
    training_refusal,
)

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
    async def start(self, take_up: Callable[[Sequence[str]], Awaitable[None]]) -> None: ...
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
        timeout: seconds in which a request must take effect.
        deadlines: for a trainer to load, to show that it runs, and to end.
        devices: of this machine.
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
        devices: Devices | None = None,
        standby: bool = True,
        cluster: RemoteTrainers | None = None,
    ) -> None:
        self._runs = runs
        self._cluster = cluster
        self._loops = WatchedLoops(runs, timeout)
        self._deadlines = deadlines or Deadlines()
        self._limit = limit
        self._timeout = timeout
        self._devices = devices or Devices()
        self._keeps_standby = standby
        self._standby_process: ChildProcess | None = None
        self._processes: dict[str, TrainerProcess] = {}
        self._remote: dict[str, RemoteProcess] = {}
        """Those of the processes that are on the cluster."""
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
            await self._cluster.start(self._take_up)
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

    def node(self, run_id: str) -> str | None:
        """Return the name of the cluster's node where a run is trained; None if there is none."""
        process = self._remote.get(run_id)
        return None if process is None else process.node

    def waits_for_cluster(self, run_id: str) -> bool:
        """Whether a run waits until the cluster has room for it."""
        process = self._remote.get(run_id)
        return process is not None and process.node is None

    def is_unresponsive(self, run_id: str) -> bool:
        """Whether the run has a trainer that hangs; the run can be stopped and deleted then."""
        process = self._processes.get(run_id)
        return process is not None and process.is_unresponsive

    def allowed(self, run: Run) -> list[Operation]:
        """Return what can be requested of a run now."""
        if is_example(run["id"]) or run["status"] == DELETED:
            return []
        allowed = self._allowed_now(run)
        return allowed if run["status"] in FAULTS else [*allowed, "rename"]

    def _allowed_now(self, run: Run) -> list[Operation]:
        """Return what a run's trainer and its status allow."""
        if run["watched"]:
            return self._loops.allowed(run)
        if self.is_unresponsive(run["id"]):
            return ["stop", "delete"] if can("stop", run["status"]) else ["delete"]
        if run["status"] in LIVE and not self.owns(run["id"]):
            return []
        if training_refusal(run) or run["status"] in FAULTS:
            return ["delete"]
        operations = [operation for operation in ALLOWED_IN if can(operation, run["status"])]
        if "add_picture" in operations and self.picture_refusal(run):
            operations.remove("add_picture")
        return operations

    def picture_refusal(self, run: Run) -> str | None:
        """Return why no picture can be added to a run's probes, as a sentence; None if one can."""
        if refusal := training_refusal(run):
            return refusal
        if reason := added_pictures.refusal_reason(run):
            return reason
        return None if run["id"] in self._processes else str(_not_owned(run["id"]))

    async def submit(self, run_id: str, *, demonstration: bool = False) -> None:
        """Queue a run; it starts as soon as fewer than the limit train."""
        # Before anything is awaited, so that the run is owned from here on.
        self._queue.insert(place_in_queue(self._queue, run_id), run_id)
        if demonstration:
            self._demonstrations.add(run_id)
        else:
            await self._pause_demonstrations()
        await self._start_queued()

    async def control(self, run_id: str, action: Action) -> None:
        """Request an action, and wait until it takes effect.

        Raises:
            NotFound: there is no such run.
            Conflict: it does not fit the run's status, another process trains the run, or this
                machine lacks the run's device.
            InsufficientStorage: it would record more, and there is no disk space for that.
            TrainerTimeout: it did not take effect in time.
        """
        async with self._lock(run_id):
            run = await self._read_run(run_id)
            if run["watched"]:
                await self._loops.control(run, action)
                return
            if refusal := training_refusal(run):
                raise Conflict(refusal)
            if not can(action, run["status"]):
                raise Conflict(
                    status_mismatch(f"{action} a run", ALLOWED_IN[action], run["status"])
                )
            if self.is_unresponsive(run_id):
                await self._control_unresponsive(run, action)
                return
            transition = TRANSITIONS[action]
            if transition.needs_disk_space:
                await run_in_threadpool(self._runs.check_disk_space)
            if run["status"] not in LIVE:
                await self._devices.check_resume(run["config"].get("device", CPU))
                await self._requeue(run)
            elif run_id in self._queue:
                assert transition.target, "an action on a queued run changes its status"
                with self._removed_from_queue(run_id):
                    await run_in_threadpool(self._runs.set_status, run_id, transition.target)
            else:
                await self._send(run_id, {"action": action})
                is_done = effect(transition, run)
                run = await self._wait_for(run_id, is_done, f"{action} the run")
                if not is_done(run) and not transition.ends_count:
                    raise Conflict(f"The run ended before it could {action}: {run['status']}.")

    async def _control_unresponsive(self, run: Run, action: Action) -> None:
        """Stop a run whose trainer hangs: end the trainer, and mark the run.

        Raises:
            Conflict: another action was requested.
        """
        if action != "stop":
            raise Conflict(f"The trainer of run {run['id']} does not respond. Stop or delete it.")
        await self._wait_for_end(run["id"])
        await run_in_threadpool(self._runs.set_status, run["id"], "stopped")

    async def change(self, run_id: str, settings: Mapping[str, Any]) -> None:
        """Request other settings, and wait until they are recorded.

        Raises:
            NotFound: there is no such run.
            Conflict: the run is not being trained, or another process trains it.
            InvalidInput: it has no such setting.
            TrainerTimeout: they were not recorded in time.
        """
        async with self._lock(run_id):
            run = await self._read_run(run_id)
            if run["watched"]:
                await self._loops.change(run, settings)
                return
            if refusal := training_refusal(run):
                raise Conflict(refusal)
            check_changeable(settings, run)
            if not can("change", run["status"]):
                raise Conflict(status_mismatch("change settings of a run", TRAINING, run["status"]))
            await self._send(run_id, {"settings": settings})
            run = await self._wait_for(
                run_id,
                lambda now: settings.items() <= now["settings"].items(),
                "change the settings",
            )
            if not settings.items() <= run["settings"].items():
                raise Conflict(f"The run ended before its settings were changed: {run['status']}.")

    async def add_picture(self, run_id: str, image: str, label: Label) -> None:
        """Send a picture to the trainer, and wait until it is one of the recorded probes.

        Args:
            image: as `probes.added_pictures.encode_image` makes it.
            label: its class; None if that is not known.

        Raises:
            NotFound: there is no such run.
            Conflict: the run is not being trained, or by another process, or takes no picture.
            TrainerTimeout: it was not recorded in time.
        """
        async with self._lock(run_id):
            before = await self._read_run(run_id)
            self.check_can_add_picture(before)
            await self._send(run_id, {"add_picture": {"image": image, "label": label}})
            after = await self._wait_for(
                run_id, lambda now: now["probes"] > before["probes"], "add the picture"
            )
            if after["probes"] == before["probes"]:
                self.check_can_add_picture(after)  # the run has ended meanwhile

    async def transform_by_loop(self, run: Run, data: bytes, worker: InferenceWorker) -> Frame:
        """Return the frame of what the network of a watched loop does with a picture.

        Args, raises: as for `WatchedLoops.transform_picture`.
        """
        # Not in turn with what controls the run: whoever only looks must not delay that.
        return await self._loops.transform_picture(run, data, worker)

    def check_can_add_picture(self, run: Run) -> None:
        """Check that a picture can be added to a run's probes.

        Raises:
            Conflict: it cannot.
        """
        if reason := self.picture_refusal(run):
            raise Conflict(reason)

    async def delete(self, run_id: str) -> None:
        """Remove a run that no trainer trains.

        Raises:
            NotFound: there is no such run.
            Conflict: it is being trained, or ships with the program.
        """
        async with self._lock(run_id):
            if run_id in self._processes:
                run = await run_in_threadpool(self._runs.summary, run_id)
                can_end = run["status"] in ENDED | PERMANENT_FAULTS
                if not can_end and not self.is_unresponsive(run_id):
                    raise live_trainer_error(run_id)
                await self._wait_for_end(run_id)
            with self._removed_from_queue(run_id):
                await run_in_threadpool(self._runs.delete, run_id)

    @contextmanager
    def _removed_from_queue(self, run_id: str) -> Iterator[None]:
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

    async def _read_run(self, run_id: str) -> Run:
        """Return a run as it is recorded now; one that cannot be read has a fault as its status.

        Raises:
            NotFound: there is no such run.
            RecordingUnavailable: the recording cannot be read at the moment.
        """
        try:
            return await run_in_threadpool(self._runs.read_summary, run_id)
        except RecordingUnavailable:
            raise
        except RecordingError as error:
            return faulty_run(run_id, error)

    def _lock(self, run_id: str) -> asyncio.Lock:
        """Return the lock under which requests for a run are handled one by one."""
        lock = self._run_locks.get(run_id)
        if lock is None:
            lock = self._run_locks[run_id] = asyncio.Lock()
        return lock

    async def _requeue(self, run: Run) -> None:
        """Queue a run that has ended or was interrupted, once its last trainer has ended."""
        await self._wait_for_end(run["id"])
        await run_in_threadpool(self._runs.set_status, run["id"], "queued")
        await self.submit(run["id"], demonstration=run["demonstration"])

    async def _wait_for_end(self, run_id: str) -> None:
        process = self._processes.get(run_id)
        if process is not None:
            await self._end(process)
            self._remove_process(run_id, process)

    async def _end(self, process: TrainerProcess) -> None:
        """Wait until a trainer has ended; kill it after some time, and at once if it hangs."""
        await process.wait_or_kill(0 if process.is_unresponsive else self._deadlines.end)

    async def _send(self, run_id: str, request: Mapping[str, Any]) -> None:
        process = self._processes.get(run_id)
        if process is None:
            raise _not_owned(run_id)
        try:
            async with asyncio.timeout(self._timeout):
                await process.send(request)
        except ChildEnded:
            raise just_ended(run_id) from None
        except TimeoutError:
            raise TrainerTimeout(
                f"The trainer took no request within {self._timeout:g} s; it may be stopped."
            ) from None

    async def _wait_for(self, run_id: str, is_done: Callable[[Run], bool], request: str) -> Run:
        """Wait until a request has taken effect, or the run has ended; return the run then.

        Raises:
            Conflict, RecordingError, TrainerTimeout: as `wait_for_effect` does.
        """
        return await wait_for_effect(
            self._runs,
            run_id,
            is_done,
            is_trained=lambda: self.owns(run_id),
            timeout=self._timeout,
            start_timeout=self._deadlines.start,
            failure=f"The trainer did not {request}",
        )

    async def _pause_demonstrations(self) -> None:
        for run_id in self._demonstrations & set(self._processes):
            # It may end at this moment.
            with suppress(StnscopeError):
                run = await run_in_threadpool(self._runs.summary, run_id)
                # One that is still loading is paused as soon as it trains.
                if run["status"] in LIVE:
                    await self._send(run_id, {"action": "pause"})

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
        """Give a run of the queue to a trainer process."""
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

    async def _take_up(self, run_ids: Sequence[str]) -> None:
        """Own the runs again that the cluster trains since an earlier server, or connection.

        Others that are queued are given to it too.
        """
        assert self._cluster is not None
        for run_id in run_ids:
            # Another home may have it.
            with suppress(StnscopeError):
                run = await self._read_run(run_id)
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
        """How many trainers here train runs of users.

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
            run = await self._read_run(run_id)
            if run["status"] == "queued" and not self.owns(run_id):
                self._queue.insert(0, run_id)

    async def _fail_if_not_begun(self, run_id: str) -> None:
        async with self._lock(run_id):
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

    A sweep may take hours, in which nobody else could train.
    """
    if sweep_of(run_id):
        return len(queue)
    return sum(sweep_of(queued) is None for queued in queue)


def assignment(runs: Runs, run_id: str) -> dict[str, Any]:
    """Return the message that gives a run to a trainer process.

    Raises:
        NotFound: there is no such run.
    """
    return {
        "recording": str(runs.path(run_id)),
        "data": str(runs.data),
        "quota": asdict(runs.quota),
    }


def _not_owned(run_id: str) -> Conflict:
    return Conflict(
        f"Run {run_id} is trained by a process that this server did not start: it can be watched, "
        "not controlled."
    )
