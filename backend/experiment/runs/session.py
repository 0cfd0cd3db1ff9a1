"""Drives a training into its recording, and obeys who controls it.

One step goes: train -> probe when a frame is due -> one transaction -> what has been asked for.
The session knows neither processes nor sockets: requests come as a `Controls`, and everything
that anyone may look at goes into the recording.
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
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_PROBES
from stnscope.backend.experiment.probes.added_pictures import decode_image
from stnscope.backend.experiment.probes.observe import (
    Probes,
    collapsed_share,
    observe_step,
    theta_summary,
)
from stnscope.backend.experiment.probes.run_probes import RunProbes
from stnscope.backend.experiment.progress import tenths_of
from stnscope.backend.experiment.recording.disk_space import Room
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import AddedPicture, Change, Checkpoint
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.runs.controls import Controls, Left
from stnscope.backend.experiment.runs.pace import Pace
from stnscope.backend.experiment.training.loop import Step, train

CHECKPOINT_INTERVAL = 8.0
# Between two looks at what was asked for while the disk is full.
FULL_INTERVAL = 0.2


class Session:
    """One run being trained: its writer, its probes and its pace."""

    def __init__(
        self, writer: RecordingWriter, controls: Controls, bounds: Quota, data: Path | None = None
    ) -> None:
        self.writer = writer
        self.controls = controls
        self.room = Room(writer, bounds)
        self.data = data
        self.run = writer.summary()
        self.config = writer.config()
        self.unchanged = LiveSettings.of(self.config)
        self.attempt: int = self.run["attempt"]
        self.changes = writer.changes()
        self.pace = Pace()
        self.metrics: tuple[int, dict[str, float | None]] = (-1, {})
        """The step that was recorded last, and what of it."""
        self.paused = False
        self.stepping = False
        self.leaving = False
        self.postponed: list[Mapping[str, Any]] = []

    def train(self) -> str:
        """Trains to the end, or until stopped; answers with the final status."""
        torch.set_num_threads(self.config.threads)
        dataset = load(self.config.dataset, self.data)
        self._check_same(dataset)
        joined = self.writer.joined()
        self.watched = RunProbes(self.run["id"], self.config, dataset, joined)
        checkpoint = self.writer.checkpoint()
        if checkpoint is not None or self.run["frames"]:
            self.attempt += 1
        columns = {"status": "running", "attempt": self.attempt, "error": None}
        self._write(lambda: self.writer.update(**columns))
        step = None
        for step in train(self.config, dataset, _start(checkpoint), self._settings):
            if checkpoint is None or step.step > checkpoint.step:
                self._record(step)
            if step.loss is not None and not math.isfinite(step.loss):
                raise FloatingPointError(
                    f"The loss is not a number any more at step {step.step}. "
                    "A lower learning rate usually helps."
                )
            if shortage := self.room.shortage():
                self._pause(step, error=shortage)
            if self._obey(step) == "stop":
                return self._end(step, "stopped")
        assert step is not None, "a training yields at least its step 0"
        return self._end(step, "finished")

    def _settings(self, step: int) -> LiveSettings:
        """What is in effect in a step: the configuration, and all that was changed before."""
        before = [change.settings for change in self.changes if change.step < step]
        return LiveSettings.of(self.config, before) if before else self.unchanged

    def _check_same(self, dataset: Dataset) -> None:
        """Sees that a run that goes on does so with the data that it began with.

        Raises:
            DatasetError: it has other images or classes now.
        """
        each = steps_per_epoch(self.config, dataset.entry)
        classes = None
        if self.run["frames"]:
            classes = self.writer.frame(0).info["classes"]
        if each != self.run["steps_per_epoch"] or classes not in (None, [*dataset.entry.classes]):
            raise DatasetError(
                f"{dataset.entry.title} has other images or classes than when this run began. Put "
                "it back as it was, or start a new run."
            )

    def _record(self, step: Step) -> None:
        now = time.monotonic()
        self.pace.note_step(now)
        kept = self._is_kept(step.step)
        due = self.pace.frames.due(now) or kept or self.stepping
        metrics = self._metrics(step)
        run: dict[str, Any] = {
            "step": step.step,
            "loss": _finite(step.loss),
            "accuracy": step.accuracy,
            "validated_step": step.validated_step,
        }
        frame = None
        if due:
            frame = self._observe(step)
            metrics |= _told(frame)
            run["stillness"] = frame.info["stillness"]
            run["collapsed"] = _mostly_collapsed(frame.info["collapsed"])
        self.metrics = (step.step, metrics)
        checkpoint = None
        if now - self.pace.checkpointed >= CHECKPOINT_INTERVAL:
            checkpoint = self._checkpoint(step)

        def write() -> None:
            self.writer.add_step(step.step, self.attempt, metrics)
            if frame is not None:
                lasting = kept or checkpoint is not None
                self.writer.add_frame(frame, attempt=self.attempt, kept=lasting)
            if checkpoint is not None:
                self.writer.add_checkpoint(checkpoint)
            self.writer.update(**run)

        if self._write(write):
            self._go_on(stepping=self.stepping)

    def _observe(self, step: Step) -> Frame:
        return self.watched.frame(step, moving=self._settings(step.step).moving)

    def _metrics(self, step: Step) -> dict[str, float | None]:
        return {
            "time": time.time(),
            "epoch": step.epoch,
            "loss": _finite(step.loss),
            "accuracy": step.accuracy if step.validated_step == step.step else None,
            "learning_rate": step.learning_rate,
            "steps_per_second": self.pace.steps_per_second,
        }

    def _is_kept(self, step: int) -> bool:
        """Step 0, the first step at or after each tenth of an epoch, and the last."""
        each = self.run["steps_per_epoch"]
        first = step == 0 or tenths_of(step, each) != tenths_of(step - 1, each) % 10
        return first or step == self.run["steps"]

    def _checkpoint(self, step: Step) -> Checkpoint:
        self.pace.checkpointed = time.monotonic()
        tensors = {name: tensor.numpy(force=True) for name, tensor in step.state().items()}
        info = {"accuracy": step.accuracy, "validated_step": step.validated_step}
        return Checkpoint(step.step, self.attempt, info, tensors)

    def _obey(self, step: Step) -> str | None:
        """Carries out what was asked for; while paused, waits for more. Answers `stop` to stop."""
        if self.stepping:
            self.stepping = False
            if not self.paused:
                self._pause(step)
        while self.paused or self.postponed or self.controls.waiting(self._drawn_out(step)):
            match self.postponed.pop(0) if self.postponed else self.controls.take():
                case {"settings": dict(settings)}:
                    self._change(step, settings)
                case {"join": dict(picture)}:
                    self._join(step, picture)
                case {"action": "pause"} if not self.paused:
                    self._pause(step)
                case {"action": "resume"} if self.paused:
                    self._go_on()
                case {"action": "step"} if self.paused:
                    self._go_on(stepping=True)
                    return None
                case {"action": "stop"}:
                    return "stop"
                case {"action": "leave"}:
                    self.leaving = True
                    self._save(step)
                    raise Left
        return None

    def _drawn_out(self, step: Step) -> float:
        """Seconds that this step is to last from now on, in slow motion."""
        lasts = self._settings(step.step + 1).slow_motion
        return max(0.0, (self.pace.stepped or 0.0) + lasts - time.monotonic()) if lasts else 0.0

    def _change(self, step: Step, settings: Mapping[str, Any]) -> None:
        change = Change(step.step, self.attempt, SettingsChange.model_validate(settings))
        if self._write(lambda: self.writer.add_change(change)):
            self._go_on(stepping=self.stepping)
        # Those of later steps, recorded before the run was taken up here, stay behind it.
        self.changes = sorted([*self.changes, change], key=lambda each: each.step)

    def _join(self, step: Step, picture: Mapping[str, Any]) -> None:
        """Lets a picture join from the next frame on: while paused that is one more of this step.

        Args:
            picture: its `label`, and under `image` what `decode_image` reads.
        """
        if self.watched.count >= MAX_PROBES:
            return  # several were asked for at once; the recording shows which ones came in
        image, paused = decode_image(picture["image"]), self.paused
        first = step.step if paused else step.step + 1
        joined = AddedPicture(first, self.attempt, picture["label"], image)
        self.watched.add_picture(joined)

        def write() -> None:
            self.writer.add_joined(joined)
            if paused:
                self._add_resting(step)

        if self._write(write):
            self._go_on(stepping=self.stepping)

    def _pause(self, step: Step, error: str | None = None) -> None:
        self.paused = True
        if self._save(step, status="paused", error=error):
            self._go_on(stepping=self.stepping)

    def _go_on(self, *, stepping: bool = False) -> None:
        self.paused, self.stepping = False, stepping
        self.pace.hold()
        self.room.go_on()
        if not stepping:
            self._write(lambda: self.writer.update(status="running", error=None))

    def _end(self, step: Step, status: str) -> str:
        if status == "finished":
            self._record_lap(step)
        self._save(step, status=status, error=None)
        return status

    def _record_lap(self, step: Step) -> None:
        """Lets the probes move once round while the weights stand still."""
        frames = self.watched.lap_frames(step)

        def write() -> None:
            for frame in frames:
                self.writer.add_frame(frame, attempt=self.attempt, kept=True)
            self.writer.update(stillness=frames[-1].info["stillness"])

        self._write(write)

    def _save(self, step: Step, **columns: Any) -> bool:
        """Writes a checkpoint, and the frame of the very step that the run rests at."""
        recorded = self.watched.has_frame(step)
        checkpoint = self._checkpoint(step)

        def write() -> None:
            if recorded:
                self.writer.keep_frame(step.step)
            else:
                self._add_resting(step)
            self.writer.add_checkpoint(checkpoint)
            if columns:
                self.writer.update(**columns)

        return self._write(write)

    def _add_resting(self, step: Step) -> None:
        """Adds the frame of a step that the run rests at, and what it tells to the metrics."""
        frame = self._observe(step)
        self.writer.add_frame(frame, attempt=self.attempt, kept=True)
        recorded, metrics = self.metrics
        if recorded == step.step:
            self.writer.add_step(step.step, self.attempt, metrics | _told(frame))

    def _write(self, work: Callable[[], None]) -> bool:
        """Does `work` in one transaction; on a full disk again and again, whenever resumed.

        Returns:
            Whether the run has been paused over it.

        Raises:
            Left: it was stopped or left while there was no room.
        """
        held = False
        while shortage := self.room.write(work):
            if self.leaving:
                raise Left
            held = True
            self._await_room(shortage)
        return held

    def _await_room(self, why: str) -> None:
        """Tells of the pause as soon as that can be written, and returns when resumed."""
        told = False
        while True:
            told = told or self.room.tell(status="paused", error=why)
            if not self.controls.waiting():
                time.sleep(FULL_INTERVAL)
                continue
            match self.controls.take():
                case {"action": "resume" | "step" as action}:
                    self.stepping = action == "step"
                    return
                case {"settings": _} | {"join": _} as request:
                    self.postponed.append(request)
                case {"action": "stop"}:
                    self.room.tell(status="stopped", error=why)
                    raise Left
                case {"action": "leave"}:
                    raise Left


def warm_up() -> None:
    """Takes one step of a default run and forgets it: torch loads much only when first used."""
    config = RunConfig()
    dataset = load(config.dataset)
    steps = train(config, dataset)
    observe_step(next(steps), Probes.choose(dataset, config), run="rehearsal", config=config)
    next(steps)


def record(
    path: Path, controls: Controls, bounds: Quota | None = None, data: Path | None = None
) -> str:
    """Trains the run at `path` into its recording; answers with how it ended.

    Args:
        path: the recording.
        controls: where requests come from.
        bounds: the room for this recording and those beside it; the default one if left out.
        data: where data sets lie that are no part of the program.

    Returns:
        `finished`, `stopped`, `failed` (the recording says why) or `interrupted`.

    Raises:
        Conflict: another process trains it.
    """
    try:
        with _open(path, controls) as writer:
            return _train(writer, controls, bounds or Quota(), data)
    except Left:
        return "interrupted"


def _open(path: Path, controls: Controls) -> RecordingWriter:
    """Opens the recording; on a full disk, which leaves nowhere to say so, waits for room."""
    while True:
        try:
            return RecordingWriter.open(path)
        except InsufficientStorage:
            if controls.waiting() and controls.take()["action"] in ("stop", "leave"):
                raise Left from None
            time.sleep(FULL_INTERVAL)


def _train(writer: RecordingWriter, controls: Controls, bounds: Quota, data: Path | None) -> str:
    try:
        session = Session(writer, controls, bounds, data)
        with session.room:
            return session.train()
    except Left:
        raise
    except Exception as error:
        writer.update(status="failed", error=str(error) or type(error).__name__)
        if isinstance(error, FloatingPointError | StnscopeError):
            return "failed"
        raise


def _start(checkpoint: Checkpoint | None) -> dict[str, torch.Tensor] | None:
    if checkpoint is None:
        return None
    # What was read from the file cannot be written to; training goes on in a copy.
    return {name: torch.from_numpy(array.copy()) for name, array in checkpoint.tensors.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _told(frame: Frame) -> dict[str, float | None]:
    """What a frame adds to the metrics of its step."""
    summary = {"stillness": frame.info["stillness"], **theta_summary(frame)}
    told = {name: _finite(value) for name, value in summary.items()}
    return told | {"collapsed": collapsed_share(frame)}


def _mostly_collapsed(collapsed: Mapping[str, list[str | None]]) -> bool:
    """Whether some transformer has collapsed on at least half of the probes."""
    return any(
        2 * sum(reason is not None for reason in reasons) >= len(reasons)
        for reasons in collapsed.values()
    )
