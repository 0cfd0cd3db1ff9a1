"""Read a recording: one append-only SQLite file per run, written by its trainer only.

The writer holds a lock beside the recording: a run that has not ended and whose lock is free was
interrupted. `recording.schema` defines the tables; columns that an older version lacks are read as
their defaults.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from safetensors.numpy import load as load_tensors

from stnscope.backend.experiment.config import LiveSettings, RunConfig, SettingsChange
from stnscope.backend.experiment.errors import NotFound, RecordingError
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.progress import epoch_of
from stnscope.backend.experiment.recording.lock import has_writer
from stnscope.backend.experiment.recording.quota import raising_insufficient_storage
from stnscope.backend.experiment.recording.records import (
    AddedPicture,
    Change,
    Checkpoint,
    FrameRef,
    StoredFrame,
)
from stnscope.backend.experiment.recording.schema import (
    ABSENT,
    APPLICATION_ID,
    METRICS,
    OLDER_VERSIONS,
    RUN_COLUMNS,
    SCHEMA_VERSION,
    parse_config,
)
from stnscope.backend.experiment.run_status import TRAINING

SUFFIX = ".stnscope"


class Recording:
    """A recording opened for reading. Every query is a separate, short read transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a recording.

        Raises:
            NotFound: there is no such file.
            RecordingError: the file is not a recording, or is of another version.
        """
        if not path.is_file():
            raise NotFound(f"There is no recording {path.stem}.")
        # Several threads may use it, one at a time.
        connection = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
        )
        try:
            check_is_recording(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def data_version(self) -> int:
        """Return a number that changes when another connection writes; a cheap query."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def summary(self, *, check_writer: bool = True) -> dict[str, Any]:
        """Return the run as in the HTTP interface; `interrupted` if it has lost its writer.

        Args:
            check_writer: whether to check for the writer; not needed just after a write.
        """
        names = self._selected("run", RUN_COLUMNS)
        row = self.connection.execute(f"SELECT {names} FROM run").fetchone()
        run = dict(zip(RUN_COLUMNS, row, strict=True))
        first, last, frames = self.connection.execute(
            "SELECT (SELECT min(step) FROM frames), (SELECT max(step) FROM frames), count(*)"
            " FROM frames"
        ).fetchone()
        if check_writer and run["status"] in TRAINING and not has_writer(self.path):
            run["status"] = self._status_without_writer()
        config = parse_config(run["config"])
        settings = LiveSettings.of(
            RunConfig.model_validate(config), (change.settings for change in self.changes())
        )
        added_at = self._added_at()
        return run | {
            "config": config,
            "settings": settings.model_dump(),
            "demonstration": bool(run["demonstration"]),
            "collapsed": bool(run["collapsed"]),
            "imported": bool(run["imported"]),
            "epoch": epoch_of(run["step"], run["steps_per_epoch"]),
            "epochs": config["epochs"],
            "steps": config["epochs"] * run["steps_per_epoch"],
            "probes": config["probes"]["count"] + len(added_at),
            "added_at": added_at,
            "first_step": first,
            "last_step": last,
            "frames": frames,
        }

    def _status_without_writer(self) -> str:
        # A writer that ended after the first query has written its final status.
        status: str = self.connection.execute("SELECT status FROM run").fetchone()[0]
        return "interrupted" if status in TRAINING else status

    def config(self) -> RunConfig:
        stored = self.connection.execute("SELECT config FROM run").fetchone()[0]
        return RunConfig.model_validate(parse_config(stored))

    def changes(self) -> list[Change]:
        """Return the changes of settings, in the order in which they take effect."""
        rows = self.connection.execute(
            "SELECT step, attempt, settings FROM changes ORDER BY step, seq"
        )
        return [
            Change(step, attempt, SettingsChange.model_validate_json(settings))
            for step, attempt, settings in rows
        ]

    def added_pictures(self) -> list[AddedPicture]:
        """Return the pictures that were added to the probes, in the order of the probes."""
        if is_older_version(self.connection):
            return []
        rows = self.connection.execute(
            "SELECT step, attempt, label, data FROM joined ORDER BY step, seq"
        )
        return [
            AddedPicture(step, attempt, json.loads(label), load_tensors(data)["image"])
            for step, attempt, label, data in rows
        ]

    def _added_at(self) -> list[int]:
        if is_older_version(self.connection):
            return []
        return [
            step
            for (step,) in self.connection.execute("SELECT step FROM joined ORDER BY step, seq")
        ]

    def frames(self) -> list[FrameRef]:
        """Return all recorded frames, by step; those of a lap follow the frame of their step."""
        rows = self.connection.execute(
            "SELECT seq, step, lap, moving FROM frames ORDER BY step, lap"
        )
        return [_ref(row) for row in rows]

    def newest_frame(self, after: int = 0) -> StoredFrame | None:
        """Return the frame that was written last, if its `seq` is above `after`; laps excluded."""
        return self._stored("lap IS NULL AND seq > ? ORDER BY seq DESC", after)

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
        return Frame.decode(stored.data).with_input(self.input(stored.input_key))

    def input(self, key: str) -> Array:
        """Return an input by its key: the probes' images (N, H, W, C) uint8."""
        row = self.connection.execute("SELECT data FROM inputs WHERE key = ?", (key,)).fetchone()
        return load_tensors(row[0])["input"]

    def metrics(
        self, after: int | None = None, every: int = 1, seq: int | None = None
    ) -> dict[str, list[Any]]:
        """Return columns over steps: `step` and all of `METRICS`; None if there is no value.

        Args:
            after: return only steps greater than this.
            every: return only steps that are multiples of this.
            seq: return only rows written after this one.
        """
        names = ("seq", "step", "attempt", *METRICS)
        rows = self.connection.execute(
            f"SELECT {self._selected('steps', names)} FROM steps"
            " WHERE step > ? AND step % ? = 0 AND seq > ? ORDER BY step",
            (-1 if after is None else after, every, seq or 0),
        ).fetchall()
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return {name: list(column) for name, column in zip(names, columns, strict=True)}

    def checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint."""
        row = self.connection.execute(
            "SELECT step, attempt, info, data FROM checkpoints"
            " ORDER BY attempt DESC, step DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        return Checkpoint(row[0], row[1], json.loads(row[2]), load_tensors(row[3]))

    def copy_to(self, target: Path) -> None:
        """Copy the recording to one file; the copy is consistent even while it is written to.

        Raises:
            InsufficientStorage: the disk of `target` is full.
        """
        with (
            raising_insufficient_storage(),
            closing(sqlite3.connect(target, isolation_level=None)) as copy,
        ):
            self.connection.backup(copy, pages=1024, sleep=0)
            copy.execute("PRAGMA journal_mode = DELETE")

    def _selected(self, table: str, names: Iterable[str]) -> str:
        """Return the columns to select, with defaults for those that an older file lacks."""
        # Checked for each query: a writer may upgrade the file while it is read.
        absent = ABSENT[table] if is_older_version(self.connection) else {}
        return ", ".join(absent.get(name, name) for name in names)

    def _stored(self, where: str, *values: int) -> StoredFrame | None:
        row = self.connection.execute(
            f"SELECT seq, step, lap, moving, input, data FROM frames WHERE {where} LIMIT 1", values
        ).fetchone()
        return None if row is None else StoredFrame(_ref(row[:4]), row[4], row[5])


def check_is_recording(connection: sqlite3.Connection, path: Path) -> None:
    """Check that a database is a recording.

    Raises:
        RecordingError: it is not, or is of another version.
    """
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise  # another program has locked it
        raise RecordingError(f"{path.name} is not a recording: {error}.") from error
    if application != APPLICATION_ID:
        raise RecordingError(f"{path.name} is not a recording.")
    if version != SCHEMA_VERSION and version not in OLDER_VERSIONS:
        raise RecordingError(
            f"{path.name} is a recording of version {version}; this program reads those up to "
            f"{SCHEMA_VERSION}."
        )


def is_older_version(connection: sqlite3.Connection) -> bool:
    """Whether a recording is of an older version, which lacks columns and tables."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version in OLDER_VERSIONS


def _ref(row: tuple[int, int, int | None, int]) -> FrameRef:
    return FrameRef(row[0], row[1], row[2], bool(row[3]))
