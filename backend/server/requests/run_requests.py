"""Requests of users for a run: which operations are allowed, and their execution.

A trainer handles requests between two steps, and only the recording shows their effect. Requests
for one run are handled one by one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.frames.frame import Frame, Label
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
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.backend.server.processes.trainers import Trainers, not_owned
from stnscope.backend.server.requests.effects import effect, wait_for_effect
from stnscope.backend.server.requests.watched_loops import WatchedLoops
from stnscope.backend.server.runs import (
    Run,
    Runs,
    check_changeable,
    is_example,
    live_trainer_error,
    training_refusal,
)


class RunRequests:
    """The requests for the runs of one server.

    Args:
        runs: all runs.
        trainers: of this server.
        devices: of this machine, and of the cluster.
        timeout: seconds in which a request must take effect.
        deadlines: for a queued run to start before.
    """

    def __init__(
        self,
        runs: Runs,
        trainers: Trainers,
        devices: Devices,
        timeout: float,
        deadlines: Deadlines | None = None,
    ) -> None:
        self.trainers = trainers
        self._runs = runs
        self._loops = WatchedLoops(runs, timeout)
        self._devices = devices
        self._timeout = timeout
        self._start_timeout = (deadlines or Deadlines()).start

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
        if self.trainers.is_unresponsive(run["id"]):
            return ["stop", "delete"] if can("stop", run["status"]) else ["delete"]
        if run["status"] in LIVE and not self.trainers.owns(run["id"]):
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
        return None if self.trainers.trains(run["id"]) else str(not_owned(run["id"]))

    async def control(self, run_id: str, action: Action) -> None:
        """Request an action, and wait until it takes effect.

        Raises:
            NotFound: there is no such run.
            Conflict: it does not fit the run's status, another process trains the run, or this
                machine lacks the run's device.
            InsufficientStorage: it would record more, and there is no disk space for that.
            TrainerTimeout: it did not take effect in time.
        """
        async with self.trainers.lock(run_id):
            run = await run_in_threadpool(self._runs.read_or_fault, run_id)
            if run["watched"]:
                await self._loops.control(run, action)
                return
            if refusal := training_refusal(run):
                raise Conflict(refusal)
            if not can(action, run["status"]):
                raise Conflict(
                    status_mismatch(f"{action} a run", ALLOWED_IN[action], run["status"])
                )
            if self.trainers.is_unresponsive(run_id):
                await self._control_unresponsive(run, action)
                return
            transition = TRANSITIONS[action]
            if transition.needs_disk_space:
                await run_in_threadpool(self._runs.check_disk_space)
            if run["status"] not in LIVE:
                await self._devices.check_resume(run["config"].get("device", CPU))
                await self._requeue(run)
            elif self.trainers.is_queued(run_id):
                assert transition.target, "an action on a queued run changes its status"
                with self.trainers.removed_from_queue(run_id):
                    await run_in_threadpool(self._runs.set_status, run_id, transition.target)
            else:
                await self.trainers.send(run_id, {"action": action})
                is_done = effect(transition, run)
                run = await self._wait_for(run_id, is_done, f"{action} the run")
                if not is_done(run) and not transition.fulfilled_by_end:
                    raise Conflict(f"The run ended before it could {action}: {run['status']}.")

    async def _control_unresponsive(self, run: Run, action: Action) -> None:
        """Stop a run whose trainer hangs: end the trainer, and mark the run.

        Raises:
            Conflict: another action was requested.
        """
        if action != "stop":
            raise Conflict(f"The trainer of run {run['id']} does not respond. Stop or delete it.")
        await self.trainers.wait_for_end(run["id"])
        await run_in_threadpool(self._runs.set_status, run["id"], "stopped")

    async def change(self, run_id: str, settings: Mapping[str, Any]) -> None:
        """Request other settings, and wait until they are recorded.

        Raises:
            NotFound: there is no such run.
            Conflict: the run is not being trained, or another process trains it.
            InvalidInput: it has no such setting.
            TrainerTimeout: they were not recorded in time.
        """
        async with self.trainers.lock(run_id):
            run = await run_in_threadpool(self._runs.read_or_fault, run_id)
            if run["watched"]:
                await self._loops.change(run, settings)
                return
            if refusal := training_refusal(run):
                raise Conflict(refusal)
            check_changeable(settings, run)
            if not can("change", run["status"]):
                raise Conflict(status_mismatch("change settings of a run", TRAINING, run["status"]))
            await self.trainers.send(run_id, {"settings": settings})
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
        async with self.trainers.lock(run_id):
            before = await run_in_threadpool(self._runs.read_or_fault, run_id)
            self.check_can_add_picture(before)
            await self.trainers.send(run_id, {"add_picture": {"image": image, "label": label}})
            after = await self._wait_for(
                run_id, lambda now: now["probes"] > before["probes"], "add the picture"
            )
            if after["probes"] == before["probes"]:
                self.check_can_add_picture(after)  # the run has ended meanwhile

    async def transform_by_loop(self, run: Run, data: bytes, worker: InferenceWorker) -> Frame:
        """Return the frame of what the network of a watched loop does with a picture.

        Args, raises: as for `WatchedLoops.transform_picture`.
        """
        # Not in turn with what controls the run: viewing must not delay that.
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
        async with self.trainers.lock(run_id):
            if self.trainers.trains(run_id):
                run = await run_in_threadpool(self._runs.summary, run_id)
                can_end = run["status"] in ENDED | PERMANENT_FAULTS
                if not can_end and not self.trainers.is_unresponsive(run_id):
                    raise live_trainer_error(run_id)
                await self.trainers.wait_for_end(run_id)
            with self.trainers.removed_from_queue(run_id):
                await run_in_threadpool(self._runs.delete, run_id)

    async def _requeue(self, run: Run) -> None:
        """Queue a run that has ended or was interrupted, once its last trainer has ended."""
        await self.trainers.wait_for_end(run["id"])
        await run_in_threadpool(self._runs.set_status, run["id"], "queued")
        await self.trainers.submit(run["id"], demonstration=run["demonstration"])

    async def _wait_for(self, run_id: str, is_done: Callable[[Run], bool], request: str) -> Run:
        """Wait until a request has taken effect, or the run has ended; return the run then.

        Raises:
            Conflict, RecordingError, TrainerTimeout: as `wait_for_effect` does.
        """
        return await wait_for_effect(
            self._runs,
            run_id,
            is_done,
            is_trained=lambda: self.trainers.owns(run_id),
            timeout=self._timeout,
            start_timeout=self._start_timeout,
            failure=f"The trainer did not {request}",
        )
