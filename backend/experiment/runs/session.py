"""Train a run, write its recording, and handle the requests that control it.

For each step: train, observe the probes if a frame is due, and handle requests. Steps are written
in one transaction with the next frame, or after `WRITE_INTERVAL`: each in one of its own would take
longer than a fast step. A session depends on neither processes nor sockets: requests come from a
`Controls`, and all results are written to the recording.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from stnscope.backend.experiment.catalog import check_names, steps_per_epoch
from stnscope.backend.experiment.config import LiveSettings, RunConfig, SettingsChange
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.devices.choice import thread_count
from stnscope.backend.experiment.devices.torch_devices import describe_machine, naming_full_memory
from stnscope.backend.experiment.errors import (
    DatasetError,
    InsufficientStorage,
    LaterVersion,
    StnscopeError,
)
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.limits import MAX_PROBES
from stnscope.backend.experiment.probes.added_pictures import decode_image
from stnscope.backend.experiment.probes.observe import observe_step
from stnscope.backend.experiment.probes.run_probes import RunProbes
from stnscope.backend.experiment.recording.disk_space import FULL_DISK_INTERVAL, DiskSpace
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.records import SECONDS, AddedPicture, Change
from stnscope.backend.experiment.recording.writer import TRAINING_LOCK_SECONDS, RecordingWriter
from stnscope.backend.experiment.runs.controls import Controls, Detached
from stnscope.backend.experiment.runs.step_recorder import StepRecorder
from stnscope.backend.experiment.training.loop import Step, to_tensors, train


class Session:
    """The training of one run.

    Args:
        writer: the writer of the run's recording.
        controls: the source of requests.
        quota: limits on the recording and on all recordings.
        data: the data folder.
    """

    def __init__(
        self, writer: RecordingWriter, controls: Controls, quota: Quota, data: Path | None = None
    ) -> None:
        self.disk_space = DiskSpace(writer, quota)
        self._writer = writer
        self._controls = controls
        self._run = writer.summary()
        self._config = writer.config()
        self._initial_settings = LiveSettings.of(self._config)
        self._changes = writer.changes()
        self._is_paused = False
        self._is_single_step = False
        """Whether the run pauses again after the current step."""
        self._is_detaching = False
        self._postponed: list[Mapping[str, Any]] = []
        """Requests that were received while the disk was full."""
        check_names(self._config)
        torch.set_num_threads(thread_count(self._config))
        self._dataset = load(self._config.dataset, data)
        self._check_same_data(self._dataset)
        self._probes = RunProbes(
            self._run["id"], self._config, self._dataset, writer.added_pictures()
        )
        self._checkpoint = writer.checkpoint()
        self._attempt: int = self._run["attempt"]
        if self._checkpoint is not None or self._run["frames"]:
            self._attempt += 1
        self._recorder = StepRecorder(
            writer,
            self._probes,
            self._attempt,
            self._checkpoint.info.get(SECONDS, 0.0) if self._checkpoint else 0.0,
            describe_machine(thread_count(self._config), self._config.device).model_dump(),
        )

    def train(self) -> str:
        """Train until the last step or a stop request; return the final status."""
        remedy = "Start a run with a smaller batch size, or on another device."
        try:
            with naming_full_memory(self._config.device, remedy):
                return self._train()
        except Exception:
            with suppress(StnscopeError):  # what ended the training is what counts
                self.disk_space.write(self._recorder.take_writes())
            raise

    def _train(self) -> str:
        columns = {"status": "running", "attempt": self._attempt, "error": None}
        self._write(lambda: self._writer.update(**columns))
        checkpoint, step = self._checkpoint, None
        state = to_tensors(checkpoint.tensors) if checkpoint else None
        for step in train(self._config, self._dataset, state, self._settings):
            if checkpoint is None or step.step > checkpoint.step:
                self._record(step)
            if step.loss is not None and not math.isfinite(step.loss):
                raise FloatingPointError(
                    f"The loss is not finite at step {step.step}. A lower learning rate usually "
                    "helps."
                )
            if shortage := self.disk_space.make_space():
                self._pause(step, error=shortage)
            if self._handle_requests(step) == "stop":
                return self._end(step, "stopped")
        assert step is not None, "training yields at least step 0"
        return self._end(step, "finished")

    def _settings(self, step: int) -> LiveSettings:
        """Return the settings in effect in a step: the configuration with earlier changes."""
        earlier = [change.settings for change in self._changes if change.step < step]
        return LiveSettings.of(self._config, earlier) if earlier else self._initial_settings

    def _is_moving(self, step: Step) -> bool:
        return self._settings(step.step).moving

    def _check_same_data(self, dataset: Dataset) -> None:
        """Check that a resumed run has the same data as when it was created.

        Raises:
            DatasetError: the images or classes have changed.
        """
        has_changed = steps_per_epoch(self._config, dataset.entry) != self._run["steps_per_epoch"]
        if self._run["frames"]:
            classes = self._writer.frame(0).info["classes"]
            has_changed = has_changed or classes != [*dataset.entry.classes]
        if has_changed:
            raise DatasetError(
                f"{dataset.entry.title} has other images or classes than when this run began. "
                "Restore it, or start a new run."
            )

    def _record(self, step: Step) -> None:
        moving = self._is_moving(step)
        self._recorder.record(step, moving=moving, with_frame=self._is_single_step)
        if self._recorder.is_write_due() or self._settings(step.step + 1).slow_motion:
            self._write_and_resume(_nothing)

    def _handle_requests(self, step: Step) -> str | None:
        """Handle all requests; while paused, wait for requests. Return `stop` to end the run."""
        if self._is_single_step:
            self._is_single_step = False
            if not self._is_paused:
                self._pause(step)
        while (
            self._is_paused
            or self._postponed
            or self._controls.has_request(self._slow_motion_left(step))
        ):
            if self._recorder.has_unwritten:  # what a request changes comes after all steps so far
                self._write_and_resume(_nothing)
            match self._postponed.pop(0) if self._postponed else self._controls.next_request():
                case {"settings": dict(settings)}:
                    self._change_settings(step, settings)
                case {"add_picture": dict(picture)}:
                    self._add_picture(step, picture)
                case {"action": "pause"} if not self._is_paused:
                    self._pause(step)
                case {"action": "resume"} if self._is_paused:
                    self._resume()
                case {"action": "step"} if self._is_paused:
                    self._resume(single_step=True)
                    return None
                case {"action": "stop"}:
                    return "stop"
                case {"action": "detach"}:
                    self._is_detaching = True
                    self._save(step)
                    raise Detached
        return None

    def _slow_motion_left(self, step: Step) -> float:
        """Return the seconds by which slow motion still has to extend this step."""
        duration = self._settings(step.step + 1).slow_motion
        start = self._recorder.pace.step_time or 0.0
        return max(0.0, start + duration - time.monotonic()) if duration else 0.0

    def _change_settings(self, step: Step, settings: Mapping[str, Any]) -> None:
        change = Change(step.step, self._attempt, SettingsChange.model_validate(settings))
        self._write_and_resume(lambda: self._writer.add_change(change))
        # After a resume there may be changes at later steps.
        self._changes = sorted([*self._changes, change], key=lambda change: change.step)

    def _add_picture(self, step: Step, request: Mapping[str, Any]) -> None:
        """Add a picture to the probes from the next step on; while paused, from this step on.

        Args:
            step: the current step.
            request: its `label`, and its `image` as an argument of `decode_image`.
        """
        if self._probes.count >= MAX_PROBES:
            return  # the server checks this too, but several requests may be pending
        image, is_paused = decode_image(request["image"]), self._is_paused
        first_step = step.step if is_paused else step.step + 1
        picture = AddedPicture(first_step, self._attempt, request["label"], image)
        moving = self._is_moving(step)
        writes = self._recorder.add_picture(step, picture, moving=moving, with_frame=is_paused)
        self._write_and_resume(writes)

    def _pause(self, step: Step, error: str | None = None) -> None:
        self._is_paused = True
        if self._save(step, status="paused", error=error):
            self._resume(single_step=self._is_single_step)

    def _resume(self, *, single_step: bool = False) -> None:
        self._is_paused, self._is_single_step = False, single_step
        self._recorder.pace.pause()
        self.disk_space.reset()
        if not single_step:
            self._write(lambda: self._writer.update(status="running", error=None))

    def _end(self, step: Step, status: str) -> str:
        if status == "finished":
            self._write(self._recorder.record_lap(step))
        self._save(step, status=status, error=None)
        return status

    def _save(self, step: Step, **columns: Any) -> bool:
        """Write a checkpoint, the step's frame and columns of the run; returns as `_write`."""
        return self._write(self._recorder.save(step, moving=self._is_moving(step), **columns))

    def _write_and_resume(self, writes: Callable[[], None]) -> None:
        """Write; if a full disk paused the run meanwhile, resume it as the user requested."""
        if self._write(writes):
            self._resume(single_step=self._is_single_step)

    def _write(self, writes: Callable[[], None]) -> bool:
        """Write the steps so far and `writes` in one transaction; if the disk is full, retry when
        the run is resumed.

        Returns:
            Whether a full disk paused the run meanwhile.

        Raises:
            Detached: the run was stopped or detached while the disk was full.
        """
        was_paused = False
        write_steps = self._recorder.take_writes()

        def write_all() -> None:
            write_steps()
            writes()

        while shortage := self.disk_space.write(write_all):
            if self._is_detaching:
                raise Detached
            was_paused = True
            self._wait_for_resume(shortage)
        return was_paused

    def _wait_for_resume(self, error: str) -> None:
        """Record the pause as soon as it can be written; wait until the run is resumed."""
        is_recorded = False
        while True:
            is_recorded = is_recorded or self.disk_space.update_run(status="paused", error=error)
            if not self._controls.has_request():
                time.sleep(FULL_DISK_INTERVAL)
                continue
            match self._controls.next_request():
                case {"action": "resume" | "step" as action}:
                    self._is_single_step = action == "step"
                    return
                case {"settings": _} | {"add_picture": _} as request:
                    self._postponed.append(request)
                case {"action": "stop"}:
                    self.disk_space.update_run(status="stopped", error=error)
                    raise Detached
                case {"action": "detach"}:
                    raise Detached


def _nothing() -> None:
    """Write nothing besides what is pending."""


def warm_up() -> None:
    """Train one step of a default run and discard it: torch loads parts of itself at first use."""
    config = RunConfig()
    torch.set_num_threads(thread_count(config))
    dataset = load(config.dataset)
    steps = train(config, dataset)
    observe_step(next(steps), Probes.choose(dataset, config), run="warm-up", config=config)
    next(steps)


def record(
    path: Path, controls: Controls, quota: Quota | None = None, data: Path | None = None
) -> str:
    """Train a run and write its recording; return how it ended.

    Args:
        path: the recording, which exists.
        controls: the source of requests.
        quota: limits on the recording and on all recordings; None for the default ones.
        data: the data folder, for data sets that are read from files.

    Returns:
        `finished`, `stopped`, `failed` (the recording has the reason) or `interrupted`.

    Raises:
        Conflict: another process is training it.
    """
    try:
        with _open(path, controls) as writer:
            return _train(writer, controls, quota or Quota(), data)
    except Detached:
        return "interrupted"


def _open(path: Path, controls: Controls) -> RecordingWriter:
    """Open the recording; while the disk is full, retry until a stop or detach request."""
    while True:
        try:
            return RecordingWriter.open(path, lock_seconds=TRAINING_LOCK_SECONDS)
        except InsufficientStorage:
            if controls.has_request() and controls.next_request()["action"] in ("stop", "detach"):
                raise Detached from None
            time.sleep(FULL_DISK_INTERVAL)


def _train(writer: RecordingWriter, controls: Controls, quota: Quota, data: Path | None) -> str:
    try:
        session = Session(writer, controls, quota, data)
        with session.disk_space:
            return session.train()
    except (Detached, LaterVersion):  # what a later version wrote is left as it is
        raise
    except Exception as error:
        writer.update(status="failed", error=str(error) or type(error).__name__)
        if isinstance(error, FloatingPointError | StnscopeError):
            return "failed"
        raise
