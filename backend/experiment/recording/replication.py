"""Keep a recording equal to one on another machine, where its run is trained.

A trainer there writes to a file that begins as the `seed` of this recording. What it has added
since a `Position` is read there with `new_rows`, and added here with `add_rows`. Rows have the same
`seq` in both files, so that the position follows from the recording, also after a restart.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.recording_errors import raising_recording_errors
from stnscope.backend.experiment.recording.schema import METRICS, RUN_COLUMNS, SCALARS
from stnscope.backend.experiment.recording.writer import RecordingWriter, write_schema

COLUMNS = {
    "steps": ("seq", "step", "attempt", *METRICS, SCALARS),
    "frames": ("seq", "step", "lap", "attempt", "moving", "kept", "input", "data"),
    "inputs": ("key", "data"),
    "changes": ("seq", "step", "attempt", "time", "settings"),
    "joined": ("seq", "step", "attempt", "time", "label", "data"),
    "checkpoints": ("step", "attempt", "time", "info", "data"),
}
"""The tables whose rows are copied."""
COUNTED = ("changes", "joined", "steps", "frames")
"""Tables whose rows have a `seq`, in the order in which they are read."""
TRAINED = (
    "status",
    "attempt",
    "step",
    "loss",
    "accuracy",
    "validated_step",
    "collapsed",
    "stillness",
    "error",
)
"""The columns of the run that a trainer changes."""
MAX_BYTES = 8_000_000
"""Maximum of frames and inputs that are read at once, except for the last one."""
MAX_ROWS = 2000
"""Rows of a table that are read at once."""
RECENT_FRAMES = 64
"""How many frames back one may still be marked as `kept`."""

Row = tuple[Any, ...]
StepRow = tuple[int, int, float]
"""`seq`, step and time of a recorded step."""


@dataclass(frozen=True)
class Position:
    """How far a recording was copied.

    Attributes:
        seqs: the largest `seq` by table, of those in `COUNTED`.
        checkpoint: attempt and step of the newest checkpoint.
    """

    seqs: dict[str, int]
    checkpoint: tuple[int, int]


@dataclass(frozen=True)
class NewRows:
    """What was added to a recording since a position.

    Attributes:
        rows: by table; of `inputs`, those of the frames that were not sent before.
        kept: steps whose frames are marked as `kept`, of the recent ones.
        run: the columns in `TRAINED`; empty if more rows follow.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)
    run: dict[str, Any] = field(default_factory=dict)


def position(recording: Recording) -> Position:
    """Return how far a recording was copied."""
    with raising_recording_errors(recording.path):
        seqs = dict(recording.connection.execute("SELECT name, seq FROM sqlite_sequence"))
        newest = recording.connection.execute(
            "SELECT attempt, step FROM checkpoints ORDER BY attempt DESC, step DESC LIMIT 1"
        ).fetchone()
    return Position({table: seqs.get(table, 0) for table in COUNTED}, newest or (-1, -1))


def last_step_row(recording: Recording) -> StepRow | None:
    """Return what identifies the step that was recorded last; None if there is none."""
    with raising_recording_errors(recording.path):
        row: StepRow | None = recording.connection.execute(
            "SELECT seq, step, time FROM steps ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    return row


def follows(recording: Recording, seeded: Position, last: StepRow | None) -> bool:
    """Whether what a trainer has recorded follows the last step of the server's recording.

    Not if the run was trained elsewhere since.

    Args:
        recording: of the trainer.
        seeded: its position when it began.
        last: as `last_step_row` returns it, of the server's recording.
    """
    seq, step, time = last or (0, -1, 0.0)
    if seq <= seeded.seqs["steps"]:
        return seq == seeded.seqs["steps"]
    with raising_recording_errors(recording.path):
        # A step that is recorded once more has a larger `seq`.
        rows = recording.connection.execute(
            "SELECT seq, time FROM steps WHERE step = ? AND seq >= ?", (step, seq)
        ).fetchall()
    return any(later > seq or recorded == time for later, recorded in rows)


def seed(recording: RecordingWriter) -> bytes:
    """Return the bytes of a file from which the run can be trained elsewhere.

    It has the run, its changes and added pictures, the first frame, and the newest checkpoint that
    is not damaged: what a trainer reads.
    """
    checkpoint = recording.checkpoint()
    step = -1 if checkpoint is None else checkpoint.step
    first = "FROM frames WHERE lap IS NULL ORDER BY step LIMIT 1"
    source = recording.connection
    with (
        raising_recording_errors(recording.path),
        closing(sqlite3.connect(":memory:", isolation_level=None)) as copy,
    ):
        [run] = _read(source, "run", RUN_COLUMNS)
        columns = dict(zip(RUN_COLUMNS, run, strict=True)) | {"status": "queued", "error": None}
        write_schema(copy, columns)
        for table, selection in {
            "changes": "",
            "joined": "",
            "frames": f"WHERE seq = (SELECT seq {first})",
            "inputs": f"WHERE key = (SELECT input {first})",
            "checkpoints": f"WHERE step = {step}",
        }.items():
            _insert(copy, table, _read(source, table, COLUMNS[table], selection))
        copy.execute("DELETE FROM sqlite_sequence")
        copy.executemany(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
            position(recording).seqs.items(),
        )
        return copy.serialize()


def new_rows(recording: Recording, after: Position, sent_inputs: set[str]) -> NewRows:
    """Return what was added to a recording after a position, at most some megabytes.

    Args:
        recording: of the trainer.
        after: where the other recording is.
        sent_inputs: keys of inputs that it has; those of the frames are added.
    """
    connection = recording.connection
    with raising_recording_errors(recording.path), _one_state(connection):
        rows: dict[str, list[Row]] = {}
        is_complete = True
        for table in COUNTED:
            selected = connection.execute(
                f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE seq > ? ORDER BY seq"
                f" LIMIT {MAX_ROWS}",
                (after.seqs[table],),
            )
            rows[table] = list(_up_to(MAX_BYTES, selected))
            last = rows[table][-1][0] if rows[table] else after.seqs[table]
            is_complete = is_complete and last == _last_seq(connection, table, last)
        keys = {row[COLUMNS["frames"].index("input")] for row in rows["frames"]} - sent_inputs
        rows["inputs"] = [
            row
            for key in sorted(keys)
            for row in _read(connection, "inputs", COLUMNS["inputs"], "WHERE key = ?", key)
        ]
        sent_inputs |= keys
        newest = "WHERE (attempt, step) > (?, ?) ORDER BY attempt DESC, step DESC LIMIT 1"
        rows["checkpoints"] = (
            _read(connection, "checkpoints", COLUMNS["checkpoints"], newest, *after.checkpoint)
            if is_complete
            else []
        )
        kept = connection.execute(
            "SELECT step FROM (SELECT step, kept, lap FROM frames ORDER BY seq DESC LIMIT ?)"
            " WHERE kept AND lap IS NULL",
            (RECENT_FRAMES,),
        ).fetchall()
        [run] = _read(connection, "run", TRAINED)
    return NewRows(
        rows,
        [step for (step,) in kept],
        dict(zip(TRAINED, run, strict=True)) if is_complete else {},
    )


def add_rows(recording: RecordingWriter, new: NewRows) -> None:
    """Add rows to a recording; call this in a transaction. To add some again changes nothing.

    Raises:
        MissingInput: the input of a frame is neither in the recording nor among the rows.
    """
    frame_inputs = {row[COLUMNS["frames"].index("input")] for row in new.rows.get("frames", [])}
    if not frame_inputs <= recording.input_keys | {row[0] for row in new.rows.get("inputs", [])}:
        raise MissingInput
    connection = recording.connection
    for table in ("inputs", *COUNTED, "checkpoints"):
        _insert(connection, table, new.rows.get(table, []))
    recording.input_keys.update(frame_inputs)
    if new.rows.get("checkpoints"):
        recording.delete_old_checkpoints()
    connection.executemany(
        "UPDATE frames SET kept = 1 WHERE step = ? AND lap IS NULL AND NOT kept",
        [(step,) for step in new.kept],
    )
    if new.run:
        recording.update(**new.run)


class MissingInput(Exception):
    """The input of a frame was sent to a recording that does not have it any more."""


@contextmanager
def _one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all queries inside this context see one state of the recording."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _up_to(limit: int, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows until their blobs have `limit` bytes."""
    size = 0
    for row in rows:
        yield row
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if size >= limit:
            return


def _last_seq(connection: sqlite3.Connection, table: str, default: int) -> int:
    (last,) = connection.execute(f"SELECT max(seq) FROM {table}").fetchone()
    return default if last is None else max(last, default)


def _read(
    connection: sqlite3.Connection,
    table: str,
    names: Collection[str],
    selection: str = "",
    *values: object,
) -> list[Row]:
    query = f"SELECT {', '.join(names)} FROM {table} {selection}"
    return connection.execute(query, values).fetchall()


def _insert(connection: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    names = COLUMNS[table]
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} ({', '.join(names)})"
        f" VALUES ({', '.join('?' * len(names))})",
        rows,
    )
