"""Record training steps: metrics, frames and, at intervals, checkpoints.

The methods return writes as a function, so that the session can repeat them if the disk was full.
Those of several steps are for one transaction.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from stnscope.backend.experiment.frames.frame_metrics import (
    Metrics,
    finite,
    frame_metrics,
    is_mostly_collapsed,
)
from stnscope.backend.experiment.probes.run_probes import RunProbes
from stnscope.backend.experiment.progress import begins_tenth
from stnscope.backend.experiment.recording.records import (
    MACHINE,
    SECONDS,
    AddedPicture,
    Checkpoint,
)
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.runs.pace import Pace
from stnscope.backend.experiment.training.loop import Step

CHECKPOINT_INTERVAL = 8.0
"""Seconds."""

Writes = Callable[[], None]
"""Performs the writes of one transaction."""


class StepRecorder:
    """Records the steps of one attempt of a run.

    Args:
        writer: the writer of the run's recording.
        probes: the probes of the run.
        attempt: index of the attempt; 0 before the run is first resumed.
        seconds: duration of the training before this attempt.
        machine: what it is trained on, as a JSON object.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        probes: RunProbes,
        attempt: int,
        seconds: float,
        machine: Mapping[str, Any],
    ) -> None:
        self.pace = Pace(training_seconds=seconds)
        self._machine = machine
        self._writer = writer
        self._probes = probes
        self._attempt = attempt
        run = writer.summary()
        self._steps: int = run["steps"]
        self._steps_per_epoch: int = run["steps_per_epoch"]
        self._latest: tuple[int, Metrics] = (-1, {})
        """The step that was recorded last, and its metrics."""
        self._has_frame = self._has_checkpoint = False
        """Whether that step has a frame, and a checkpoint."""
        self._unwritten: list[Writes] = []
        """The writes of recorded steps."""
        self._columns: dict[str, Any] = {}
        """What these steps change of the run's row."""

    @property
    def has_unwritten(self) -> bool:
        """Whether steps were recorded whose writes have not been taken."""
        return bool(self._unwritten)

    def record(self, step: Step, *, moving: bool, with_frame: bool) -> None:
        """Record a step, and observe it if a frame is due.

        Args:
            step: the step to record.
            moving: whether the probes move.
            with_frame: whether to record a frame even if none is due.
        """
        now = time.monotonic()
        self.pace.add_step(now)
        is_kept = self._is_kept(step.step)
        has_frame = self.pace.frames.is_due(now) or is_kept or with_frame
        metrics = self._metrics(step)
        self._columns |= {
            "step": step.step,
            "loss": finite(step.loss),
            "accuracy": step.accuracy,
            "validated_step": step.validated_step,
        }
        frame = None
        if has_frame:
            frame = self._probes.frame(step, moving=moving)
            metrics |= frame_metrics(frame)
            self._columns["stillness"] = frame.info["stillness"]
            self._columns["collapsed"] = is_mostly_collapsed(frame.info["collapsed"])
        self._latest = (step.step, metrics)
        self._has_frame = has_frame
        checkpoint = None
        if now - self.pace.checkpoint_time >= CHECKPOINT_INTERVAL:
            checkpoint = self._checkpoint(step)
        self._has_checkpoint = checkpoint is not None

        def write() -> None:
            self._writer.add_step(step.step, self._attempt, metrics)
            if frame is not None:
                kept = is_kept or checkpoint is not None
                self._writer.add_frame(frame, attempt=self._attempt, kept=kept)
            if checkpoint is not None:
                self._writer.add_checkpoint(checkpoint)

        self._unwritten.append(write)

    def take_writes(self) -> Writes:
        """Return the writes of all steps that were recorded since the last call."""
        unwritten, columns = self._unwritten, self._columns
        self._unwritten, self._columns = [], {}
        self.pace.write_time = time.monotonic()

        def write() -> None:
            for writes in unwritten:
                writes()
            if columns:
                self._writer.update(**columns)

        return write

    def is_write_due(self) -> bool:
        """Whether the writes of the latest steps must not wait for those of later ones."""
        return self._has_frame or self._has_checkpoint or self.pace.is_write_due()

    def save(self, step: Step, *, moving: bool, **columns: Any) -> Writes:
        """Return the writes of a checkpoint, the step's frame, and `columns` of the run."""
        has_frame = self._probes.has_frame(step)
        checkpoint = self._checkpoint(step)

        def write() -> None:
            if has_frame:
                self._writer.keep_frame(step.step)
            else:
                self._add_frame(step, moving=moving)
            self._writer.add_checkpoint(checkpoint)
            if columns:
                self._writer.update(**columns)

        return write

    def add_picture(
        self, step: Step, picture: AddedPicture, *, moving: bool, with_frame: bool
    ) -> Writes:
        """Add a picture to the probes; return its writes, `with_frame` also those of a frame."""
        self._probes.add_picture(picture)

        def write() -> None:
            self._writer.add_picture(picture)
            if with_frame:
                self._add_frame(step, moving=moving)

        return write

    def record_lap(self, step: Step) -> Writes:
        """Return the writes of the closing lap: one period of the path, with constant weights."""
        frames = self._probes.lap_frames(step)

        def write() -> None:
            for frame in frames:
                self._writer.add_frame(frame, attempt=self._attempt, kept=True)
            self._writer.update(stillness=frames[-1].info["stillness"])

        return write

    def _add_frame(self, step: Step, *, moving: bool) -> None:
        """Write a frame of a step that is already recorded, and add its metrics to the step's."""
        frame = self._probes.frame(step, moving=moving)
        self._writer.add_frame(frame, attempt=self._attempt, kept=True)
        latest_step, metrics = self._latest
        if latest_step == step.step:
            self._writer.add_step(step.step, self._attempt, metrics | frame_metrics(frame))

    def _metrics(self, step: Step) -> Metrics:
        return {
            "time": time.time(),
            "epoch": step.epoch,
            "loss": finite(step.loss),
            "accuracy": step.accuracy if step.validated_step == step.step else None,
            "learning_rate": step.learning_rate,
            "steps_per_second": self.pace.steps_per_second,
        }

    def _is_kept(self, step: int) -> bool:
        """Whether thinning must not drop its frame: step 0, first of a tenth, or the last step."""
        per_epoch = self._steps_per_epoch
        return step in (0, self._steps) or begins_tenth(step, per_epoch)

    def _checkpoint(self, step: Step) -> Checkpoint:
        self.pace.checkpoint_time = time.monotonic()
        tensors = {name: tensor.numpy(force=True) for name, tensor in step.state().items()}
        info = {
            "accuracy": step.accuracy,
            "validated_step": step.validated_step,
            SECONDS: round(self.pace.training_seconds, 1),
            MACHINE: self._machine,
        }
        return Checkpoint(step.step, self._attempt, info, tensors)
