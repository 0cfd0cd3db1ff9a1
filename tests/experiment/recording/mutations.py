"""Damages recordings at random, and reads them in every way: what is raised is a RecordingError.

    python -m tests.experiment.recording.mutations [SECONDS] [SEED]

runs it for that long; a few of the same mutations are made in `test_recording_errors`.
"""

import json
import random
import shutil
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stnscope.backend.experiment.errors import NotFound, RecordingError, StnscopeError
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.importer import import_recording
from stnscope.backend.experiment.recording.reader import SUFFIX, copy_recording
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.server.runs import Runs
from tests.examples import EXAMPLE_PATH

ODD_VALUES: tuple[Any, ...] = (
    *(None, "", "x", -1, 0, 1, 2**53, 2**63 - 1, -(2**63), 1e308, 9e999, -9e999, True, b""),
    *(b"\xff\x00", "[]", "{}", '{"a": NaN}', "[" * 3000, '"\\ud800"', "\ud7ff\u0000", "9" * 400),
)
TABLES = ("run", "steps", "frames", "inputs", "checkpoints", "changes", "joined")
JSON_VALUES = ("null", "1e999", "-1", "[]", "{}", '""', "true", "9" * 30, '{"a": {"b": []}}')


def upgraded_example(folder: Path) -> Path:
    """Return a copy of the recording that ships with the program, in the newest version."""
    path = folder / f"sample{SUFFIX}"
    shutil.copy(EXAMPLE_PATH, path)
    with RecordingWriter.open(path):
        return path


def mutate(source: Path, target: Path, generator: random.Random, number: int) -> None:
    """Write a damaged copy of a recording; the kind of damage depends on `number`."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copy(source, target)
    match number % 5:
        case 0:
            _flip_bytes(target, generator)
        case 1:
            data = target.read_bytes()
            target.write_bytes(data[: generator.randrange(len(data))])
        case 2:
            _set_value(target, generator)
        case 3:
            _change_config(target, generator)
        case 4:
            _change_schema(target, generator)


def _flip_bytes(path: Path, generator: random.Random) -> None:
    data = bytearray(path.read_bytes())
    # Half of the time in the first pages, which hold the schema and the run.
    end = generator.choice((16 * 1024, len(data)))
    for _ in range(generator.choice((1, 8, 200))):
        data[generator.randrange(end)] = generator.randrange(256)
    if generator.random() < 0.2:
        start = generator.randrange(len(data) // 4096) * 4096
        data[start : start + 4096] = bytes(4096)
    path.write_bytes(bytes(data))


def _set_value(path: Path, generator: random.Random) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        table = generator.choice(TABLES[:4])
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column = generator.choice(columns)
        with suppress(sqlite3.Error):
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT rowid FROM {table} LIMIT 1"
                " OFFSET ?)",
                (generator.choice(ODD_VALUES), generator.choice((0, 0, 1))),
            )
        if generator.random() < 0.3:
            values = [generator.choice(ODD_VALUES) for _ in range(3)]
            with suppress(sqlite3.Error):
                connection.execute("INSERT INTO changes VALUES (1, ?, 0, ?, ?)", values)
        if generator.random() < 0.3:
            values = [generator.choice(ODD_VALUES) for _ in range(3)]
            with suppress(sqlite3.Error):
                connection.execute("INSERT INTO joined VALUES (1, ?, 0, 0, ?, ?)", values)
        if generator.random() < 0.3:
            values = [generator.choice(ODD_VALUES) for _ in range(3)]
            with suppress(sqlite3.Error):
                connection.execute("INSERT INTO checkpoints VALUES (?, 0, 0, ?, ?)", values)


def _change_config(path: Path, generator: random.Random) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        config = json.loads(connection.execute("SELECT config FROM run").fetchone()[0])
        section = config
        field = generator.choice(list(config))
        if isinstance(config[field], dict) and generator.random() < 0.7:
            section, field = config[field], generator.choice(list(config[field]))
        match generator.randrange(4):
            case 0:
                del section[field]
            case 1:
                section["unknown"] = 1
            case _:
                section[field] = "VALUE"
        text = json.dumps(config).replace('"VALUE"', generator.choice(JSON_VALUES))
        if generator.random() < 0.2:
            at = generator.randrange(len(text))
            text = text[:at] + chr(generator.randrange(1, 0x2FF)) + text[at + 1 :]
        connection.execute("UPDATE run SET config = ?", (text,))


def _change_schema(path: Path, generator: random.Random) -> None:
    table = generator.choice(TABLES)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] or ["x"]
        script = generator.choice(
            (
                f"DROP TABLE {table}",
                f"ALTER TABLE {table} RENAME TO other",
                f"ALTER TABLE {table} RENAME COLUMN {generator.choice(columns)} TO other",
                f"ALTER TABLE {table} ADD COLUMN other",
                f"DELETE FROM {table}",
                f"DROP TABLE {table}; CREATE VIEW {table} AS SELECT 1 AS {columns[0]}",
                f"PRAGMA user_version = {generator.choice((-1, 0, 1, 2, 3, 5, 2**31 - 1))}",
                f"PRAGMA application_id = {generator.randrange(2**31)}",
                "PRAGMA journal_mode = WAL",
            )
        )
        with suppress(sqlite3.Error):
            connection.executescript(script)


def read_all(runs: Runs, run_id: str, *, imports: bool = False) -> str:
    """Read a recording in every way; return `read` if all of it could be, else `refused`.

    What is raised is a RecordingError; anything else is raised again.

    Args:
        runs: the home's.
        run_id: the run.
        imports: whether to import it too, which takes longer.
    """
    (listed,) = (run for run in runs.list() if run["id"] == run_id)
    json.dumps(listed, allow_nan=False).encode()
    refused = False
    imported = (_import,) if imports else ()
    for use in (_read_frames, _read_metrics, _copy, *imported, _write):
        try:
            use(runs, run_id)
        except (RecordingError, NotFound) as error:  # the latter: no frame is left
            str(error).encode()
            refused = True
    return "refused" if refused or listed["config"] is None else "read"


def _read_frames(runs: Runs, run_id: str) -> None:
    with runs.open(run_id) as recording:
        for ref in recording.frames()[:3]:
            Frame.decode(recording.encoded_frame(ref.step, ref.lap))
        newest = recording.newest_frame()
        if newest is not None:
            recording.encode_with_input(newest)


def _read_metrics(runs: Runs, run_id: str) -> None:
    with runs.open(run_id) as recording:
        json.dumps(recording.metrics(), allow_nan=False)
        recording.config()
        recording.changes()
        recording.added_pictures()
        recording.checkpoint()


def _copy(runs: Runs, run_id: str) -> None:
    target = runs.folder / "copied"
    target.unlink(missing_ok=True)
    copy_recording(runs.path(run_id), target)


def _import(runs: Runs, run_id: str) -> None:
    target = runs.folder / f"imported{SUFFIX}"
    try:
        import_recording(runs.path(run_id), target)
    finally:
        for path in runs.folder.glob("imported*"):
            path.unlink()


def _write(runs: Runs, run_id: str) -> None:
    with suppress(StnscopeError):  # such as Conflict
        runs.set_status(run_id, "stopped")


def main() -> None:
    seconds, seed = (int(text) for text in [*sys.argv[1:], "60", "0"][:2])
    generator = random.Random(seed)
    outcomes = {"read": 0, "refused": 0}
    deadline = time.monotonic() + seconds
    with TemporaryDirectory() as folder:
        runs = Runs(Path(folder) / "recordings")
        sources = EXAMPLE_PATH, upgraded_example(Path(folder))
        number = 0
        while time.monotonic() < deadline:
            state = generator.getstate()
            mutate(generator.choice(sources), runs.new_path("mutated"), generator, number)
            try:
                outcomes[read_all(runs, "mutated", imports=True)] += 1
            except BaseException:
                shutil.copy(runs.new_path("mutated"), "mutated.failed")
                print(f"mutation {number} of seed {seed}: mutated.failed", hash(state))
                raise
            number += 1
    print(outcomes)


if __name__ == "__main__":
    main()
