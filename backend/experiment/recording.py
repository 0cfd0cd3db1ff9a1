"""A run as one append-only SQLite file: the trainer writes it, everyone else reads.

    run          one row: who it is, what it is made of, how far it is
    steps        one row of metrics per optimiser step
    frames       what could be seen, without the input
    inputs       the probes' images, once by content
    checkpoints  enough to go on from (the newest two)
    changes      what was set by hand while it trained, from which step on

`seq` rises with every row written, also when a step that is run again replaces its row, so
"newer than the last I saw" is one comparison. The writer holds a lock file beside the recording:
a run that has not ended and whose lock is free was interrupted.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from filelock import FileLock, Timeout
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from backend.experiment.bounds import telling_full_disk
from backend.experiment.config import LiveSettings, RunConfig, SettingsChange
from backend.experiment.errors import Conflict, NoRoom, NotFound, RecordingError
from backend.experiment.frame import Array, Frame, content_key

SUFFIX = ".stnscope"
APPLICATION_ID = 0x53544E31  # "STN1", so that `file` and we recognise a recording
SCHEMA_VERSION = 1
KEPT_CHECKPOINTS = 2
LOOKS_A_DROP = 32
"""Frames looked at for each that may be dropped: looking is cheap, letting pages go is not."""

LIVE = frozenset({"running", "paused"})
ENDED = frozenset({"finished", "stopped", "failed"})

METRICS = (
    "time",
    "epoch",
    "loss",
    "accuracy",
    "learning_rate",
    "steps_per_second",
    "scale",
    "rotation",
    "shift_x",
    "shift_y",
    "stillness",
)

_RUN_COLUMNS = {
    "id": "TEXT NOT NULL",
    "created": "REAL NOT NULL",
    "config": "TEXT NOT NULL",
    "demonstration": "INTEGER NOT NULL",
    "steps_per_epoch": "INTEGER NOT NULL",
    "status": "TEXT NOT NULL",
    "attempt": "INTEGER NOT NULL DEFAULT 0",
    "step": "INTEGER NOT NULL DEFAULT 0",
    "loss": "REAL",
    "accuracy": "REAL",
    "validated_step": "INTEGER",
    "collapsed": "INTEGER NOT NULL DEFAULT 0",
    "stillness": "REAL",
    "error": "TEXT",
    "thinned": "INTEGER NOT NULL DEFAULT 0",
}

_SCHEMA = f"""
CREATE TABLE run ({", ".join(f"{name} {kind}" for name, kind in _RUN_COLUMNS.items())});
CREATE TABLE steps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER UNIQUE NOT NULL, attempt INTEGER NOT NULL,
    {", ".join(f"{name} REAL" for name in METRICS)}
);
CREATE TABLE inputs (key TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE frames (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, lap INTEGER,
    attempt INTEGER NOT NULL, moving INTEGER NOT NULL, kept INTEGER NOT NULL,
    input TEXT NOT NULL REFERENCES inputs(key), data BLOB NOT NULL
);
CREATE UNIQUE INDEX frames_place ON frames (step, ifnull(lap, -1));
CREATE INDEX frames_listed ON frames (step, lap, moving);
CREATE INDEX frames_by_input ON frames (input);
CREATE TABLE checkpoints (
    step INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, time REAL NOT NULL,
    info TEXT NOT NULL, data BLOB NOT NULL
);
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, attempt INTEGER NOT NULL,
    time REAL NOT NULL, settings TEXT NOT NULL
);
"""


class FrameRef(NamedTuple):
    """Where a recorded frame stands: its step, and its place in the closing lap if it is of one."""

    seq: int
    step: int
    lap: int | None
    moving: bool


@dataclass(frozen=True)
class StoredFrame:
    """A frame as it lies on disk: bytes without input, and the key of the input that belongs."""

    ref: FrameRef
    input_key: str
    data: bytes


@dataclass(frozen=True)
class Checkpoint:
    """Enough to go on from `step`: named tensors, and what JSON can say."""

    step: int
    attempt: int
    info: Mapping[str, Any]
    tensors: Mapping[str, Array]


@dataclass(frozen=True)
class Change:
    """Settings changed by hand after `step`: in effect from the next step on."""

    step: int
    attempt: int
    settings: SettingsChange


# Two looks at the same time would take each other for the writer.
_looking = threading.Lock()


def writer_is_live(path: Path) -> bool:
    """Whether a process holds the recording's lock, that is, is training into it."""
    lock = _lock(path)
    with _looking:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
    return False


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"), is_singleton=False)


class Recording:
    """A recording opened for reading. Every query is its own short read transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens a recording.

        Raises:
            NotFound: there is no such file.
            RecordingError: the file is not a recording, or is of another version.
        """
        if not path.is_file():
            raise NotFound(f"There is no recording {path.stem}.")
        # Readers may move between threads; each is used by one at a time.
        connection = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
        )
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> int:
        """A number that changes when another connection has written; cheap to ask."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def summary(self, *, look_for_writer: bool = True) -> dict[str, Any]:
        """The run as the interface shows it; `interrupted` where its writer is gone.

        Args:
            look_for_writer: whether to look; who has just seen it write need not.
        """
        row = self._db.execute(f"SELECT {', '.join(_RUN_COLUMNS)} FROM run").fetchone()
        run = dict(zip(_RUN_COLUMNS, row, strict=True))
        first, last, frames = self._db.execute(
            "SELECT (SELECT min(step) FROM frames), (SELECT max(step) FROM frames), count(*)"
            " FROM frames"
        ).fetchone()
        if look_for_writer and run["status"] in LIVE and not writer_is_live(self.path):
            run["status"] = self._status_behind_a_free_lock()
        config = json.loads(run["config"])
        settings = LiveSettings.of(
            RunConfig.model_validate(config), (change.settings for change in self.changes())
        )
        return run | {
            "config": config,
            "settings": settings.model_dump(),
            "demonstration": bool(run["demonstration"]),
            "collapsed": bool(run["collapsed"]),
            "epoch": epoch_of(run["step"], run["steps_per_epoch"]),
            "epochs": config["epochs"],
            "steps": config["epochs"] * run["steps_per_epoch"],
            "first_step": first,
            "last_step": last,
            "frames": frames,
        }

    def _status_behind_a_free_lock(self) -> str:
        # A writer that ends between the two looks has by now written how it ended.
        status: str = self._db.execute("SELECT status FROM run").fetchone()[0]
        return "interrupted" if status in LIVE else status

    def config(self) -> RunConfig:
        return RunConfig.model_validate_json(
            self._db.execute("SELECT config FROM run").fetchone()[0]
        )

    def changes(self) -> list[Change]:
        """What was set by hand, in the order in which it takes effect."""
        rows = self._db.execute("SELECT step, attempt, settings FROM changes ORDER BY step, seq")
        return [
            Change(step, attempt, SettingsChange.model_validate_json(settings))
            for step, attempt, settings in rows
        ]

    def frames(self) -> list[FrameRef]:
        """Every recorded frame in the order of steps, a lap's frames after its step's own."""
        rows = self._db.execute("SELECT seq, step, lap, moving FROM frames ORDER BY step, lap")
        return [_ref(row) for row in rows]

    def newest(self, after: int = 0) -> StoredFrame | None:
        """The frame of a step written last, if it was written after `after` (a `seq`)."""
        return self._stored("lap IS NULL AND seq > ? ORDER BY seq DESC", after)

    def frame(self, step: int, lap: int | None = None) -> Frame:
        """The frame at `step` with its input: the nearest before it, or else the first.

        Raises:
            NotFound: nothing is recorded yet.
        """
        if lap is not None:
            found = self._stored("step = ? AND lap = ?", step, lap)
        else:
            found = self._stored("lap IS NULL AND step <= ? ORDER BY step DESC", step)
            found = found or self._stored("lap IS NULL ORDER BY step")
        if found is None:
            raise NotFound("No such frame is recorded; a run's first one comes with its step 0.")
        return Frame.decode(found.data).with_input(self.input(found.input_key))

    def input(self, key: str) -> Array:
        """The probes' images (N, H, W, C) uint8 under `key`."""
        row = self._db.execute("SELECT data FROM inputs WHERE key = ?", (key,)).fetchone()
        return load_tensors(row[0])["input"]

    def metrics(
        self, after: int | None = None, every: int = 1, seq: int | None = None
    ) -> dict[str, list[Any]]:
        """Columns over steps: `step` and each of `METRICS`; null where there was no value.

        Args:
            after: only steps greater than this.
            every: only steps that are multiples of this.
            seq: only rows written after this one.
        """
        names = ("seq", "step", "attempt", *METRICS)
        rows = self._db.execute(
            f"SELECT {', '.join(names)} FROM steps"
            " WHERE step > ? AND step % ? = 0 AND seq > ? ORDER BY step",
            (-1 if after is None else after, every, seq or 0),
        ).fetchall()
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return {name: list(column) for name, column in zip(names, columns, strict=True)}

    def checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint."""
        row = self._db.execute(
            "SELECT step, attempt, info, data FROM checkpoints"
            " ORDER BY attempt DESC, step DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        return Checkpoint(row[0], row[1], json.loads(row[2]), load_tensors(row[3]))

    def copy_to(self, target: Path) -> None:
        """Writes the recording as one file, consistent even while it is being written to.

        Raises:
            NoRoom: the disk of `target` is full.
        """
        with telling_full_disk(), closing(sqlite3.connect(target, isolation_level=None)) as copy:
            self._db.backup(copy, pages=1024, sleep=0)
            copy.execute("PRAGMA journal_mode = DELETE")

    def _stored(self, where: str, *values: int) -> StoredFrame | None:
        row = self._db.execute(
            f"SELECT seq, step, lap, moving, input, data FROM frames WHERE {where} LIMIT 1", values
        ).fetchone()
        return None if row is None else StoredFrame(_ref(row[:4]), row[4], row[5])


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
            NoRoom: the disk is full.
        """
        if not path.is_file():
            raise NotFound(f"There is no recording {path.stem}.")
        lock = _lock(path)
        try:
            lock.acquire(timeout=2)
        except Timeout:
            raise Conflict(f"Run {path.stem} is being trained by another process.") from None
        try:
            with telling_full_disk():
                return cls(path, _prepared(path), lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        # A recording at rest is a single plain file; where a reader is at work, or the disk full,
        # SQLite keeps both.
        with suppress(NoRoom), telling_full_disk(), _ignoring_busy():
            self._db.execute("PRAGMA busy_timeout = 0")
            self._db.execute("PRAGMA journal_mode = DELETE")
        super().close()
        self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside becomes visible at once or not at all.

        Raises:
            NoRoom: the disk is full, and nothing was written.
        """
        try:
            with telling_full_disk():
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
        with telling_full_disk():
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

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Adds a checkpoint and lets go of all but the newest few."""
        tensors = {name: np.ascontiguousarray(t) for name, t in checkpoint.tensors.items()}
        self._db.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?)",
            (
                checkpoint.step,
                checkpoint.attempt,
                time.time(),
                json.dumps(dict(checkpoint.info)),
                save_tensors(tensors),
            ),
        )
        self._db.execute(
            "DELETE FROM checkpoints WHERE step NOT IN"
            " (SELECT step FROM checkpoints ORDER BY attempt DESC, step DESC LIMIT ?)",
            (KEPT_CHECKPOINTS,),
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


def create(
    path: Path, *, config: RunConfig, steps_per_epoch: int, demonstration: bool = False
) -> None:
    """Creates a queued run's recording; the file's stem is the run's id.

    Raises:
        Conflict: the file exists.
        NoRoom: the disk is full.
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
        with telling_full_disk(), closing(_connect(draft)) as connection:
            _fill(connection, row)
    except BaseException:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
        raise
    draft.rename(path)


def _fill(connection: sqlite3.Connection, run: Mapping[str, Any]) -> None:
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    marks = ", ".join("?" * len(run))
    connection.execute(f"INSERT INTO run ({', '.join(run)}) VALUES ({marks})", tuple(run.values()))
    connection.execute("PRAGMA journal_mode = DELETE")


def epoch_of(step: int, steps_per_epoch: int) -> int:
    """The epoch that `step` belongs to, counted from 1; step 0 belongs to the first."""
    return max(1, -(-step // steps_per_epoch))


def tenths_of(step: int, steps_per_epoch: int) -> int:
    """How many whole tenths of its epoch are done at `step`: 0 before training, 10 at its end."""
    return 10 * (step - (epoch_of(step, steps_per_epoch) - 1) * steps_per_epoch) // steps_per_epoch


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
    """A connection to a recording, to write through."""
    connection = _connect(path)
    try:
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise RecordingError(f"{path.name} is not a recording: {error}.") from error
    if application != APPLICATION_ID:
        raise RecordingError(f"{path.name} is not a recording.")
    if version != SCHEMA_VERSION:
        raise RecordingError(
            f"{path.name} is a recording of version {version}; this program reads {SCHEMA_VERSION}."
        )


def _ref(row: tuple[int, int, int | None, int]) -> FrameRef:
    return FrameRef(row[0], row[1], row[2], bool(row[3]))


@contextmanager
def _ignoring_busy() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
