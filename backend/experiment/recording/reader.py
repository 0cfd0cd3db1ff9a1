"""Read a recording: one append-only SQLite file per run, written by its trainer only.

The writer holds a lock beside the recording: a run that has not ended and whose lock is free was
interrupted. `recording.schema` defines the tables; columns that an older version lacks are read as
their defaults.
"""

import json
import logging
import math
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from safetensors.numpy import load as load_tensors

from stnscope.backend.experiment.config import (
    LiveSettings,
    RunConfig,
    SettingsChange,
    WatchConfig,
    WatchedSettings,
)
from stnscope.backend.experiment.errors import (
    Conflict,
    NotFound,
    RecordingError,
    RecordingUnavailable,
)
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.limits import MAX_METRIC_ROWS, MAX_SCALARS, MAX_STEPS
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.progress import epoch_of
from stnscope.backend.experiment.recording.connection import (
    connect,
    connect_for_reading,
    version_of,
)
from stnscope.backend.experiment.recording.lock import has_writer
from stnscope.backend.experiment.recording.recording_errors import (
    check_is_file,
    damaged,
    raising_recording_errors,
)
from stnscope.backend.experiment.recording.records import (
    AddedPicture,
    Change,
    Checkpoint,
    CheckpointRef,
    FrameRef,
    StoredFrame,
)
from stnscope.backend.experiment.recording.run_row import MAX_ERROR_LENGTH, StoredRunRow
from stnscope.backend.experiment.recording.schema import (
    METRICS,
    RUN_COLUMNS,
    SCALARS,
    absent_columns,
    parse_config,
    parse_scalars,
)
from stnscope.backend.experiment.run_status import LIVE, TRAINING

log = logging.getLogger(__name__)

SUFFIX = ".stnscope"
LOCK_SECONDS = 5.0
"""How long a query waits while another program locks the recording."""

ROWS_PER_INTERVAL = 5
"""Rows that `sampled_metrics` selects of one interval of steps at most."""

ADDED_PICTURES_VERSION = 2
"""The first version that has pictures that were added to the probes."""
SCALARS_VERSION = 3
"""The first version that has further metrics."""

Columns = dict[str, Any]
"""Columns of equal length, by name; under `SCALARS` a mapping of further ones."""

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound="Recording")


def _reading(
    method: Callable[Concatenate[R, P], T],
) -> Callable[Concatenate[R, P], T]:
    """Convert what a method raises because of the file; see `raising_recording_errors`."""

    @wraps(method)
    def read(self: R, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with raising_recording_errors(self.path):
            return method(self, *args, **kwargs)

    return read


class Recording:
    """A recording opened for reading. Every query is a separate, short read transaction.

    Whatever the file does, every method raises RecordingError (see `recording_errors`), and
    nothing else but NotFound and InsufficientStorage.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self._last_input: tuple[str, Array] | None = None

    @classmethod
    def open(cls, path: Path, *, lock_seconds: float = LOCK_SECONDS) -> Self:
        """Open a recording.

        Args:
            path: the recording.
            lock_seconds: how long a query may wait while another program locks the recording.

        Raises:
            NotFound: there is no such file.
            RecordingError: the file is not a recording, is damaged or of a later version, or
                cannot be read.
        """
        check_is_file(path)
        with raising_recording_errors(path):
            return cls(path, connect_for_reading(path, lock_seconds))

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @_reading
    def data_version(self) -> int:
        """Return a number that changes when another connection writes; a cheap query."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    @_reading
    def summary(self, *, check_writer: bool = True) -> dict[str, Any]:
        """Return the run as in the HTTP interface; `interrupted` if it has lost its writer.

        Args:
            check_writer: whether to check for the writer; not needed just after a write.
        """
        row = self._run_row()
        run = StoredRunRow.model_validate(row)
        first, last, frames = self.connection.execute(
            "SELECT (SELECT min(step) FROM frames), (SELECT max(step) FROM frames), count(*)"
            " FROM frames"
        ).fetchone()
        self._check_counts("frames", [step for step in (first, last) if step is not None])
        status: str = run.status
        config, per_epoch = run.config, run.steps_per_epoch
        is_watched = isinstance(config, WatchConfig)
        # A watched run is not queued: its program holds the lock from the beginning.
        with_trainer = LIVE if is_watched else TRAINING
        if check_writer and status in with_trainer and not has_writer(self.path):
            status = self._status_without_writer(with_trainer)
        changes = (change.settings for change in self.changes())
        settings = (
            WatchedSettings.of(changes)
            if isinstance(config, WatchConfig)
            else LiveSettings.of(config, changes)
        )
        added_at = self._added_at()
        return row | {
            "status": status,
            "config": parse_config(row["config"]),
            "error": run.error and run.error[:MAX_ERROR_LENGTH],
            "settings": settings and settings.model_dump(),
            "watched": is_watched,
            "demonstration": bool(run.demonstration),
            "collapsed": bool(run.collapsed),
            "imported": bool(run.imported),
            "epoch": per_epoch and epoch_of(run.step, per_epoch),
            "epochs": config.epochs,
            "steps": config.epochs and per_epoch and config.epochs * per_epoch,
            "probes": run.config.probes.count + len(added_at),
            "added_at": added_at,
            "first_step": first,
            "last_step": last,
            "frames": frames,
        }

    def _run_row(self) -> dict[str, Any]:
        """Return the row of the run; columns that an older version lacks have their defaults."""
        names = self._selected("run", RUN_COLUMNS)
        rows = self.connection.execute(f"SELECT {names} FROM run LIMIT 2").fetchall()
        if len(rows) != 1:
            raise damaged(self.path, f"it contains {'several runs' if rows else 'no run'}")
        return dict(zip(RUN_COLUMNS, rows[0], strict=True))

    def _status_without_writer(self, with_trainer: Collection[str]) -> str:
        # A writer that ended after the first query has written its final status.
        status: str = self.connection.execute("SELECT status FROM run").fetchone()[0]
        return "interrupted" if status in with_trainer else status

    @_reading
    def config(self) -> RunConfig:
        """Return the configuration of a run that is trained here.

        Raises:
            Conflict: the run is only watched.
        """
        config = StoredRunRow.model_validate(self._run_row()).config
        if isinstance(config, WatchConfig):
            raise Conflict(
                f"Run {display_name(self.path.stem)} is trained by a program of its own, which "
                "recorded it; there is no configuration to train it here."
            )
        return config

    @_reading
    def changes(self) -> list[Change]:
        """Return the changes of settings, in the order in which they take effect."""
        rows = self.connection.execute(
            "SELECT step, attempt, settings FROM changes ORDER BY step, seq"
        ).fetchall()
        for step, attempt, _ in rows:
            self._check_counts("changes", (step, attempt))
        return [
            Change(step, attempt, SettingsChange.model_validate_json(settings))
            for step, attempt, settings in rows
        ]

    @_reading
    def added_pictures(self) -> list[AddedPicture]:
        """Return the pictures that were added to the probes, in the order of the probes."""
        if version_of(self.connection) < ADDED_PICTURES_VERSION:
            return []
        rows = self.connection.execute(
            "SELECT step, attempt, label, data FROM joined ORDER BY step, seq"
        )
        return [
            AddedPicture(step, attempt, json.loads(label), load_tensors(data)["image"])
            for step, attempt, label, data in rows
        ]

    def _added_at(self) -> list[int]:
        if version_of(self.connection) < ADDED_PICTURES_VERSION:
            return []
        rows = self.connection.execute("SELECT step FROM joined ORDER BY step, seq").fetchall()
        steps = [step for (step,) in rows]
        self._check_counts("joined", steps)
        return steps

    @_reading
    def frames(self) -> list[FrameRef]:
        """Return all recorded frames, by step; those of a lap follow the frame of their step."""
        rows = self.connection.execute(
            "SELECT seq, step, lap, moving FROM frames ORDER BY step, lap"
        ).fetchall()
        self._check_counts("frames", [row[1] for row in rows])
        self._check_counts("frames", [row[2] for row in rows if row[2] is not None])
        return [_ref(row) for row in rows]

    @_reading
    def frame_steps(self, after: int | None = None) -> list[int]:
        """Return the steps that have a frame and are greater than `after`, in order."""
        rows = self.connection.execute(
            "SELECT step FROM frames WHERE lap IS NULL AND step > ? ORDER BY step",
            (-1 if after is None else after,),
        ).fetchall()
        steps = [step for (step,) in rows]
        self._check_counts("frames", steps)
        return steps

    @_reading
    def frame_count(self, until: int | None = None) -> int:
        """Return how many steps up to `until` have a frame; 0 for None."""
        (count,) = self.connection.execute(
            "SELECT count(*) FROM frames WHERE lap IS NULL AND step <= ?",
            (-1 if until is None else until,),
        ).fetchone()
        return int(count)

    @_reading
    def lap_frames(self) -> list[tuple[int, int]]:
        """Return step and index of the closing lap's frames, in order."""
        rows: list[tuple[int, int]] = self.connection.execute(
            "SELECT step, lap FROM frames WHERE lap NOTNULL ORDER BY step, lap"
        ).fetchall()
        self._check_counts("frames", [number for row in rows for number in row])
        return rows

    @_reading
    def newest_frame(self, after: int = 0) -> StoredFrame | None:
        """Return the frame that was written last, if its `seq` is above `after`; laps excluded."""
        return self._stored("lap IS NULL AND seq > ? ORDER BY seq DESC", after)

    @_reading
    def frame(self, step: int, lap: int | None = None) -> Frame:
        """Return the nearest frame at or before `step`, else the first, with its input.

        Args:
            step: optimiser steps done.
            lap: index in the closing lap; then the frame must be exactly this one.

        Raises:
            NotFound: no such frame is recorded.
        """
        if lap is not None:
            stored = self._stored("step = ? AND lap = ?", step, lap)
        else:
            stored = self._stored("lap IS NULL AND step <= ? ORDER BY step DESC", step)
            stored = stored or self._stored("lap IS NULL ORDER BY step")
        if stored is None:
            raise NotFound("No such frame is recorded; the first one is recorded at step 0.")
        return self._with_input(stored)

    @_reading
    def encoded_frame(self, step: int, lap: int | None = None) -> bytes:
        """Return the bytes of what `frame` returns."""
        return self.frame(step, lap).encode()

    @_reading
    def encode_with_input(self, stored: StoredFrame) -> bytes:
        """Return the bytes of a stored frame with its input."""
        return self._with_input(stored).encode()

    def _with_input(self, stored: StoredFrame) -> Frame:
        return Frame.decode(stored.data).with_input(self.input(stored.input_key))

    @_reading
    def input(self, key: str) -> Array:
        """Return an input by its key: the probes' images (N, H, W, C) uint8, not to be changed."""
        # Most frames in a row have one input; its key is that of its content.
        if self._last_input is not None and self._last_input[0] == key:
            return self._last_input[1]
        row = self.connection.execute("SELECT data FROM inputs WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise damaged(self.path, "the input of a frame is missing")
        images = load_tensors(row[0])["input"]
        self._last_input = key, images
        return images

    @_reading
    def metrics(
        self, after: int | None = None, every: int = 1, limit: int = MAX_METRIC_ROWS
    ) -> Columns:
        """Return columns over steps: `step` and all of `METRICS`; None if there is no value.

        Under `scalars`, a mapping has those of further metrics.

        Args:
            after: return only steps greater than this.
            every: return only steps that are multiples of this.
            limit: return at most this many rows; those of the first steps.
        """
        return self._metrics(
            "WHERE step > ? AND step % ? = 0 ORDER BY step LIMIT ?",
            (-1 if after is None else after, every, limit),
        )

    @_reading
    def new_metrics(
        self, seq: int, after: int | None = None, limit: int = MAX_METRIC_ROWS
    ) -> Columns:
        """Return the rows of `metrics` that were written after row `seq`, in that order.

        Args:
            seq: the number of the last row that is known.
            after: return only steps greater than this.
            limit: return at most this many rows; those that were written first.
        """
        # By `seq`, SQLite finds the new rows without reading the others.
        return self._metrics(
            "WHERE seq > ? AND step > ? ORDER BY seq LIMIT ?",
            (seq, -1 if after is None else after, limit),
        )

    @_reading
    def sampled_metrics(self, points: int, after: int | None = None) -> Columns:
        """Return rows of `metrics` that show the course of a run of any length.

        The steps are divided into intervals of equal length. Of each, the rows are returned that
        have the last step, the last accuracy, the lowest and the highest loss, and the frame with
        most collapsed regions; also the last, lowest and highest value of each further metric: no
        peak is lost, nor what is measured rarely.

        Args:
            points: return at most this many rows, or those of two intervals if they are more.
            after: return only steps greater than this.
        """
        known = -1 if after is None else after
        first, last = self.connection.execute(
            "SELECT (SELECT min(step) FROM steps WHERE step > ?1),"
            " (SELECT max(step) FROM steps WHERE step > ?1)",
            (known,),
        ).fetchone()
        if first is None:
            return self._metrics("WHERE 0", ())
        self._check_counts("steps", [first, last])
        if last - first < points:
            return self.metrics(after=after, limit=points)
        # Files of an older version have no further metrics.
        has_scalars = version_of(self.connection) >= SCALARS_VERSION and self._is_watched()
        # The first and the last interval may be cut off, so that there is one more.
        span = -(-(last - first + 1) // max(1, points // ROWS_PER_INTERVAL - 1))
        while True:
            steps = self._outstanding_steps(known, span, with_scalars=has_scalars)
            if len(steps) <= max(points, 2 * ROWS_PER_INTERVAL) or span > last - first:
                break
            span *= -(-len(steps) // points)
        return self._metrics(
            "WHERE step IN (SELECT value FROM json_each(?)) ORDER BY step", (json.dumps(steps),)
        )

    @_reading
    def mean_metrics(self, names: Sequence[str], span: int) -> Columns:
        """Return means over intervals of steps: `interval`, from 0 on, and a column for each name.

        Args:
            names: some of `METRICS` that every version has.
            span: the length of an interval in steps; the first one begins with step 1.
        """
        means = ", ".join(f"avg({name})" for name in names)
        rows = self.connection.execute(
            f"SELECT (step - 1) / ? AS interval, {means} FROM steps WHERE step > 0"
            " GROUP BY interval ORDER BY interval",
            (span,),
        ).fetchall()
        columns = zip(*rows, strict=True) if rows else [()] * (1 + len(names))
        intervals, *values = map(list, columns)
        self._check_counts("steps", intervals)
        return {"interval": intervals} | dict(zip(names, map(_only_numbers, values), strict=True))

    def _is_watched(self) -> bool:
        return isinstance(StoredRunRow.model_validate(self._run_row()).config, WatchConfig)

    def _outstanding_steps(self, after: int, span: int, *, with_scalars: bool) -> list[int]:
        """Return the steps that show the course of each interval, in any order.

        Args:
            after: return only steps greater than this.
            span: the length of an interval in steps.
            with_scalars: whether to include further metrics, which takes longer.
        """
        collapsed = self._selected("steps", ["collapsed"])
        queries = [
            "SELECT max(step) AS step FROM steps WHERE {in_range} GROUP BY {interval}",
            "SELECT max(step) FROM steps WHERE accuracy NOTNULL AND {in_range} GROUP BY {interval}",
            *(
                f"SELECT step FROM (SELECT step, {extreme} FROM steps"
                f" WHERE {value} NOTNULL AND {{in_range}} GROUP BY {{interval}})"
                for extreme, value in (
                    ("min(loss)", "loss"),
                    ("max(loss)", "loss"),
                    (f"max(coalesce({collapsed}, 0))", f"coalesce({collapsed}, scale, stillness)"),
                )
            ),
        ]
        if with_scalars:
            # What is no JSON, in a damaged file, is left out as elsewhere.
            values = f"json_each(iif(json_valid({SCALARS}), {SCALARS}, '{{{{}}}}'))"
            queries += [
                f"SELECT step FROM (SELECT step, {extreme} FROM steps, {values}"
                " WHERE {in_range} GROUP BY {interval}, key)"
                for extreme in ("max(step)", "min(value)", "max(value)")
            ]
        query = " UNION ".join(queries).format(in_range="step > ?1", interval="step / ?2")
        return [step for (step,) in self.connection.execute(query, (after, span))]

    def _metrics(self, selection: str, values: tuple[int | str, ...]) -> Columns:
        names = ("seq", "step", "attempt", *METRICS, SCALARS)
        rows = self.connection.execute(
            f"SELECT {self._selected('steps', names)} FROM steps {selection}", values
        ).fetchall()
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        metrics: Columns = {name: list(column) for name, column in zip(names, columns, strict=True)}
        for name in ("seq", "step", "attempt"):
            self._check_counts("steps", metrics[name])
        metrics |= {name: _only_numbers(metrics[name]) for name in METRICS}
        return metrics | {SCALARS: _scalar_columns(metrics[SCALARS])}

    @_reading
    def checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint that is not damaged.

        Raises:
            RecordingError: all are damaged, or the file cannot be read.
        """
        steps = self.connection.execute(
            "SELECT step FROM checkpoints ORDER BY attempt DESC, step DESC"
        ).fetchall()
        for [step] in steps[:-1]:
            try:
                return self._checkpoint(step)
            except RecordingUnavailable:
                raise
            except RecordingError as error:
                log.warning("The checkpoint of step %d cannot be used. %s", step, error)
        return self._checkpoint(steps[-1][0]) if steps else None

    @_reading
    def checkpoints(self) -> list[CheckpointRef]:
        """Return which checkpoints there are, the newest last."""
        rows = self.connection.execute(
            "SELECT step, attempt FROM checkpoints ORDER BY attempt, step"
        ).fetchall()
        for row in rows:
            self._check_counts("checkpoints", row)
        return [CheckpointRef(step, attempt) for step, attempt in rows]

    def checkpoint_at(self, step: int) -> Checkpoint:
        """Return the checkpoint of a step.

        Raises:
            NotFound: there is none any more; a newer one has taken its place.
        """
        if all(each.step != step for each in self.checkpoints()):
            raise NotFound(f"The checkpoint of step {step} is not kept any more.")
        return self._checkpoint(step)

    @_reading
    def _checkpoint(self, step: int) -> Checkpoint:
        step, attempt, info, data = self.connection.execute(
            "SELECT step, attempt, info, data FROM checkpoints WHERE step = ?", (step,)
        ).fetchone()
        self._check_counts("checkpoints", [step, attempt])
        return Checkpoint(step, attempt, json.loads(info), load_tensors(data))

    def _check_counts(self, table: str, values: Sequence[object]) -> None:
        """Check that values are numbers of steps, rows or attempts: SQLite columns hold anything.

        Raises:
            RecordingError: one is not.
        """
        if values and not (
            set(map(type, values)) == {int} and min(values) >= 0 and max(values) <= MAX_STEPS  # type: ignore[type-var,operator]
        ):
            raise damaged(self.path, f"the table {table} has an invalid count")

    def _selected(self, table: str, names: Iterable[str]) -> str:
        """Return the columns to select, with defaults for those that an older file lacks."""
        # Checked for each query: a writer may upgrade the file while it is read.
        absent = absent_columns(version_of(self.connection), table)
        return ", ".join(absent.get(name, name) for name in names)

    def _stored(self, where: str, *values: int) -> StoredFrame | None:
        row = self.connection.execute(
            f"SELECT seq, step, lap, moving, input, data FROM frames WHERE {where} LIMIT 1", values
        ).fetchone()
        if row is None:
            return None
        self._check_counts("frames", [row[1]] if row[2] is None else [row[1], row[2]])
        if not (isinstance(row[4], str) and isinstance(row[5], bytes)):
            raise damaged(self.path, f"the frame of step {row[1]} is not a frame")
        return StoredFrame(_ref(row[:4]), row[4], row[5])


def copy_recording(path: Path, target: Path) -> None:
    """Copy a recording to one file; the copy is consistent even while it is written to.

    A damaged recording is copied too, as far as it can be read.

    Raises:
        NotFound: there is no such file.
        RecordingError: it is not a file, locked, or may not be read.
        InsufficientStorage: the disk of `target` is full.
    """
    check_is_file(path)
    with raising_recording_errors(path):
        try:
            _back_up(path, target)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
            shutil.copyfile(path, target)


def _back_up(path: Path, target: Path) -> None:
    with (
        closing(connect(path, "mode=ro", LOCK_SECONDS)) as connection,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        connection.backup(copy, pages=1024, sleep=0)
        copy.execute("PRAGMA journal_mode = DELETE")


def _only_numbers(column: list[Any]) -> list[float | None]:
    """Return a column of metrics, with None for what is not a finite number in a damaged file."""
    # The sum of finite numbers of a metric's size is finite.
    if set(map(type, column)) <= {float, type(None)} and math.isfinite(sum(filter(None, column))):
        return column
    return [v if isinstance(v, float) and math.isfinite(v) else None for v in column]


def _scalar_columns(texts: list[Any]) -> dict[str, list[float | None]]:
    """Return the columns of further metrics, by name, from the JSON of each row."""
    if not any(texts):
        return {}
    rows = [parse_scalars(text) for text in texts]
    names = list(dict.fromkeys(name for row in rows for name in row))[:MAX_SCALARS]
    return {name: [row.get(name) for row in rows] for name in names}


def _ref(row: tuple[int, int, int | None, int]) -> FrameRef:
    return FrameRef(row[0], row[1], row[2], bool(row[3]))
