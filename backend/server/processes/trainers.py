"""Supervises the trainer processes: starts, queues, asks, and sees them end.

One spare process with torch already imported stands by, so that a start takes no import. A run
that a user starts pauses the demonstration; beyond the limit of trainers, runs queue.
"""

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from stnscope.backend.experiment.errors import Conflict, StnscopeError
from stnscope.backend.experiment.frames.frame import Label
from stnscope.backend.experiment.probes.added_pictures import check_can_add_picture
from stnscope.backend.experiment.run_status import (
    ALLOWED_IN,
    ENDED,
    LIVE,
    TRAINING,
    TRANSITIONS,
    Action,
    Operation,
    can,
    one_of,
)
from stnscope.backend.server.runs import FROM_A_FILE, Run, Runs

log = logging.getLogger(__name__)

LEAVING_SECONDS = 5.0
ANSWER_SECONDS = 10.0
SPARE_DELAY = 3.0


class Trainers:
    """The trainer processes of one server.

    Args:
        runs: what they train.
        limit: how many may be at work at once.
        standby: whether a spare one stands by.
    """

    def __init__(self, runs: Runs, limit: int, *, standby: bool = True) -> None:
        self._runs = runs
        self._limit = limit
        self._standby = standby
        self._spare: Process | None = None
        self._live: dict[str, Process] = {}
        self._queue: list[str] = []
        self._demonstrations: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._controls: dict[str, asyncio.Lock] = {}
        self._closing = False

    async def start(self) -> None:
        """Makes the spare and takes up what an earlier server left queued."""
        if self._standby:
            self._spare = await _spawn()
        queued = [run for run in self._runs.list() if run["status"] == "queued"]
        for run in reversed(queued):
            await self.submit(run["id"], demonstration=run["demonstration"])

    async def close(self) -> None:
        """Lets every trainer write a checkpoint and leave; ends those that do not."""
        self._closing = True
        if self._spare is not None and self._spare.returncode is None:
            self._spare.kill()
            await self._spare.wait()
        leaving = list(self._live.values())
        for process in leaving:
            _hang_up(process)
        await asyncio.gather(*(_await_end(process) for process in leaving))
        for task in self._tasks:
            task.cancel()

    def owns(self, run_id: str) -> bool:
        """Whether a trainer of this server works on the run, or will."""
        return run_id in self._live or run_id in self._queue

    def allowed(self, run: Run) -> list[Operation]:
        """Return what can be requested of a run now."""
        if self._runs.is_sample(run["id"]):
            return []
        if run["imported"]:
            return ["delete"]
        if run["status"] in LIVE and not self.owns(run["id"]):
            return []
        operations = [each for each in ALLOWED_IN if can(each, run["status"])]
        if "add_picture" in operations and not self._can_add_picture(run):
            operations.remove("add_picture")
        return operations

    async def submit(self, run_id: str, *, demonstration: bool = False) -> None:
        """Starts a queued run as soon as a trainer is free."""
        # From here on the run is owned; what waits below may let others look.
        self._queue.append(run_id)
        if demonstration:
            self._demonstrations.add(run_id)
        else:
            await self._pause_demonstrations()
        await self._start_queued()

    async def control(self, run_id: str, action: Action) -> None:
        """Asks for an action and waits until it shows.

        Raises:
            Conflict: it does not fit the run's status, or another process trains the run.
            InsufficientStorage: it would record more, and there is no room for that.
        """
        # What two pages ask at once is done one after the other.
        async with self._controls.setdefault(run_id, asyncio.Lock()):
            run = self._runs.summary(run_id)
            if run["imported"]:
                raise Conflict(FROM_A_FILE)
            sources, goal = TRANSITIONS[action].sources, TRANSITIONS[action].target
            if not can(action, run["status"]):
                raise Conflict(
                    f"To {action} a run it must be {one_of(sources)}; this one is {run['status']}."
                )
            if action in ("resume", "step"):
                self._runs.check_room()
            if action == "resume" and run["status"] not in TRAINING:
                await self._take_up(run)
            elif run_id in self._queue:
                self._queue.remove(run_id)
                self._runs.mark(run_id, "stopped")
            else:
                await self._ask(run_id, {"action": action})
                step = run["step"]
                await self._await_effect(
                    run_id,
                    lambda now: now["status"] == goal if goal else bool(now["step"] > step),
                )

    async def change(self, run_id: str, settings: Mapping[str, Any]) -> None:
        """Asks for settings to be changed and waits until they are recorded.

        Raises:
            Conflict: the run is not being trained, or another process trains it.
        """
        async with self._controls.setdefault(run_id, asyncio.Lock()):
            status = self._runs.summary(run_id)["status"]
            if status not in TRAINING:
                raise Conflict(
                    f"To change settings of a run it must be {one_of(TRAINING)}; "
                    f"this one is {status}."
                )
            await self._ask(run_id, {"settings": settings})
            await self._await_effect(
                run_id, lambda now: settings.items() <= now["settings"].items()
            )

    async def join(self, run_id: str, image: str, label: Label) -> None:
        """Hands a picture to the trainer and waits until it is one of the recorded probes.

        Args:
            image: as `probes.added_pictures.encode_image` makes it.
            label: what it shows; None where that is not known.

        Raises:
            Conflict: the run is not being trained, or not here; or takes no picture.
        """
        async with self._controls.setdefault(run_id, asyncio.Lock()):
            before = self._runs.summary(run_id)
            self.check_can_add_picture(before)
            await self._ask(run_id, {"join": {"image": image, "label": label}})
            await self._await_effect(run_id, lambda now: now["probes"] > before["probes"])
            after = self._runs.summary(run_id)
            if after["probes"] == before["probes"]:
                check_can_add_picture(after)  # it has ended meanwhile

    def check_can_add_picture(self, run: Run) -> None:
        """Sees that a picture may join a run's probes; raises what `join` does."""
        check_can_add_picture(run)
        if run["id"] not in self._live:
            raise _not_ours(run["id"])

    def _can_add_picture(self, run: Run) -> bool:
        try:
            self.check_can_add_picture(run)
        except Conflict:
            return False
        return True

    async def release(self, run_id: str) -> None:
        """Lets go of a run, so that its recording can be removed.

        Raises:
            Conflict: a trainer works on it.
        """
        if run_id in self._queue:
            self._queue.remove(run_id)
        elif run_id in self._live:
            if self._runs.summary(run_id)["status"] not in ENDED:
                raise Conflict(f"Run {run_id} has a live trainer; stop it first.")
            await self._await_leaving(run_id)

    async def _take_up(self, run: Run) -> None:
        """Queues a run that has ended or was interrupted, once its last trainer is gone."""
        await self._await_leaving(run["id"])
        self._runs.mark(run["id"], "queued")
        await self.submit(run["id"], demonstration=run["demonstration"])

    async def _await_leaving(self, run_id: str) -> None:
        process = self._live.get(run_id)
        if process is not None:
            await _await_end(process)
            self._forget(run_id, process)

    async def _ask(self, run_id: str, request: Mapping[str, Any]) -> None:
        process = self._live.get(run_id)
        if process is None:
            raise _not_ours(run_id)
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        try:
            await process.stdin.drain()
        except ConnectionError:
            raise Conflict(f"The trainer of run {run_id} has just ended.") from None

    async def _await_effect(self, run_id: str, shows: Callable[[Run], bool]) -> None:
        for _ in range(int(ANSWER_SECONDS / 0.02)):
            run = self._runs.summary(run_id)
            if shows(run) or run["status"] in ENDED:
                return
            await asyncio.sleep(0.02)

    async def _pause_demonstrations(self) -> None:
        for run_id in self._demonstrations & set(self._live):
            # One that has yet to begin obeys as soon as it has.
            if self._runs.summary(run_id)["status"] in LIVE:
                await self._ask(run_id, {"action": "pause"})

    async def _start_queued(self) -> None:
        async with self._turn:
            while self._queue and not self._closing and self._working() < self._limit:
                process = self._spare if _alive(self._spare) else await _spawn()
                assert process is not None
                assert process.stdin is not None
                self._spare = None
                run_id = self._queue.pop(0)
                process.stdin.write(assignment(self._runs, run_id))
                self._live[run_id] = process
                self._keep(self._see_it_end(run_id, process))
                if self._standby:
                    self._keep(self._renew_spare())

    async def _renew_spare(self) -> None:
        # Importing torch takes a core for seconds: first the run that has just begun gets going.
        await asyncio.sleep(SPARE_DELAY)
        async with self._turn:
            if self._spare is None and not self._closing:
                self._spare = await _spawn()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _working(self) -> int:
        """Trainers at work; a demonstration gives way and is not counted once users train."""
        return len(set(self._live) - self._demonstrations)

    async def _see_it_end(self, run_id: str, process: Process) -> None:
        code = await process.wait()
        if code:
            log.warning("The trainer of run %s ended with code %s.", run_id, code)
        self._forget(run_id, process)
        if not self._closing:
            # It may have been deleted, or be taken up again, or the disk be full.
            with suppress(StnscopeError):
                self._mark_if_never_begun(run_id)
            await self._start_queued()

    def _mark_if_never_begun(self, run_id: str) -> None:
        if not self.owns(run_id) and self._runs.summary(run_id)["status"] == "queued":
            self._runs.mark(run_id, "failed", "Its trainer ended before training began.")

    def _forget(self, run_id: str, process: Process) -> None:
        # By now the run may have another trainer, which stays.
        if self._live.get(run_id) is process:
            del self._live[run_id]
            self._demonstrations.discard(run_id)


def assignment(runs: Runs, run_id: str) -> bytes:
    """The line that gives a run to a trainer process."""
    task = {
        "recording": str(runs.path(run_id)),
        "data": str(runs.data),
        "bounds": asdict(runs.bounds),
    }
    return json.dumps(task).encode() + b"\n"


async def _spawn() -> Process:
    # A session of its own: an interrupt typed at the terminal reaches the server alone, which then
    # lets its trainers leave in order.
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "stnscope.backend.server.processes.trainer_main",
        stdin=PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


def _not_ours(run_id: str) -> Conflict:
    return Conflict(
        f"Run {run_id} is trained by a process that this server did not start: it can be watched, "
        "not controlled."
    )


def _alive(process: Process | None) -> bool:
    return process is not None and process.returncode is None


def _hang_up(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()


async def _await_end(process: Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), LEAVING_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
