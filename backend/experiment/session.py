"""Drives a training into its recording, and obeys who controls it.

One step goes: train -> probe when a frame is due -> one transaction -> what has been asked for.
The session knows neither processes nor sockets: requests come as a `Controls`, and everything
that anyone may look at goes into the recording.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from backend.experiment.config import LiveSettings, RunConfig, SettingsChange
from backend.experiment.datasets import load
from backend.experiment.frame import Frame
from backend.experiment.probe import LAP, Probes, observe, theta_summary
from backend.experiment.recording import Change, Checkpoint, RecordingWriter, tenths_of
from backend.experiment.stillness import WINDOW, Stillness
from backend.experiment.training import Step, train

FRAME_INTERVAL = 1 / 20
CHECKPOINT_INTERVAL = 8.0


class Controls(Protocol):
    """Where requests come from.

    Each is `{"action": ...}` with an action of `ACTIONS`, or `{"settings": ...}` with what is to
    be changed.
    """

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether a request has come that was not taken yet; waits for one so long."""

    def take(self) -> Mapping[str, Any]:
        """The next request; waits for one. `leave` is what a lost controller amounts to."""


class Uncontrolled:
    """Nobody asks for anything: a run trained from the command line."""

    def waiting(self, seconds: float = 0.0) -> bool:
        time.sleep(seconds)
        return False

    def take(self) -> Mapping[str, Any]:
        raise RuntimeError("There is nobody to wait for.")


class Left(Exception):
    """The session ends here without the run having ended; it can be gone on with."""


class Cadence:
    """Says when something is due that is to happen so often a second on average, and no more.

    Steps seldom end just when a frame is due; what one comes late, the next may come early.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = -math.inf

    def due(self, now: float) -> bool:
        """Whether it is due at `now`, in seconds; it then counts as done."""
        if now < self._next:
            return False
        late = now - self._next
        self._next = (self._next if late < self._interval else now) + self._interval
        return True


@dataclass
class _Pace:
    """When the last checkpoint was made, when frames are due, and how fast the steps go."""

    frames: Cadence = field(default_factory=lambda: Cadence(FRAME_INTERVAL))
    checkpointed: float = field(default_factory=time.monotonic)
    stepped: float | None = None
    steps_per_second: float | None = None

    def note_step(self, now: float) -> None:
        if self.stepped is not None and now > self.stepped:
            rate = 1 / (now - self.stepped)
            before = self.steps_per_second
            self.steps_per_second = rate if before is None else 0.9 * before + 0.1 * rate
        self.stepped = now

    def hold(self) -> None:
        """Time that is spent paused counts for nothing."""
        self.stepped = None


class Session:
    """One run being trained: its writer, its probes and its pace."""

    def __init__(self, writer: RecordingWriter, controls: Controls) -> None:
        self.writer = writer
        self.controls = controls
        self.run = writer.summary()
        self.config = writer.config()
        self.attempt: int = self.run["attempt"]
        self.changes = writer.changes()
        self.stillness = Stillness()
        self.pace = _Pace()
        self.frame: Frame | None = None
        self.paused = False
        self.stepping = False

    def train(self) -> str:
        """Trains to the end, or until stopped; answers with the final status."""
        torch.set_num_threads(self.config.threads)
        dataset = load(self.config.dataset)
        self.probes = Probes.choose(dataset, self.config)
        checkpoint = self.writer.checkpoint()
        if checkpoint is not None or self.run["frames"]:
            self.attempt += 1
        self.writer.update(status="running", attempt=self.attempt, error=None)
        step = None
        for step in train(self.config, dataset, _start(checkpoint), self._settings):
            if checkpoint is None or step.step > checkpoint.step:
                self._record(step)
            if step.loss is not None and not math.isfinite(step.loss):
                raise FloatingPointError(
                    f"The loss is not a number any more at step {step.step}. "
                    "A lower learning rate usually helps."
                )
            if self._obey(step) == "stop":
                return self._end(step, "stopped")
        assert step is not None, "a training yields at least its step 0"
        return self._end(step, "finished")

    def _settings(self, step: int) -> LiveSettings:
        """What is in effect in a step: the configuration, and all that was changed before."""
        before = (change.settings for change in self.changes if change.step < step)
        return LiveSettings.of(self.config, before)

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
            summary = {"stillness": frame.info["stillness"], **theta_summary(frame)}
            metrics |= {name: _finite(value) for name, value in summary.items()}
            run["stillness"] = frame.info["stillness"]
            run["collapsed"] = _mostly_collapsed(frame.info["collapsed"])
        checkpoint = None
        if now - self.pace.checkpointed >= CHECKPOINT_INTERVAL:
            checkpoint = self._checkpoint(step)
        with self.writer.transaction():
            self.writer.add_step(step.step, self.attempt, metrics)
            if frame is not None:
                kept = kept or checkpoint is not None
                self.writer.add_frame(frame, attempt=self.attempt, kept=kept)
            if checkpoint is not None:
                self.writer.add_checkpoint(checkpoint)
            self.writer.update(**run)

    def _observe(self, step: Step) -> Frame:
        """The frame of a step; the same one, however often it is asked for."""
        if self.frame is None or self.frame.info["step"] != step.step:
            frame = observe(
                step,
                self.probes,
                run=self.run["id"],
                config=self.config,
                moving=self._settings(step.step).moving,
            )
            self.frame = frame.saying(stillness=self.stillness.add(frame))
        return self.frame

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
            self._pause(step)
        while self.paused or self.controls.waiting(self._drawn_out(step)):
            match self.controls.take():
                case {"settings": dict(settings)}:
                    self._change(step, SettingsChange.model_validate(settings))
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
                    self._save(step)
                    raise Left
        return None

    def _drawn_out(self, step: Step) -> float:
        """Seconds that this step is to last from now on, in slow motion."""
        lasts = self._settings(step.step + 1).slow_motion
        return max(0.0, (self.pace.stepped or 0.0) + lasts - time.monotonic()) if lasts else 0.0

    def _change(self, step: Step, settings: SettingsChange) -> None:
        change = Change(step.step, self.attempt, settings)
        self.writer.add_change(change)
        # Those of later steps, recorded before the run was taken up here, stay behind it.
        self.changes = sorted([*self.changes, change], key=lambda each: each.step)

    def _pause(self, step: Step) -> None:
        self.paused = True
        self._save(step, status="paused")

    def _go_on(self, *, stepping: bool = False) -> None:
        self.paused, self.stepping = False, stepping
        self.pace.hold()
        if not stepping:
            self.writer.update(status="running")

    def _end(self, step: Step, status: str) -> str:
        if status == "finished":
            self._record_lap(step)
        self._save(step, status=status)
        return status

    def _record_lap(self, step: Step) -> None:
        """Lets the probes move once round while the weights stand still."""
        frames = [
            observe(step, self.probes, run=self.run["id"], config=self.config, lap=number)
            for number in range(LAP)
        ]
        stillness = Stillness()
        for frame in frames[1 - WINDOW :]:  # the lap is closed: its end comes before its start
            stillness.add(frame)
        frames = [frame.saying(stillness=stillness.add(frame)) for frame in frames]
        with self.writer.transaction():
            for frame in frames:
                self.writer.add_frame(frame, attempt=self.attempt, kept=True)
            self.writer.update(stillness=frames[-1].info["stillness"])

    def _save(self, step: Step, **columns: Any) -> None:
        """Writes a checkpoint, and the frame of the very step that the run rests at."""
        recorded = self.frame is not None and self.frame.info["step"] == step.step
        frame = self._observe(step)
        with self.writer.transaction():
            if recorded:
                self.writer.keep_frame(step.step)
            else:
                self.writer.add_frame(frame, attempt=self.attempt, kept=True)
            self.writer.add_checkpoint(self._checkpoint(step))
            if columns:
                self.writer.update(**columns)


def rehearse() -> None:
    """Takes one step of a default run and forgets it: torch loads much only when first used."""
    config = RunConfig()
    dataset = load(config.dataset)
    steps = train(config, dataset)
    observe(next(steps), Probes.choose(dataset, config), run="rehearsal", config=config)
    next(steps)


def record(path: Path, controls: Controls) -> str:
    """Trains the run at `path` into its recording; answers with how it ended.

    Returns:
        `finished`, `stopped`, `failed` (the recording says why) or `interrupted`.

    Raises:
        Conflict: another process trains it.
    """
    with RecordingWriter.open(path) as writer:
        try:
            return Session(writer, controls).train()
        except Left:
            return "interrupted"
        except Exception as error:
            writer.update(status="failed", error=str(error) or type(error).__name__)
            if isinstance(error, FloatingPointError):
                return "failed"
            raise


def _start(checkpoint: Checkpoint | None) -> dict[str, torch.Tensor] | None:
    if checkpoint is None:
        return None
    # What was read from the file cannot be written to; training goes on in a copy.
    return {name: torch.from_numpy(array.copy()) for name, array in checkpoint.tensors.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _mostly_collapsed(collapsed: Mapping[str, list[str | None]]) -> bool:
    """Whether some transformer has collapsed on at least half of the probes."""
    return any(
        2 * sum(reason is not None for reason in reasons) >= len(reasons)
        for reasons in collapsed.values()
    )
