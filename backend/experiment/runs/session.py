"""Train a run into its recording, and handle the requests that control it.

For each step: train it, observe the probes if a frame is due, write one transaction, handle the
requests. A session depends on neither processes nor sockets: requests come from a `Controls`, and
all results go into the recording.
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import LiveSettings, RunConfig, SettingsChange
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import DatasetError, InsufficientStorage, StnscopeError
from stnscope.backend.experiment.limits import MAX_PROBES
from stnscope.backend.experiment.probes.added_pictures import decode_image
from stnscope.backend.experiment.probes.observe import Probes, observe_step
from stnscope.backend.experiment.probes.run_probes import RunProbes
from stnscope.backend.experiment.recording.disk_space import DiskSpace
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import AddedPicture, Change, Checkpoint
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.runs.controls import Controls, Detached
from stnscope.backend.experiment.runs.step_recorder import StepRecorder
from stnscope.backend.experiment.training.loop import Step, train

FULL_DISK_INTERVAL = 0.2
"""Seconds between two checks for requests while the disk is full."""


class Session:
    """The training of one run.

    Args:
        writer: of the run's recording.
        controls: where requests come from.
        quota: limits of the recording and of all recordings.
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
        self._paused = False
        self._stepping = False
        self._detaching = False
        self._postponed: list[Mapping[str, Any]] = []
        torch.set_num_threads(self._config.threads)
        self._dataset = load(self._config.dataset, data)
        self._check_same_data(self._dataset)
        self._probes = RunProbes(
            self._run["id"], self._config, self._dataset, writer.added_pictures()
        )
        self._checkpoint = writer.checkpoint()
        self._attempt: int = self._run["attempt"]
        if self._checkpoint is not None or self._run["frames"]:
            self._attempt += 1
        self._recorder = StepRecorder(writer, self._probes, self._attempt)

    def train(self) -> str:
        """Train to the end, or until stopped; return the final status."""
        columns = {"status": "running", "attempt": self._attempt, "error": None}
        self._write(lambda: self._writer.update(**columns))
        checkpoint, step = self._checkpoint, None
        for step in train(self._config, self._dataset, _state_of(checkpoint), self._settings):
            if checkpoint is None or step.step > checkpoint.step:
                self._record(step)
            if step.loss is not None and not math.isfinite(step.loss):
                raise FloatingPointError(
                    f"The loss is not finite at step {step.step}. A lower learning rate usually "
                    "helps."
                )
            if shortage := self.disk_space.shortage():
                self._pause(step, error=shortage)
            if self._handle_requests(step) == "stop":
                return self._end(step, "stopped")
        assert step is not None, "a training yields at least its step 0"
        return self._end(step, "finished")

    def _settings(self, step: int) -> LiveSettings:
        """Return the settings in effect in a step: the configuration, and earlier changes."""
        before = [change.settings for change in self._changes if change.step < step]
        return LiveSettings.of(self._config, before) if before else self._initial_settings

    def _is_moving(self, step: Step) -> bool:
        return self._settings(step.step).moving

    def _check_same_data(self, dataset: Dataset) -> None:
        """Check that a resumed run has the data that it began with.

        Raises:
            DatasetError: it has other images or classes now.
        """
        each = steps_per_epoch(self._config, dataset.entry)
        classes = None
        if self._run["frames"]:
            classes = self._writer.frame(0).info["classes"]
        if each != self._run["steps_per_epoch"] or classes not in (None, [*dataset.entry.classes]):
            raise DatasetError(
                f"{dataset.entry.title} has other images or classes than when this run began. "
                "Restore it, or start a new run."
            )

    def _record(self, step: Step) -> None:
        moving = self._is_moving(step)
        writes = self._recorder.record(step, moving=moving, with_frame=self._stepping)
        self._write_and_resume(writes)

    def _handle_requests(self, step: Step) -> str | None:
        """Handle all requests; while paused, wait for more. Return `stop` if the run is to end."""
        if self._stepping:
            self._stepping = False
            if not self._paused:
                self._pause(step)
        while (
            self._paused
            or self._postponed
            or self._controls.has_request(self._slow_motion_left(step))
        ):
            match self._postponed.pop(0) if self._postponed else self._controls.next_request():
                case {"settings": dict(settings)}:
                    self._change_settings(step, settings)
                case {"add_picture": dict(picture)}:
                    self._add_picture(step, picture)
                case {"action": "pause"} if not self._paused:
                    self._pause(step)
                case {"action": "resume"} if self._paused:
                    self._resume()
                case {"action": "step"} if self._paused:
                    self._resume(stepping=True)
                    return None
                case {"action": "stop"}:
                    return "stop"
                case {"action": "detach"}:
                    self._detaching = True
                    self._save(step)
                    raise Detached
        return None

    def _slow_motion_left(self, step: Step) -> float:
        """Return the seconds that slow motion still adds to this step."""
        duration = self._settings(step.step + 1).slow_motion
        began = self._recorder.pace.stepped or 0.0
        return max(0.0, began + duration - time.monotonic()) if duration else 0.0

    def _change_settings(self, step: Step, settings: Mapping[str, Any]) -> None:
        change = Change(step.step, self._attempt, SettingsChange.model_validate(settings))
        self._write_and_resume(lambda: self._writer.add_change(change))
        # After a resume, changes recorded at later steps stay behind this one.
        self._changes = sorted([*self._changes, change], key=lambda each: each.step)

    def _add_picture(self, step: Step, request: Mapping[str, Any]) -> None:
        """Add a picture to the probes from the next frame on; while paused, from this step on.

        Args:
            request: its `label`, and `image` as `decode_image` reads it.
        """
        if self._probes.count >= MAX_PROBES:
            return  # several were requested at once; the recording has those that were added
        image, paused = decode_image(request["image"]), self._paused
        first = step.step if paused else step.step + 1
        picture = AddedPicture(first, self._attempt, request["label"], image)
        moving = self._is_moving(step)
        writes = self._recorder.add_picture(step, picture, moving=moving, with_frame=paused)
        self._write_and_resume(writes)

    def _pause(self, step: Step, error: str | None = None) -> None:
        self._paused = True
        if self._save(step, status="paused", error=error):
            self._resume(stepping=self._stepping)

    def _resume(self, *, stepping: bool = False) -> None:
        self._paused, self._stepping = False, stepping
        self._recorder.pace.pause()
        self.disk_space.reset()
        if not stepping:
            self._write(lambda: self._writer.update(status="running", error=None))

    def _end(self, step: Step, status: str) -> str:
        if status == "finished":
            self._write(self._recorder.record_lap(step))
        self._save(step, status=status, error=None)
        return status

    def _save(self, step: Step, **columns: Any) -> bool:
        """Write a checkpoint, the step's frame and columns of the run; return as `_write` does."""
        return self._write(self._recorder.save(step, moving=self._is_moving(step), **columns))

    def _write_and_resume(self, writes: Callable[[], None]) -> None:
        """Write; if a full disk paused the run, go on as the user requested."""
        if self._write(writes):
            self._resume(stepping=self._stepping)

    def _write(self, writes: Callable[[], None]) -> bool:
        """Do `writes` in one transaction; if the disk is full, retry whenever the run is resumed.

        Returns:
            Whether the run was paused meanwhile.

        Raises:
            Detached: the run was stopped or detached while the disk was full.
        """
        was_paused = False
        while shortage := self.disk_space.write(writes):
            if self._detaching:
                raise Detached
            was_paused = True
            self._wait_for_space(shortage)
        return was_paused

    def _wait_for_space(self, error: str) -> None:
        """Record the pause as soon as it can be written; return when the run is resumed."""
        is_recorded = False
        while True:
            is_recorded = is_recorded or self.disk_space.update_run(status="paused", error=error)
            if not self._controls.has_request():
                time.sleep(FULL_DISK_INTERVAL)
                continue
            match self._controls.next_request():
                case {"action": "resume" | "step" as action}:
                    self._stepping = action == "step"
                    return
                case {"settings": _} | {"add_picture": _} as request:
                    self._postponed.append(request)
                case {"action": "stop"}:
                    self.disk_space.update_run(status="stopped", error=error)
                    raise Detached
                case {"action": "detach"}:
                    raise Detached


def warm_up() -> None:
    """Train one step of a default run and discard it: torch loads much only at first use."""
    config = RunConfig()
    dataset = load(config.dataset)
    steps = train(config, dataset)
    observe_step(next(steps), Probes.choose(dataset, config), run="warm-up", config=config)
    next(steps)


def record(
    path: Path, controls: Controls, quota: Quota | None = None, data: Path | None = None
) -> str:
    """Train a run into its recording; return how it ended.

    Args:
        path: the recording.
        controls: where requests come from.
        quota: limits of the recording and of all recordings; the default ones if left out.
        data: the data folder, for data sets that are read from files.

    Returns:
        `finished`, `stopped`, `failed` (the recording has the reason) or `interrupted`.

    Raises:
        Conflict: another process trains it.
    """
    try:
        with _open(path, controls) as writer:
            return _train(writer, controls, quota or Quota(), data)
    except Detached:
        return "interrupted"


def _open(path: Path, controls: Controls) -> RecordingWriter:
    """Open the recording; while the disk is full, retry until the run is stopped or detached."""
    while True:
        try:
            return RecordingWriter.open(path)
        except InsufficientStorage:
            if controls.has_request() and controls.next_request()["action"] in ("stop", "detach"):
                raise Detached from None
            time.sleep(FULL_DISK_INTERVAL)


def _train(writer: RecordingWriter, controls: Controls, quota: Quota, data: Path | None) -> str:
    try:
        session = Session(writer, controls, quota, data)
        with session.disk_space:
            return session.train()
    except Detached:
        raise
    except Exception as error:
        writer.update(status="failed", error=str(error) or type(error).__name__)
        if isinstance(error, FloatingPointError | StnscopeError):
            return "failed"
        raise


def _state_of(checkpoint: Checkpoint | None) -> dict[str, torch.Tensor] | None:
    if checkpoint is None:
        return None
    # Arrays that were read from the file are read-only; training needs a copy.
    return {name: torch.from_numpy(array.copy()) for name, array in checkpoint.tensors.items()}
