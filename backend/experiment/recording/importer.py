"""Import an untrusted recording: validate it row by row, and copy it into a new file.

An imported run can be viewed and exported, not resumed: checkpoints are not copied, and the status
of a run that had not ended is `stopped`.
"""

import math
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.frames import validation
from stnscope.backend.experiment.frames.frame import Array, Frame, FrameError, Label
from stnscope.backend.experiment.limits import MAX_PROBES, MAX_SCALARS, MAX_STEPS
from stnscope.backend.experiment.recording import untrusted_file
from stnscope.backend.experiment.recording.reader import ADDED_PICTURES_VERSION
from stnscope.backend.experiment.recording.records import AddedPicture, Change
from stnscope.backend.experiment.recording.run_row import MAX_ERROR_LENGTH, RunRow
from stnscope.backend.experiment.recording.schema import (
    METRICS,
    SCALARS,
    absent_columns,
    parse_scalars,
)
from stnscope.backend.experiment.recording.untrusted_file import (
    UntrustedFile,
    damaged_error,
    later_version_error,
)
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.experiment.run_status import ENDED

Row = tuple[Any, ...]
_LABEL: TypeAdapter[Label] = TypeAdapter(Label, config=ConfigDict(strict=True))

BATCH_SIZE = 500
"""Rows in one transaction."""
DRAFT_SUFFIX = ".incoming"


class _Run(RunRow):
    """A row of the table `run`, without columns that do not apply to an imported run."""

    error: str | None = Field(max_length=MAX_ERROR_LENGTH)

    def columns(self) -> dict[str, Any]:
        """Return the columns to set in the new run's row."""
        status = self.status if self.status in ENDED else "stopped"
        return self.model_dump(exclude={"config", "steps_per_epoch"}) | {
            "status": status,
            "imported": True,
        }


class _Frame(NamedTuple):
    """A row of the table `frames`."""

    step: int
    lap: int | None
    attempt: int
    moving: int
    kept: int
    input: str
    data: bytes


def import_recording(source: Path, target: Path) -> None:
    """Copy an untrusted recording into a new one.

    Args:
        source: the untrusted file; it is only read.
        target: the new recording, whose stem is the run's id.

    Raises:
        RecordingError: it is not a recording, or damaged or invalid; the text has the reason.
        InsufficientStorage: the disk is full.
    """
    draft = target.with_suffix(DRAFT_SUFFIX)
    with untrusted_file.open_untrusted(source) as file:
        run = _read_run(file.rows)
        create(draft, config=run.config, steps_per_epoch=run.steps_per_epoch)
        with RecordingWriter.open(draft) as writer:
            _copy_steps(file, writer)
            _copy_frames(file.rows, writer)
            with writer.transaction():
                _copy_changes(file.rows, writer)
                if file.version >= ADDED_PICTURES_VERSION:
                    _copy_added_pictures(file.rows, writer, MAX_PROBES - run.config.probes.count)
                writer.update(**run.columns())
    draft.rename(target)


def _read_run(rows: sqlite3.Connection) -> _Run:
    cursor = rows.execute("SELECT * FROM run LIMIT 2")
    names = [column[0] for column in cursor.description]
    runs = cursor.fetchall()
    if len(runs) != 1:
        raise damaged_error(f"it contains {'several runs' if runs else 'no run'}")
    try:
        return _Run.model_validate(dict(zip(names, runs[0], strict=True)))
    except ValidationError as error:
        errors = error.errors()
        unknown = [fault for fault in errors if fault["type"] == "extra_forbidden"]
        first = [*unknown, *errors][0]
        field = ".".join(str(part) for part in first["loc"])
        if unknown:
            raise later_version_error(f"it has an unknown field {field}") from None
        raise damaged_error(f"the {field} of its run is invalid: {first['msg']}") from None


def _copy_steps(file: UntrustedFile, writer: RecordingWriter) -> None:
    absent = absent_columns(file.version, "steps")
    columns = ", ".join(absent.get(name, name) for name in (*METRICS, SCALARS))
    scalar_names: set[str] = set()
    for batch in _batches(
        file.rows.execute(f"SELECT step, attempt, {columns} FROM steps ORDER BY seq")
    ):
        with writer.transaction():
            for step, attempt, *values, text in batch:
                _check_counts("steps", step, attempt)
                for value in values:
                    _check_number(step, value)
                scalars = _parse_scalars(step, text)
                scalar_names |= scalars.keys()
                if len(scalar_names) > MAX_SCALARS:
                    raise damaged_error(f"it has more than {MAX_SCALARS} further metrics")
                writer.add_step(step, attempt, dict(zip(METRICS, values, strict=True)), scalars)


def _parse_scalars(step: int, text: object) -> dict[str, float]:
    """Return the further metrics of a step."""
    if text is None:
        return {}
    try:
        values = from_json(text) if isinstance(text, str) else None
    except ValueError:
        values = None
    scalars = parse_scalars(text)
    if not isinstance(values, dict) or len(values) != len(scalars):
        raise damaged_error(f"its further metrics at step {step} are not numbers by name")
    return scalars


def _copy_frames(rows: sqlite3.Connection, writer: RecordingWriter) -> None:
    """Copy frames and their inputs, in the order in which they were written."""
    inputs = _Inputs(rows)
    query = f"SELECT {', '.join(_Frame._fields)} FROM frames ORDER BY seq"
    for batch in _batches(rows.execute(query)):
        with writer.transaction():
            for row in map(_Frame._make, batch):
                frame = _validate_frame(row, inputs).with_info(run=writer.path.stem)
                writer.add_frame(frame, attempt=row.attempt, kept=bool(row.kept))


def _validate_frame(row: _Frame, inputs: "_Inputs") -> Frame:
    _check_counts("frames", row.step, row.attempt, row.moving, row.kept)
    subject = f"its frame of step {row.step}"
    try:
        frame = validation.validate_frame(_blob(row.data), inputs.get(row.input))
    except FrameError as error:
        raise damaged_error(f"{subject} is not a frame. {error}") from None
    info = frame.info
    in_frame = (info["step"], info.get("lap"), bool(info.get("moving")))
    if in_frame != (row.step, row.lap, bool(row.moving)):
        raise damaged_error(f"{subject} is the frame of another step")
    return frame


class _Inputs:
    """The inputs of an untrusted recording, by key; caches the last one."""

    def __init__(self, rows: sqlite3.Connection) -> None:
        self._rows = rows
        self._last: tuple[str, Array] | None = None

    def get(self, key: str) -> Array:
        """Return images (N, H, W, C) uint8.

        Raises:
            FrameError: there are none with this key, or they are not images.
        """
        if self._last is None or self._last[0] != key:
            row = self._rows.execute("SELECT data FROM inputs WHERE key = ?", (key,)).fetchone()
            if row is None:
                raise FrameError("Its input is missing.")
            images = _tensor(row[0], "input")
            validation.check_images(images)
            self._last = (key, images)
        return self._last[1]


def _copy_changes(rows: sqlite3.Connection, writer: RecordingWriter) -> None:
    for step, attempt, settings in rows.execute(
        "SELECT step, attempt, settings FROM changes ORDER BY seq"
    ):
        _check_counts("changes", step, attempt)
        try:
            change = SettingsChange.model_validate_json(settings)
        except ValidationError:
            raise damaged_error(f"its change of settings at step {step} is invalid") from None
        writer.add_change(Change(step, attempt, change))


def _copy_added_pictures(rows: sqlite3.Connection, writer: RecordingWriter, limit: int) -> None:
    """Copy the pictures that were added to the probes; refuse more than `limit`."""
    cursor = rows.execute("SELECT step, attempt, label, data FROM joined ORDER BY seq")
    for index, (step, attempt, label, data) in enumerate(cursor):
        _check_counts("joined", step, attempt)
        try:
            image, parsed_label = _tensor(data, "image"), _LABEL.validate_json(label)
            validation.check_images(image[None])
        except (FrameError, ValidationError):
            raise damaged_error(
                f"what was added to its probes at step {step} is not a picture"
            ) from None
        if index >= limit:
            raise damaged_error(f"it has more than {MAX_PROBES} probes")
        writer.add_picture(AddedPicture(step, attempt, parsed_label, image))


def _tensor(data: object, name: str) -> Array:
    """Decode safetensors bytes that contain one tensor.

    Raises:
        FrameError: they are invalid, or contain another tensor or several.
    """
    try:
        tensors = load_tensors(_blob(data))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FrameError(f"Its {name} cannot be read: {error}.") from None
    if tensors.keys() != {name}:
        raise FrameError(f"Its {name} is missing.")
    return tensors[name]


def _blob(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise FrameError("It is text or a number instead of bytes.")
    return data


def _check_counts(table: str, *values: object) -> None:
    for value in values:
        if not (isinstance(value, int) and 0 <= value <= MAX_STEPS):
            raise damaged_error(f"in its {table}, {value!r:.40} is not a count")


def _check_number(step: int, value: object) -> None:
    if value is not None and not (isinstance(value, float) and math.isfinite(value)):
        raise damaged_error(f"in its metrics at step {step}, {value!r:.40} is not a number")


def _batches(rows: Iterable[Row]) -> Iterator[Iterable[Row]]:
    """Yield the rows in batches, one for each transaction; a row is read when it is needed."""
    remaining = iter(rows)
    for first in remaining:
        yield chain([first], islice(remaining, BATCH_SIZE - 1))
