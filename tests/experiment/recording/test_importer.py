"""An untrusted recording is copied, or refused with a message; nothing in it is executed."""

import json
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from stnscope.backend.experiment.config import ProbesConfig, RunConfig, SettingsChange
from stnscope.backend.experiment.errors import RecordingError
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.recording import importer
from stnscope.backend.experiment.recording.importer import import_recording
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.records import AddedPicture, Change, Checkpoint
from stnscope.backend.experiment.recording.schema import APPLICATION_ID, schema_of
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from tests.examples import EXAMPLE_PATH
from tests.exports import exported

CONFIG = RunConfig(epochs=2, probes=ProbesConfig(count=2))


def frame(step: int, *, lap: int | None = None, probes: int = 2) -> Frame:
    """Return a frame of a run with two classes; a third probe is an added picture."""
    info: dict[str, Any] = {
        "protocol": 1,
        "run": "source",
        "step": step,
        "epoch": 1,
        "progress": 3,
        "loss": 0.5 if step else None,
        "accuracy": None,
        "moving": lap is not None,
        "time": 1.0,
        "classes": ["nought", "one"],
        "labels": [0, 1, None][:probes],
        "predicted": [1, 1, 0][:probes],
        "transformers": [{"name": "st", "family": "affine", "at": "input"}],
        "collapsed": {"st": [None, "outside", None][:probes]},
        "stillness": None,
    }
    info |= {} if lap is None else {"lap": lap}
    info |= {} if probes == 2 else {"joined": [2]}
    tensors: dict[str, Array] = {
        "input": np.full((probes, 8, 8, 1), step, np.uint8),
        "output.st": np.full((probes, 4, 4, 1), 7, np.uint8),
        "theta.st": np.zeros((probes, 6), np.float32),
        "corners.st": np.full((probes, 4, 2), np.nan, np.float32),
        "grid.st": np.zeros((probes, 7, 7, 2), np.float32),
        "probabilities": np.full((probes, 2), 0.5, np.float32),
    }
    return Frame(info, tensors)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a recording that has rows in all of its tables."""
    path = tmp_path / f"source{SUFFIX}"
    create(path, config=CONFIG, steps_per_epoch=20, demonstration=True)
    with RecordingWriter.open(path) as writer, writer.transaction():
        for step in (0, 4, 2):
            writer.add_step(step, 1, {"loss": step / 2, "time": 3.0, "collapsed": 0.5})
            writer.add_frame(frame(step), attempt=1, kept=step == 0)
        writer.add_frame(frame(5, probes=3), attempt=1, kept=False)
        writer.add_frame(frame(5, lap=0, probes=3), attempt=1, kept=True)
        writer.add_change(Change(2, 1, SettingsChange(learning_rate=0.5)))
        writer.add_picture(AddedPicture(5, 1, None, np.zeros((8, 8, 1), np.uint8)))
        writer.add_checkpoint(Checkpoint(4, 1, {}, {"weight": np.zeros(3, np.float32)}))
        writer.update(status="paused", step=5, attempt=1, created=1e9, loss=0.25)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return the path of the imported recording."""
    (tmp_path / "target").mkdir()
    return tmp_path / "target" / f"new{SUFFIX}"


def execute(path: Path, script: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if values:
            connection.execute(script, values)
        else:
            connection.executescript(script)


def test_import_copies_all_that_can_be_viewed(source: Path, target: Path) -> None:
    before = source.read_bytes()
    import_recording(source, target)
    assert source.read_bytes() == before
    with Recording.open(target) as new, Recording.open(source) as old:
        run, old_run = new.summary(), old.summary()
        different = {"id", "status", "imported", "demonstration"}
        assert {k: v for k, v in run.items() if k not in different} == {
            k: v for k, v in old_run.items() if k not in different
        }
        assert (run["id"], run["status"], run["imported"]) == ("new", "stopped", True)
        assert run["demonstration"] is False
        assert (run["probes"], run["settings"]["learning_rate"]) == (3, 0.5)
        assert [ref[1:] for ref in new.frames()] == [ref[1:] for ref in old.frames()]
        for ref in new.frames():
            copied, original = new.frame(ref.step, ref.lap), old.frame(ref.step, ref.lap)
            assert copied.encode() == original.with_info(run="new").encode()
        newest = new.newest_frame()
        assert newest is not None
        assert newest.ref.step == 5
        columns = new.metrics()
        assert columns["step"] == [0, 2, 4]
        assert {k: v for k, v in columns.items() if k != "seq"} == {
            k: v for k, v in old.metrics().items() if k != "seq"
        }
        assert new.changes() == old.changes()
        assert [picture.step for picture in new.added_pictures()] == [5]
        assert new.checkpoint() is None, "an imported run cannot be resumed"
        assert exported(new, ExportOptions())[:6] == b"GIF89a"


def test_recording_of_version_1_is_imported(target: Path) -> None:
    """The examples have this version."""
    import_recording(EXAMPLE_PATH, target)
    with Recording.open(target) as new, Recording.open(EXAMPLE_PATH) as old:
        assert len(new.frames()) == len(old.frames()) > 40
        assert new.metrics()["loss"] == old.metrics()["loss"]
        assert new.summary()["status"] == "finished"


@pytest.fixture
def old(source: Path) -> Path:
    """Return the same recording in version 1."""
    path = source.with_name(f"old{SUFFIX}")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(schema_of(1))
        connection.execute("ATTACH ? AS source", (str(source),))
        for table in ("run", "steps", "inputs", "frames", "checkpoints", "changes"):
            rows = connection.execute(f"PRAGMA main.table_info({table})").fetchall()
            names = ", ".join(row[1] for row in rows)
            connection.execute(
                f"INSERT INTO main.{table} ({names}) SELECT {names} FROM source.{table}"
            )
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1"
        )
    return path


def test_recording_of_version_1_is_imported_when_upgraded_or_imported_before(
    old: Path, target: Path
) -> None:
    first, second, third = (target.with_name(f"{name}{SUFFIX}") for name in "abc")
    import_recording(old, first)
    RecordingWriter.open(old).close()
    import_recording(old, second)
    import_recording(second, third)
    for path in (first, second, third):
        with Recording.open(path) as new:
            assert new.summary()["imported"]
            assert new.metrics()["loss"] == [0, 1, 2]
            assert new.metrics()["collapsed"] == [None] * 3


# Refused files


Damage = Callable[[Path], None]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def overwrite_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8200:8400] = bytes(200)
    path.write_bytes(bytes(data))


def sql(script: str) -> Damage:
    return lambda path: execute(path, script)


def schema(statement: str) -> Damage:
    """Change the table of the schema, which ordinary statements cannot."""
    return sql(f"PRAGMA writable_schema = ON; {statement}; PRAGMA writable_schema = OFF;")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"a picture, perhaps" * 99), "not a recording"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "not a recording"),
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "damaged|schema"),
        (truncate, "damaged"),
        (overwrite_bytes, "damaged"),
        (sql("PRAGMA application_id = 1"), "SQLite file, but not a recording"),
        (sql("PRAGMA user_version = 9"), "of version 9"),
        (sql("CREATE TABLE more (a)"), "its table 'more' is unknown"),
        (sql("CREATE VIEW more AS SELECT 1"), "its view 'more' is unknown"),
        (
            sql("CREATE TRIGGER more AFTER INSERT ON frames BEGIN DELETE FROM run; END"),
            "its trigger 'more' is unknown",
        ),
        (sql("CREATE INDEX more ON frames (abs(step))"), "its index 'more' is unknown"),
        (sql("DROP TABLE changes"), "tables are missing"),
        (sql("ALTER TABLE run ADD COLUMN more"), "its table 'run' is unknown"),
        (
            sql("DROP TABLE changes; CREATE VIEW changes AS SELECT 1 AS step"),
            "its view 'changes' is unknown",
        ),
        (
            sql("DROP TABLE inputs; CREATE VIRTUAL TABLE inputs USING fts5(key, data)"),
            "is unknown",
        ),
        (
            schema(
                "UPDATE sqlite_schema SET sql = replace(sql, 'data BLOB', "
                "'data BLOB CHECK (load_extension(data))') WHERE name = 'inputs'"
            ),
            "its table 'inputs' is unknown",
        ),
        (
            schema(
                "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema"
                " WHERE name = 'steps') WHERE name = 'changes'"
            ),
            "damaged",
        ),
        (schema("UPDATE sqlite_schema SET sql = x'00' WHERE name = 'run'"), "damaged|unknown"),
    ],
)
def test_file_that_is_not_a_recording_is_refused_without_creating_a_target(
    source: Path, target: Path, damage: Damage, message: str
) -> None:
    damage(source)
    assert_refused(source, target, message)


def assert_refused(source: Path, target: Path, message: str) -> None:
    with pytest.raises(RecordingError, match=message) as caught:
        import_recording(source, target)
    assert caught.value.field == "recording"
    assert not target.exists()


# Refused rows


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("DELETE FROM run", "contains no run"),
        ("INSERT INTO run SELECT * FROM run", "several runs"),
        ("UPDATE run SET config = '{'", "config"),
        ("UPDATE run SET config = '{\"epochs\": 0}'", "config.*epochs"),
        ("UPDATE run SET config = '{\"more\": 0}'", "config.*more"),
        ("UPDATE run SET status = 'deleted'", "status"),
        ("UPDATE run SET step = -1", "step"),
        ("UPDATE run SET step = 'many'", "step"),
        ("UPDATE run SET steps_per_epoch = 0", "steps_per_epoch"),
        ("UPDATE run SET accuracy = 9e999", "accuracy"),
        ("UPDATE run SET created = 1e300", "created"),
        ("UPDATE run SET error = printf('%.*c', 5000, 'x')", "error"),
        ("UPDATE run SET attempt = x'00'", "attempt"),
        ("UPDATE steps SET loss = 9e999", "metrics at step"),
        ("UPDATE steps SET loss = 'low'", "metrics at step"),
        ("UPDATE steps SET attempt = -1", "in its steps"),
        ("UPDATE steps SET step = 'one' WHERE step = 0", "in its steps"),
        ("UPDATE frames SET kept = 'yes'", "in its frames"),
        ("UPDATE frames SET moving = 1 - moving", "another step"),
        ("UPDATE frames SET step = step + 100", "another step"),
        ("UPDATE frames SET lap = lap + 1 WHERE lap IS NOT NULL", "another step"),
        ("UPDATE frames SET data = 'text'", "instead of bytes"),
        ("UPDATE frames SET data = zeroblob(70000000) WHERE step = 0", "too big|too large|damaged"),
        ("DELETE FROM inputs", "input is missing"),
        ("UPDATE inputs SET data = x'0000'", "input cannot be read"),
        ("UPDATE changes SET settings = '{\"learning_rate\": -1}'", "change of settings"),
        ("UPDATE changes SET settings = x'ff'", "change of settings"),
        ("UPDATE joined SET label = '\"x\"'", "not a picture"),
        ("UPDATE joined SET data = x'00'", "not a picture"),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 62)"
            " INSERT INTO joined (step, attempt, time, label, data)"
            " SELECT 5, 1, 0, label, data FROM n, joined",
            "more than 64 probes",
        ),
    ],
)
def test_invalid_row_is_refused(source: Path, target: Path, script: str, message: str) -> None:
    execute(source, script)
    assert_refused(source, target, message)


# Refused frames


def with_info(**info: Any) -> Callable[[Frame], bytes]:
    return lambda frame: frame.with_info(**info).without_input().encode()


def with_tensors(**changes: Array | None) -> Callable[[Frame], bytes]:
    def encode(frame: Frame) -> bytes:
        tensors: Mapping[str, Any] = dict(frame.tensors) | {
            name.replace("_", "."): tensor for name, tensor in changes.items()
        }
        present = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        return Frame(frame.info, present).without_input().encode()

    return encode


def raw_info(text: str) -> Callable[[Frame], bytes]:
    return lambda _: save({"a": np.zeros(1, np.float32)}, metadata={"frame": text})


def with_raw_info(**info: Any) -> Callable[[Frame], bytes]:
    """Encode the frame with JSON that `Frame.encode` refuses."""
    return lambda frame: save(
        {k: np.ascontiguousarray(v) for k, v in frame.tensors.items() if k != "input"},
        metadata={"frame": json.dumps({**frame.info, **info})},
    )


@pytest.mark.parametrize(
    ("encode", "message"),
    [
        (lambda _: b"", "is not a frame"),
        (lambda _: bytes(200), "is not a frame"),
        (lambda _: b"\xff" * 200, "is not a frame"),
        (lambda frame: frame.without_input().encode()[:-9], "is not a frame"),
        (raw_info("[]"), "protocol"),
        (raw_info("[" * 100_000), "is not a frame"),
        (raw_info('{"protocol": 1}'), "step"),
        (with_info(protocol=2), "protocol"),
        (with_info(step="0"), "step"),
        (with_info(epoch=0), "epoch"),
        (with_info(progress=11), "progress"),
        (with_raw_info(loss=float("nan")), "loss"),
        (with_raw_info(more=[float("inf")]), "cannot be encoded"),
        (with_info(classes=[]), "class 0 of 0"),
        (with_info(classes=["x" * 300, "one"]), "classes"),
        (with_info(labels=[0]), "labels of 1"),
        (with_info(labels=[0, 2]), "class 2 of 2"),
        (with_info(labels=[0, -1]), "class -1"),
        (with_info(predicted=[0, [1, 0]]), "different lengths"),
        (with_info(joined=[0]), "not the last of"),
        (with_info(transformers=[]), "lacks tensors|unknown in `collapsed`"),
        (with_info(transformers=[{"name": "../st", "family": "affine", "at": "input"}]), "name"),
        (with_info(collapsed={"st": [None]}), "collapsed.st of 1"),
        (with_tensors(theta_st=None), "theta.st"),
        (with_tensors(more=np.zeros(3, np.float32)), "more"),
        (with_tensors(input=None, theta_st=np.zeros((3, 6), np.float32)), "theta.st"),
        (with_tensors(theta_st=np.zeros((2, 6), np.float64)), "float64"),
        (with_tensors(grid_st=np.zeros((2, 7, 7, 3), np.float32)), "grid.st"),
        (with_tensors(output_st=np.zeros((2, 4, 4, 2), np.uint8)), "not images"),
        (with_tensors(output_st=np.zeros((2, 1, 600, 1), np.uint8)), "not images"),
        (with_tensors(output_st=np.zeros((2, 0, 4, 1), np.uint8)), "output.st"),
        (with_tensors(probabilities=np.zeros((2, 3), np.float32)), "probabilities"),
    ],
)
def test_invalid_frame_is_refused(
    source: Path, target: Path, encode: Callable[[Frame], bytes], message: str
) -> None:
    data = encode(frame(0))
    execute(source, "UPDATE frames SET data = ? WHERE step = 0", data)
    assert_refused(source, target, f"step 0 is not a frame.*({message})|{message}")


@pytest.mark.parametrize(
    "tensors",
    [
        {"input": np.zeros((2, 8, 8, 2), np.uint8)},
        {"input": np.zeros((2, 8, 8, 1), np.float32)},
        {"input": np.zeros((2, 8, 600, 1), np.uint8)},
        {"input": np.zeros((65, 1, 1, 1), np.uint8)},
        {"input": np.zeros((8, 8), np.uint8)},
        {"input": np.zeros((2, 8, 8, 1), np.uint8), "more": np.zeros(1, np.uint8)},
        {"output": np.zeros((2, 8, 8, 1), np.uint8)},
    ],
)
def test_invalid_input_is_refused(source: Path, target: Path, tensors: dict[str, Array]) -> None:
    execute(source, "UPDATE inputs SET data = ?", save(tensors))
    assert_refused(source, target, "input")


def test_rows_are_copied_in_batches(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_SIZE", 2)
    import_recording(source, target)
    with Recording.open(target) as new:
        assert len(new.frames()) == 5
        assert new.metrics()["step"] == [0, 2, 4]


def test_randomly_damaged_recording_is_readable_or_refused(source: Path, target: Path) -> None:
    """A hundred times, a few random bytes are changed."""
    generator = random.Random(7)
    original = source.read_bytes()
    outcomes = {"imported": 0, "refused": 0}
    for _ in range(100):
        data = bytearray(original)
        for _ in range(generator.choice((1, 3, 40))):
            data[generator.randrange(100, len(data))] = generator.randrange(256)
        source.write_bytes(bytes(data))
        try:
            import_recording(source, target)
        except RecordingError:
            outcomes["refused"] += 1
        else:
            outcomes["imported"] += 1
            with Recording.open(target) as new:
                json.dumps(new.summary(), allow_nan=False)
                json.dumps(new.metrics(), allow_nan=False)
                for ref in new.frames():
                    Frame.decode(new.frame(ref.step, ref.lap).encode())
        for path in target.parent.iterdir():
            path.unlink()
    assert outcomes["refused"] > 10
    assert outcomes["imported"] > 10
