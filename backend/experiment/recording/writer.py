"""Create and write a recording; its only writer holds the lock, but for the name."""

import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout
from safetensors.numpy import save as save_tensors

from stnscope.backend.experiment.config import RunConfig, WatchConfig
from stnscope.backend.experiment.errors import Conflict, StnscopeError
from stnscope.backend.experiment.frames.frame import Frame, content_key
from stnscope.backend.experiment.os_errors import display_name, translate_os_error
from stnscope.backend.experiment.recording.connection import (
    check_is_recording,
    version_of,
)
from stnscope.backend.experiment.recording.lock import has_writer, lock_path, writer_lock
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.recording_errors import (
    check_is_file,
    raising_recording_errors,
    raising_write_errors,
)
from stnscope.backend.experiment.recording.records import AddedPicture, Change, Checkpoint
from stnscope.backend.experiment.recording.schema import (
    APPLICATION_ID,
    METRICS,
    SCALARS,
    SCHEMA,
    SCHEMA_VERSION,
    upgrade_to,
)

LOCK_TIMEOUT = 2.0
"""Seconds in which another process may release the lock."""
WRITE_LOCK_SECONDS = 10.0
"""How long a write waits while another program locks the recording."""
TRAINING_LOCK_SECONDS = 60.0
"""The same while a run is trained, which can wait."""
MAX_CHECKPOINTS = 2
LARGE_CHECKPOINT_BYTES = 200_000_000
"""Only one checkpoint of this size or larger is stored, to save space."""
MAX_SCANNED_PER_DROP = 32
"""Frames scanned per frame to drop: scanning is cheap, freeing pages is not."""

ADD_STEP = (
    f"INSERT OR REPLACE INTO steps (step, attempt, {', '.join(METRICS)}, {SCALARS})"
    f" VALUES ({', '.join('?' * (3 + len(METRICS)))})"
)


class RecordingWriter(Recording):
    """A recording opened for writing; holds the lock until it is closed."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock) -> None:
        super().__init__(path, connection)
        self._lock = lock
        self.input_keys: set[str] = set()
        """Keys of the stored inputs."""
        self._read_input_keys()

    @classmethod
    def open(cls, path: Path, *, lock_seconds: float = WRITE_LOCK_SECONDS) -> Self:
        """Open a recording for writing.

        Args:
            path: the recording.
            lock_seconds: how long a write may wait while another program locks the recording.

        Raises:
            NotFound: there is no such file.
            RecordingError: the file is not a recording, is damaged or of a later version.
            Conflict: another process is writing to it, or its file system has no locks.
            AccessDenied: this user may not write its lock.
            InsufficientStorage: the disk is full.
        """
        check_is_file(path)
        lock = writer_lock(path)
        try:
            lock.acquire(timeout=LOCK_TIMEOUT)
        except Timeout:
            raise Conflict(
                f"Run {display_name(path.stem)} is being trained by another process."
            ) from None
        except OSError as error:
            raise translate_os_error(error, lock_path(path)) from error
        try:
            with raising_recording_errors(path):
                return cls(path, _connect_to_recording(path, lock_seconds), lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        # This makes the recording a single file. While it is being read, or if the disk is full,
        # SQLite keeps the write-ahead log instead.
        with suppress(StnscopeError), raising_write_errors(self.path):
            self.connection.execute("PRAGMA busy_timeout = 0")
            self.connection.execute("PRAGMA journal_mode = DELETE")
        super().close()
        self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the writes inside this context, or none of them if one fails.

        Raises:
            InsufficientStorage: the disk is full; nothing was written.
        """
        try:
            with raising_write_errors(self.path):
                self.connection.execute("BEGIN IMMEDIATE")
                yield
                self.connection.execute("COMMIT")
        except BaseException:
            # If the disk is full, SQLite may have rolled back already.
            with raising_write_errors(self.path):
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                self._read_input_keys()
            raise

    def _read_input_keys(self) -> None:
        self.input_keys = {row[0] for row in self.connection.execute("SELECT key FROM inputs")}

    def update(self, **columns: Any) -> None:
        """Set columns of the run's row."""
        names = ", ".join(f"{name} = ?" for name in columns)
        with raising_write_errors(self.path):
            self.connection.execute(f"UPDATE run SET {names}", tuple(columns.values()))

    def add_step(
        self,
        step: int,
        attempt: int,
        metrics: Mapping[str, float | None],
        scalars: Mapping[str, float] | None = None,
    ) -> None:
        """Add the metrics of a step; they replace those of an earlier attempt.

        Args:
            step: optimiser steps done.
            attempt: the attempt that recorded it.
            metrics: by the names of `METRICS`.
            scalars: further ones, of a loop that is not ours.
        """
        values = map(metrics.get, METRICS)
        further = json.dumps(scalars) if scalars else None
        self.connection.execute(ADD_STEP, (step, attempt, *values, further))

    def add_frame(self, frame: Frame, *, attempt: int, kept: bool) -> None:
        """Add a frame; equal inputs are stored once.

        Args:
            frame: with its input.
            attempt: the attempt that recorded it.
            kept: whether thinning must not drop it.
        """
        images = frame.tensors["input"]
        key = content_key(images)
        if key not in self.input_keys:
            data = save_tensors({"input": np.ascontiguousarray(images)})
            self.connection.execute("INSERT OR IGNORE INTO inputs VALUES (?, ?)", (key, data))
            self.input_keys.add(key)
        info = frame.info
        self.connection.execute(
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
        """Mark the frame of a step as `kept`, so that thinning does not drop it."""
        self.connection.execute(
            "UPDATE frames SET kept = 1 WHERE step = ? AND lap IS NULL", (step,)
        )

    def add_change(self, change: Change) -> None:
        """Add a change of settings; call this before it takes effect."""
        self.connection.execute(
            "INSERT INTO changes (step, attempt, time, settings) VALUES (?, ?, ?, ?)",
            (change.step, change.attempt, time.time(), json.dumps(change.settings.values)),
        )

    def add_picture(self, picture: AddedPicture) -> None:
        """Add a picture that becomes a probe; call this before a frame contains it."""
        data = save_tensors({"image": np.ascontiguousarray(picture.image)})
        self.connection.execute(
            "INSERT INTO joined (step, attempt, time, label, data) VALUES (?, ?, ?, ?, ?)",
            (picture.step, picture.attempt, time.time(), json.dumps(picture.label), data),
        )

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint and delete older ones; see `MAX_CHECKPOINTS`."""
        # `ascontiguousarray` would make a number an array of one.
        tensors = {name: np.asarray(t, order="C") for name, t in checkpoint.tensors.items()}
        saved = save_tensors(tensors)
        self.connection.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?)",
            (
                checkpoint.step,
                checkpoint.attempt,
                time.time(),
                json.dumps(dict(checkpoint.info)),
                saved,
            ),
        )
        self.delete_old_checkpoints()

    def delete_old_checkpoints(self) -> None:
        """Keep the newest checkpoints; see `MAX_CHECKPOINTS`."""
        newest = "FROM checkpoints ORDER BY attempt DESC, step DESC"
        self.connection.execute(
            f"DELETE FROM checkpoints WHERE step NOT IN (SELECT step {newest} LIMIT"
            f" iif((SELECT length(data) {newest} LIMIT 1) < ?, ?, 1))",
            (LARGE_CHECKPOINT_BYTES, MAX_CHECKPOINTS),
        )

    def live_bytes(self) -> int:
        """Return the size of the recording without its free pages."""
        pages, free, size = (
            self.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def drop_frames(self, *, after: int, before: int, stride: int, limit: int) -> int | None:
        """Drop some of the ordinary frames, oldest first.

        Frames that are marked as `kept` and the frame of the last step are not dropped.

        Args:
            after: drop only frames with a greater `seq`.
            before: drop only frames with a smaller `seq`.
            stride: do not drop frames whose `seq` is a multiple of this.
            limit: maximum number of frames to drop.

        Returns:
            The `seq` to continue after, or None if all frames were scanned.
        """
        scanned = self.connection.execute(
            "SELECT seq, input, seq % ? != 0 AND NOT kept AND step < (SELECT max(step) FROM frames)"
            " FROM frames WHERE seq > ? AND seq < ?"
            " ORDER BY seq LIMIT ?",
            (stride, after, before, MAX_SCANNED_PER_DROP * limit),
        ).fetchall()
        dropped = [(seq, key) for seq, key, is_droppable in scanned if is_droppable][:limit]
        self.connection.executemany(
            "DELETE FROM frames WHERE seq = ?", [(seq,) for seq, _ in dropped]
        )
        self._drop_unused_inputs({key for _, key in dropped})
        if len(dropped) == limit:
            return int(dropped[-1][0])
        return scanned[-1][0] if scanned else None

    def _drop_unused_inputs(self, keys: Collection[str]) -> None:
        """Delete those inputs that no frame refers to any more."""
        for key in keys:
            deleted = self.connection.execute(
                "DELETE FROM inputs WHERE key = ?"
                " AND NOT EXISTS (SELECT 1 FROM frames WHERE input = inputs.key)",
                (key,),
            ).rowcount
            if deleted:
                self.input_keys.discard(key)


DATABASE_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""Suffixes of all files that an SQLite database may have."""
CREATED_SUFFIX = ".new"
"""Suffix of a recording that is being created; a process that is killed meanwhile leaves it."""


def create(
    path: Path,
    *,
    config: RunConfig | WatchConfig,
    steps_per_epoch: int | None,
    demonstration: bool = False,
    name: str | None = None,
) -> None:
    """Create the recording of a queued run; the file's stem is the run's id.

    Args:
        path: the recording.
        config: of the run.
        steps_per_epoch: None if unknown, in a loop that is not ours.
        demonstration: whether the server starts it by itself.
        name: of the run; None if it has none.

    Raises:
        Conflict: the file exists, or its folder does not.
        RecordingDenied: this user may not write to the folder.
        InsufficientStorage: the disk is full.
    """
    if path.exists():
        raise Conflict(f"The recording {display_name(path.stem)} exists already.")
    if not path.parent.is_dir():
        raise Conflict(
            f"The folder {display_name(path.parent)} does not exist. If it was moved or deleted, "
            "restore it and start again."
        )
    row = {
        "id": path.stem,
        "created": time.time(),
        "config": config.model_dump_json(),
        "demonstration": demonstration,
        "steps_per_epoch": steps_per_epoch,
        "status": "queued",
        "name": name,
    }
    # It is renamed when it is complete, so that no reader opens a partial recording.
    draft = path.with_suffix(CREATED_SUFFIX)
    with raising_recording_errors(path):
        try:
            draft.unlink(missing_ok=True)
            with closing(connect_to_draft(draft)) as connection:
                write_schema(connection, row)
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            for suffix in DATABASE_SUFFIXES:
                with suppress(OSError):
                    draft.with_name(draft.name + suffix).unlink(missing_ok=True)
            raise


def write_schema(connection: sqlite3.Connection, run: Mapping[str, Any]) -> None:
    """Create the tables, and add the row of the run."""
    connection.executescript(SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    placeholders = ", ".join("?" * len(run))
    connection.execute(
        f"INSERT INTO run ({', '.join(run)}) VALUES ({placeholders})", tuple(run.values())
    )


def rename(path: Path, name: str | None) -> None:
    """Set or remove the name of a run; also while a trainer writes to the recording.

    Raises:
        NotFound: there is no such file.
        RecordingError: the file is not a recording, is damaged, of a later version or locked.
        Conflict: a trainer of an earlier version writes to it.
        InsufficientStorage: the disk is full.
    """
    if not has_writer(path):
        with RecordingWriter.open(path) as writer:
            writer.update(name=name)
        return
    with raising_recording_errors(path), closing(connect(path)) as connection:
        check_is_recording(connection, path)
        if version_of(connection) != SCHEMA_VERSION:
            raise Conflict(
                f"Run {display_name(path.stem)} is being trained by an earlier version of this "
                "program. Name it when it has ended."
            )
        # One value in one transaction, beside the holder of the lock: SQLite's own is enough.
        connection.execute("UPDATE run SET name = ?", (name,))


def mark_failed(path: Path, error: str) -> None:
    """Mark a queued run as failed without the lock, where a file system has no locks.

    Raises:
        RecordingError: the file cannot be written, or is not a recording.
    """
    check_is_file(path)
    with raising_recording_errors(path), closing(connect(path)) as connection:
        check_is_recording(connection, path)
        connection.execute(
            "UPDATE run SET status = 'failed', error = ? WHERE status = 'queued'", (error,)
        )


def connect(path: Path, lock_seconds: float = WRITE_LOCK_SECONDS) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=lock_seconds)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # No transaction is lost if the process is killed; the last may be lost if power fails.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_draft(path: Path) -> sqlite3.Connection:
    """Return a connection that waits for no disk: a draft that fails is deleted as a whole."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _connect_to_recording(path: Path, lock_seconds: float) -> sqlite3.Connection:
    """Return a connection for writing to a recording, after upgrading an older version."""
    connection = connect(path, lock_seconds)
    try:
        check_is_recording(connection, path)
        for version in range(version_of(connection) + 1, SCHEMA_VERSION + 1):
            connection.executescript(upgrade_to(version))
    except BaseException:
        connection.close()
        raise
    return connection
