"""Writing a recording: its creation, and its one writer, which holds its lock."""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout
from safetensors.numpy import save as save_tensors

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import Conflict, InsufficientStorage, NotFound
from stnscope.backend.experiment.frames.frame import Frame, content_key
from stnscope.backend.experiment.recording.quota import raising_insufficient_storage
from stnscope.backend.experiment.recording.reader import (
    AddedPicture,
    Change,
    Checkpoint,
    Recording,
    check,
    is_old,
    lock_of,
)
from stnscope.backend.experiment.recording.schema import (
    APPLICATION_ID,
    METRICS,
    SCHEMA,
    SCHEMA_VERSION,
    UPGRADE,
)

KEPT_CHECKPOINTS = 2
LARGE_CHECKPOINT = 200_000_000
"""Bytes from which on two would take much of a recording's room."""
LOOKS_A_DROP = 32
"""Frames looked at for each that may be dropped: looking is cheap, letting pages go is not."""


class RecordingWriter(Recording):
    """A recording opened by its one writer, which holds the lock until it is closed."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock) -> None:
        super().__init__(path, connection)
        self._lock = lock
        self._learn_inputs()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens a recording for writing.

        Raises:
            Conflict: another process is writing to it.
            InsufficientStorage: the disk is full.
        """
        if not path.is_file():
            raise NotFound(f"There is no recording {path.stem}.")
        lock = lock_of(path)
        try:
            lock.acquire(timeout=2)
        except Timeout:
            raise Conflict(f"Run {path.stem} is being trained by another process.") from None
        try:
            with raising_insufficient_storage():
                return cls(path, _prepared(path), lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        # A recording at rest is a single plain file; where a reader is at work, or the disk full,
        # SQLite keeps both.
        with suppress(InsufficientStorage), raising_insufficient_storage(), _ignoring_busy():
            self._db.execute("PRAGMA busy_timeout = 0")
            self._db.execute("PRAGMA journal_mode = DELETE")
        super().close()
        self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside becomes visible at once or not at all.

        Raises:
            InsufficientStorage: the disk is full, and nothing was written.
        """
        try:
            with raising_insufficient_storage():
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
        except BaseException:
            # On a full disk SQLite may have rolled back by itself.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._learn_inputs()
            raise

    def _learn_inputs(self) -> None:
        self._known_inputs = {row[0] for row in self._db.execute("SELECT key FROM inputs")}

    def update(self, **columns: Any) -> None:
        """Sets columns of the run's row."""
        names = ", ".join(f"{name} = ?" for name in columns)
        with raising_insufficient_storage():
            self._db.execute(f"UPDATE run SET {names}", tuple(columns.values()))

    def add_step(self, step: int, attempt: int, metrics: Mapping[str, float | None]) -> None:
        """Adds, or on a later attempt replaces, the metrics of one step."""
        values = [metrics.get(name) for name in METRICS]
        marks = ", ".join("?" * (2 + len(METRICS)))
        self._db.execute(
            f"INSERT OR REPLACE INTO steps (step, attempt, {', '.join(METRICS)}) VALUES ({marks})",
            (step, attempt, *values),
        )

    def add_frame(self, frame: Frame, *, attempt: int, kept: bool) -> None:
        """Adds a frame; `kept` ones outlive thinning. Its input is stored once by content."""
        images = frame.tensors["input"]
        key = content_key(images)
        if key not in self._known_inputs:
            data = save_tensors({"input": np.ascontiguousarray(images)})
            self._db.execute("INSERT OR IGNORE INTO inputs VALUES (?, ?)", (key, data))
            self._known_inputs.add(key)
        info = frame.info
        self._db.execute(
            "INSERT OR REPLACE INTO frames (step, lap, attempt, moving, kept, input, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                info["step"],
                info.get("lap"),
                attempt,
                bool(info.get("moving")),
                kept,
                key,
                frame.without_input().encode(),
            ),
        )

    def keep_frame(self, step: int) -> None:
        """Lets the frame recorded at `step` outlive thinning."""
        self._db.execute("UPDATE frames SET kept = 1 WHERE step = ? AND lap IS NULL", (step,))

    def add_change(self, change: Change) -> None:
        """Adds settings that were changed by hand, before they take effect."""
        self._db.execute(
            "INSERT INTO changes (step, attempt, time, settings) VALUES (?, ?, ?, ?)",
            (change.step, change.attempt, time.time(), json.dumps(change.settings.given)),
        )

    def add_joined(self, joined: AddedPicture) -> None:
        """Adds a picture that joins the probes, before it is seen in any frame."""
        data = save_tensors({"image": np.ascontiguousarray(joined.image)})
        self._db.execute(
            "INSERT INTO joined (step, attempt, time, label, data) VALUES (?, ?, ?, ?, ?)",
            (joined.step, joined.attempt, time.time(), json.dumps(joined.label), data),
        )

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Adds a checkpoint and lets go of all but the newest few, or of large ones the newest."""
        tensors = {name: np.ascontiguousarray(t) for name, t in checkpoint.tensors.items()}
        saved = save_tensors(tensors)
        self._db.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?)",
            (
                checkpoint.step,
                checkpoint.attempt,
                time.time(),
                json.dumps(dict(checkpoint.info)),
                saved,
            ),
        )
        self._db.execute(
            "DELETE FROM checkpoints WHERE step NOT IN"
            " (SELECT step FROM checkpoints ORDER BY attempt DESC, step DESC LIMIT ?)",
            (KEPT_CHECKPOINTS if len(saved) < LARGE_CHECKPOINT else 1,),
        )

    def live_bytes(self) -> int:
        """The recording's size without the pages that wait to be used again."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def drop_frames(self, *, after: int, before: int, stride: int, most: int) -> int | None:
        """Drops a few ordinary frames, but for each `stride`-th written, from the oldest on.

        The frame of the last step stays, whatever it is.

        Args:
            after: look only at frames whose `seq` is greater.
            before: look only at frames whose `seq` is less, such as the newest frame's.
            stride: frames whose `seq` is a multiple of it stay.
            most: how many frames to drop at most; many more are looked at.

        Returns:
            The `seq` to go on after, or None where no frames are left to look at.
        """
        seen = self._db.execute(
            "SELECT seq, input, seq % ? != 0 AND NOT kept AND step < (SELECT max(step) FROM frames)"
            " FROM frames WHERE seq > ? AND seq < ?"
            " ORDER BY seq LIMIT ?",
            (stride, after, before, LOOKS_A_DROP * most),
        ).fetchall()
        dropped = [(seq, key) for seq, key, droppable in seen if droppable][:most]
        self._db.executemany("DELETE FROM frames WHERE seq = ?", [(seq,) for seq, _ in dropped])
        self._drop_inputs({key for _, key in dropped})
        if len(dropped) == most:
            return int(dropped[-1][0])
        return seen[-1][0] if seen else None

    def _drop_inputs(self, keys: Collection[str]) -> None:
        """Drops those of the inputs that no frame shows any more."""
        for key in keys:
            gone = self._db.execute(
                "DELETE FROM inputs WHERE key = ?"
                " AND NOT EXISTS (SELECT 1 FROM frames WHERE input = inputs.key)",
                (key,),
            ).rowcount
            if gone:
                self._known_inputs.discard(key)

    def keep_only(self, steps: Collection[int]) -> None:
        """Lets go of all but the frames of `steps`: of the lap, of checkpoints, of their room."""
        with self.transaction():
            marks = ", ".join("?" * len(steps))
            self._db.execute(
                f"DELETE FROM frames WHERE lap IS NOT NULL OR step NOT IN ({marks})", tuple(steps)
            )
            self._db.execute("DELETE FROM checkpoints")
            self._db.execute("DELETE FROM inputs WHERE key NOT IN (SELECT input FROM frames)")
        self._db.execute("VACUUM")


SUFFIXES = ("", "-wal", "-shm", "-journal")
"""Of the files that SQLite keeps for one database."""


def create(
    path: Path, *, config: RunConfig, steps_per_epoch: int, demonstration: bool = False
) -> None:
    """Creates a queued run's recording; the file's stem is the run's id.

    Raises:
        Conflict: the file exists.
        InsufficientStorage: the disk is full.
    """
    if path.exists():
        raise Conflict(f"There is a recording {path.stem} already.")
    row = {
        "id": path.stem,
        "created": time.time(),
        "config": config.model_dump_json(),
        "demonstration": demonstration,
        "steps_per_epoch": steps_per_epoch,
        "status": "queued",
    }
    # Made aside and renamed, so that nobody ever opens half a recording.
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    try:
        with raising_insufficient_storage(), closing(_connect(draft)) as connection:
            _fill(connection, row)
    except BaseException:
        for suffix in SUFFIXES:
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
        raise
    draft.rename(path)


def _fill(connection: sqlite3.Connection, run: Mapping[str, Any]) -> None:
    connection.executescript(SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    marks = ", ".join("?" * len(run))
    connection.execute(f"INSERT INTO run ({', '.join(run)}) VALUES ({marks})", tuple(run.values()))
    connection.execute("PRAGMA journal_mode = DELETE")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; only a loss of power may cost the last moments.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepared(path: Path) -> sqlite3.Connection:
    """A connection to a recording, to write through; an older file is brought up to date."""
    connection = _connect(path)
    try:
        check(connection, path)
        if is_old(connection):
            connection.executescript(UPGRADE)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _ignoring_busy() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
