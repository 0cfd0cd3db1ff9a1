"""Write the recording of a watched run in a thread, so that its loop never waits for the disk."""

import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.frame_metrics import (
    Metrics,
    finite,
    frame_metrics,
    is_mostly_collapsed,
)
from stnscope.backend.experiment.recording.disk_space import DiskSpace
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.records import Change
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.runs.pace import WRITE_INTERVAL

MAX_PENDING_FRAMES = 2
"""While the disk is slow, further frames are left out, or waited for; metrics are not."""
MAX_PENDING_STEPS = 100_000
"""Steps that are kept for writing while the disk is full."""
RETRY_INTERVAL = 1.0
"""Seconds between two attempts to write to a full disk."""
JOIN_SECONDS = 30.0
"""How long the end of a run waits for its last writes."""

Value = float | Tensor | None


@dataclass(frozen=True, eq=False)
class StepRecord:
    """What is recorded of one step.

    Attributes:
        step: optimiser steps done.
        metrics: fixed ones by name; tensors of one element are read when they are written.
        scalars: further ones by name.
        frame: of the probes, if one was due.
        is_kept: whether thinning must not drop the frame.
    """

    step: int
    metrics: Mapping[str, Value]
    scalars: Mapping[str, Value]
    frame: Frame | None = None
    is_kept: bool = False


@dataclass(frozen=True)
class RunColumns:
    """Columns of the run that change between two steps."""

    columns: Mapping[str, Any]


Record = StepRecord | Change | RunColumns


class RecordingThread:
    """Writes one recording; the thread that it starts is the only one that touches the file.

    Args:
        path: the recording, which exists.
        quota: limits on the recording and on all recordings.

    Raises:
        RecordingError, Conflict, AccessDenied, InsufficientStorage: it cannot be written.
    """

    def __init__(self, path: Path, quota: Quota) -> None:
        self._path = path
        self._quota = quota
        self._pending: deque[Record] = deque()
        self._pending_frames = 0
        self._added = self._taken = self._written = 0
        """Counts of records."""
        self._end: dict[str, Any] | None = None
        """Columns of the run at its end."""
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._is_open = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stnscope-recording", daemon=True)
        self._thread.start()
        self._is_open.wait()
        if self._error is not None:
            raise self._error

    @property
    def is_alive(self) -> bool:
        """Whether what is added is still recorded."""
        return self._thread.is_alive()

    def has_space(self, timeout: float = 0.0) -> bool:
        """Whether another frame can be added; waits for that up to `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(self._has_space, timeout)

    def _has_space(self) -> bool:
        return self._pending_frames < MAX_PENDING_FRAMES or not self.is_alive

    def add(self, record: Record) -> None:
        """Add what is to be recorded; it is written within `WRITE_INTERVAL`."""
        with self._changed:
            if self.is_alive and len(self._pending) < MAX_PENDING_STEPS:
                self._pending.append(record)
                self._added += 1
                self._pending_frames += isinstance(record, StepRecord) and record.frame is not None
                # Not for each step: the thread that writes would take time from the loop.
                if len(self._pending) == 1 or self._is_urgent():
                    self._changed.notify_all()

    def flush(self, timeout: float = JOIN_SECONDS) -> bool:
        """Wait until what was added is written; return whether it is."""
        with self._changed:
            added = self._added
            return self._changed.wait_for(lambda: self._written >= added, timeout)

    def close(self, status: str, error: str | None) -> None:
        """Write what is pending and how the run ended; wait for it."""
        with self._changed:
            self._end = {"status": status, "error": error}
            self._changed.notify_all()
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            with (
                RecordingWriter.open(self._path) as writer,
                DiskSpace(writer, self._quota) as disk_space,
            ):
                disk_space.write(lambda: writer.update(status="running"))
                self._is_open.set()
                _Writes(writer, disk_space, self._take).run()
        except Exception as error:
            if not self._is_open.is_set():
                self._error = error
            else:
                reason = str(error) if isinstance(error, StnscopeError) else repr(error)
                warnings.warn(f"Recording of {self._path.stem} ended: {reason}", stacklevel=1)
        finally:
            self._is_open.set()

    def _is_urgent(self) -> bool:
        return self._end is not None or not self._has_space()

    def _take(self, timeout: float | None) -> tuple[list[Record], dict[str, Any] | None]:
        """Wait for records or the end; return those so far, and the columns of the end."""
        with self._changed:
            # Earlier writes are complete by now.
            self._written = self._taken
            self._changed.notify_all()
            if not self._pending and self._end is None:
                self._changed.wait(timeout)
            if self._end is None:
                # Steps that follow within the interval share its transaction.
                self._changed.wait_for(self._is_urgent, WRITE_INTERVAL)
            records = list(self._pending)
            self._taken += len(records)
            self._pending.clear()
            self._pending_frames = 0
            self._changed.notify_all()
            return records, self._end


class _Writes:
    """The writes of one recording, in order, until its end."""

    def __init__(
        self,
        writer: RecordingWriter,
        disk_space: DiskSpace,
        take: Callable[[float | None], tuple[list[Record], dict[str, Any] | None]],
    ) -> None:
        self._writer = writer
        self._disk_space = disk_space
        self._take = take
        self._unwritten: list[Record] = []
        self._accuracy: float | None = None
        """The latest."""
        self._shortage: str | None = None

    def run(self) -> None:
        end = None
        while end is None:
            records, end = self._take(RETRY_INTERVAL if self._unwritten else None)
            self._write([*self._unwritten, *records])
        columns = end
        self._disk_space.write(lambda: self._writer.update(**columns)) and (
            self._disk_space.update_run(**columns)
        )

    def _write(self, records: list[Record]) -> None:
        """Write records in one transaction; keep all but the frames that a full disk refuses."""
        if not records:
            return
        shortage = self._disk_space.make_space() or self._disk_space.write(
            lambda: self._add(records)
        )
        if shortage:
            self._report(shortage)
            self._unwritten = [_without_frame(record) for record in records][-MAX_PENDING_STEPS:]
            time.sleep(WRITE_INTERVAL)
            return
        self._unwritten = []
        if self._shortage:
            self._shortage = None
            self._disk_space.reset()
            self._disk_space.write(lambda: self._writer.update(error=None))

    def _report(self, shortage: str) -> None:
        if self._shortage is None:
            self._disk_space.update_run(error=shortage)
            warnings.warn(
                f"Frames are not recorded for now; training goes on. {shortage}", stacklevel=1
            )
        self._shortage = shortage

    def _add(self, records: list[Record]) -> None:
        columns: dict[str, Any] = {}
        for record in records:
            match record:
                case StepRecord():
                    columns |= self._add_step(record)
                case RunColumns():
                    columns |= record.columns
                case Change():
                    self._writer.add_change(record)
        if columns:
            self._writer.update(**columns)

    def _add_step(self, record: StepRecord) -> dict[str, Any]:
        """Add a step; return the columns of the run that it changes."""
        metrics = {name: _number(value) for name, value in record.metrics.items()}
        scalars = {name: _number(value) for name, value in record.scalars.items()}
        columns = _columns(record, metrics)
        self._accuracy = columns.get("accuracy", self._accuracy)
        if record.frame is not None:
            info = {"loss": metrics.get("loss"), "accuracy": self._accuracy}
            frame = record.frame.with_info(**info)
            metrics |= frame_metrics(frame)
            columns["collapsed"] = is_mostly_collapsed(frame.info["collapsed"])
            self._writer.add_frame(frame, attempt=0, kept=record.is_kept)
        known = {name: value for name, value in scalars.items() if value is not None}
        self._writer.add_step(record.step, 0, metrics, known or None)
        return columns


def _columns(record: StepRecord, metrics: Metrics) -> dict[str, Any]:
    """Return the columns of the run that a step changes."""
    columns: dict[str, Any] = {"step": record.step}
    if metrics.get("loss") is not None:
        columns["loss"] = metrics["loss"]
    accuracy = metrics.get("accuracy")
    if accuracy is not None and 0 <= accuracy <= 1:
        columns |= {"accuracy": accuracy, "validated_step": record.step}
    return columns


def _without_frame(record: Record) -> Record:
    return replace(record, frame=None) if isinstance(record, StepRecord) else record


def _number(value: Value) -> float | None:
    """Return a scalar as a number, waiting for its device; None if it is not finite."""
    if isinstance(value, Tensor):
        value = float(value.mean())
    return finite(value)
