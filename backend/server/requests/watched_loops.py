"""Requests to the loops of watched runs, which take them at their pause points."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.errors import Conflict, TrainerTimeout
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.lock import has_writer
from stnscope.backend.experiment.run_status import (
    ALLOWED_IN,
    TRAINING,
    TRANSITIONS,
    Action,
    Operation,
    can,
    status_mismatch,
)
from stnscope.backend.experiment.watching import loop_pictures
from stnscope.backend.experiment.watching.loop_pictures import LoopPicture
from stnscope.backend.experiment.watching.loop_requests import LoopRequest, send
from stnscope.backend.experiment.weights.trained_weights import RUN_PREFIX
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.backend.server.requests.effects import (
    POLL_INTERVAL,
    effect,
    wait_for_effect,
)
from stnscope.backend.server.runs import (
    Run,
    Runs,
    check_changeable,
    just_ended,
    training_refusal,
)

OPERATIONS: tuple[Operation, ...] = ("pause", "resume", "step", "change")
"""What can be requested of a loop at a pause point; it is stopped where it was started."""
NO_PAUSE_POINT = (
    "This run is trained by a program of its own, whose loop has no pause point: it can be "
    "watched, but not controlled here. Call `run.pause_point()` in the loop."
)


class WatchedLoops:
    """The loops of watched runs: programs that this server did not start.

    Args:
        runs: all runs.
        timeout: seconds in which a request must take effect.
    """

    def __init__(self, runs: Runs, timeout: float) -> None:
        self._runs = runs
        self._timeout = timeout
        self._picture_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def allowed(self, run: Run) -> list[Operation]:
        """Return what can be requested of a watched run now."""
        if run["status"] not in TRAINING:
            return ["delete"] if can("delete", run["status"]) else []
        if _refusal(run):
            return []
        return [operation for operation in OPERATIONS if can(operation, run["status"])]

    async def control(self, run: Run, action: Action) -> None:
        """Request an action, and wait until it takes effect.

        Raises:
            Conflict: it does not fit the run's status, or the loop has no pause point.
            StnscopeError: the request cannot be written.
            TrainerTimeout: the loop has not reached a pause point in time.
        """
        self._check(run, action, f"{action} a run")
        await self._request(run, LoopRequest(action=action), effect(TRANSITIONS[action], run))

    async def change(self, run: Run, settings: Mapping[str, Any]) -> None:
        """Request other settings, and wait until they are recorded.

        Raises:
            InvalidInput: the run has no such setting.
            Conflict, StnscopeError, TrainerTimeout: as in `control`.
        """
        self._check(run, "change", "change settings of a run")
        check_changeable(settings, run)
        change = SettingsChange.model_validate(settings)
        await self._request(
            run, LoopRequest(settings=change), lambda now: _has(now["settings"], settings)
        )

    async def transform_picture(self, run: Run, data: bytes, worker: InferenceWorker) -> Frame:
        """Return the frame of what a loop's network does now with a picture.

        Args:
            run: a watched one.
            data: the bytes of a picture file.
            worker: fits the picture to the network.

        Raises:
            Conflict: the network takes no picture, or is not being trained.
            StnscopeError: as `InferenceWorker.fit_input` and `transform` do.
        """
        if not run["config"]["picture"]:
            raise Conflict("The network of this loop takes no single picture.")
        _check_is_trained(run)
        fitted = await worker.fit_input(data, run["config"]["picture"])
        frame = Frame.decode(await self.transform(run, fitted["image"]))
        name = f"{RUN_PREFIX}{run['id']}"
        return frame.with_info(weights=name, notes=fitted["notes"], inverted=False)

    async def transform(self, run: Run, image: str) -> bytes:
        """Return the frame's bytes of what a loop's network does now with a picture.

        Args:
            run: a watched one that takes pictures.
            image: fitted, as `probes.added_pictures.encode_image` has it.

        Raises:
            Conflict: the run is not being trained, or the network cannot take the picture.
            StnscopeError: the picture cannot be written.
            TrainerTimeout: the loop has not taken it in time.
        """
        _check_is_trained(run)
        path = await run_in_threadpool(self._runs.path, run["id"])
        lock = self._picture_locks.setdefault(run["id"], asyncio.Lock())
        try:
            # A loop has one picture at a time; those that wait do not wait longer for that.
            async with asyncio.timeout(self._timeout), lock:
                return await self._transform(run["id"], path, image)
        except TimeoutError:
            raise TrainerTimeout(
                f"The loop has not taken the picture within {self._timeout:g} s. Try again while "
                "it trains."
            ) from None

    async def _transform(self, run_id: str, path: Path, image: str) -> bytes:
        """Return the frame of a picture; waits for it as long as the loop trains.

        Raises:
            Conflict, StnscopeError: as `transform` does.
        """
        # Made here: if this is cancelled while the picture is sent, it can be withdrawn.
        picture, is_sent = LoopPicture(loop_pictures.new_key(), image), False
        try:
            while True:
                was_trained = await run_in_threadpool(has_writer, path)
                if not is_sent:  # another server's picture may wait there
                    is_sent = await run_in_threadpool(loop_pictures.send, path, picture)
                elif frame := await run_in_threadpool(loop_pictures.read_result, path, picture.key):
                    return frame
                if not was_trained:
                    raise just_ended(run_id)
                await asyncio.sleep(POLL_INTERVAL)
        finally:
            await run_in_threadpool(loop_pictures.withdraw, path, picture.key)

    def _check(self, run: Run, operation: Operation, purpose: str) -> None:
        if refusal := _refusal(run):
            raise Conflict(refusal)
        expected = ALLOWED_IN[operation] & TRAINING
        if operation not in OPERATIONS or run["status"] not in expected:
            raise Conflict(
                "A watched run is stopped where its program was started."
                if operation == "stop" and run["status"] in TRAINING
                else status_mismatch(purpose, expected, run["status"])
            )

    async def _request(
        self, run: Run, request: LoopRequest, is_done: Callable[[Run], bool]
    ) -> None:
        path = await run_in_threadpool(self._runs.path, run["id"])
        await run_in_threadpool(send, path, request)
        after = await wait_for_effect(
            self._runs,
            run["id"],
            is_done,
            is_trained=lambda: has_writer(path),
            timeout=self._timeout,
            start_timeout=0,
            failure="The loop reached no pause point",
        )
        if not is_done(after):
            raise Conflict(f"The run ended before that: it is {after['status']}.")


def _refusal(run: Run) -> str | None:
    """Return why the loop of a watched run cannot be controlled, as a sentence; None if it can."""
    if run["imported"]:
        return training_refusal(run)
    return None if run["settings"] else NO_PAUSE_POINT


def _check_is_trained(run: Run) -> None:
    """Check that a loop can put a picture through its network.

    Raises:
        Conflict: it has ended.
    """
    if run["status"] not in TRAINING:
        raise Conflict(status_mismatch("transform a picture", TRAINING, run["status"]))


def _has(settings: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    """Whether settings contain a change, of which factors are by name."""
    return all(
        value.items() <= settings[name].items()
        if isinstance(value, dict)
        else settings[name] == value
        for name, value in change.items()
    )
