"""Open an untrusted file as a recording, if its schema is exactly that of a recording.

An SQLite file can contain more than rows: triggers, views, expressions in its schema, deliberate
damage. None of it is executed: the schema must be identical to ours, which excludes them, and
SQLite's own defences are switched on as well (www.sqlite.org/security.html).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stnscope.backend.experiment.errors import RecordingError
from stnscope.backend.experiment.recording.schema import (
    APPLICATION_ID,
    FIRST_SCHEMA,
    OLDER_VERSIONS,
    SCHEMA,
    SCHEMA_VERSION,
    UPGRADE,
)

MAGIC = b"SQLite format 3\0"
HEADER = 100
"""Bytes of an SQLite file's header (www.sqlite.org/fileformat.html, 1.3)."""
VERSION_OFFSET, APPLICATION_OFFSET = 60, 68
MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Of a text or blob that is read; checkpoints may be larger and are not read."""

Layout = frozenset[tuple[str, str, str]]
"""Type, name and SQL of each object in a schema."""


@dataclass(frozen=True)
class UntrustedFile:
    """An untrusted recording whose file was checked; its rows were not."""

    rows: sqlite3.Connection
    version: int


@contextmanager
def open_untrusted(path: Path) -> Iterator[UntrustedFile]:
    """Open an untrusted recording for reading, after a check of the whole file.

    Raises:
        RecordingError: it is not a recording, of an unknown version, or damaged.
    """
    with path.open("rb") as file:
        version = check_header(file.read(HEADER))
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            _harden(connection)
            _check_layout(connection)
            _check_integrity(connection)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
            yield UntrustedFile(connection, version)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise damaged_error(str(error)) from error


def check_header(head: bytes) -> int:
    """Check by the first `HEADER` bytes that a file may be a recording; return its version.

    Raises:
        RecordingError: it is not, or of an unknown version.
    """
    if not head:
        raise refusal("The file is empty. Choose a recording, a file that ends in .stnscope.")
    if len(head) < HEADER or not head.startswith(MAGIC):
        raise refusal("This file is not a recording. Recordings end in .stnscope.")
    if int.from_bytes(head[APPLICATION_OFFSET : APPLICATION_OFFSET + 4]) != APPLICATION_ID:
        raise refusal("This is an SQLite file, but not a recording. Recordings end in .stnscope.")
    version = int.from_bytes(head[VERSION_OFFSET : VERSION_OFFSET + 4])
    if version != SCHEMA_VERSION and version not in OLDER_VERSIONS:
        raise refusal(
            f"This is a recording of version {version}; this program reads those up to "
            f"{SCHEMA_VERSION}."
        )
    return version


def refusal(detail: str) -> RecordingError:
    return RecordingError(detail, "recording")


def damaged_error(how: str) -> RecordingError:
    """Return the error of a recording that was changed after it was written."""
    return refusal(f"This recording is damaged: {how.rstrip('.')}. Send or download it again.")


def _harden(connection: sqlite3.Connection) -> None:
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA query_only = ON")
    for limit, value in (
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 10_000),
        (sqlite3.SQLITE_LIMIT_COLUMN, 100),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20),
    ):
        connection.setlimit(limit, value)
    connection.set_authorizer(_authorize)


def _authorize(action: int, name: str | None, *_: str | None) -> int:
    """Allow reading from tables, and the check of the file's integrity."""
    is_read = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
    is_check = action == sqlite3.SQLITE_PRAGMA and name == "integrity_check"
    return sqlite3.SQLITE_OK if is_read or is_check else sqlite3.SQLITE_DENY


def _check_layout(connection: sqlite3.Connection) -> None:
    found = _layout(connection)
    if any(found == layout for layout in _known()):
        return
    unknown = sorted(found - frozenset().union(*_known()))
    reason = (
        f"its {unknown[0][0]} {unknown[0][1]!r} is unknown"
        if unknown
        else "some tables are missing"
    )
    raise refusal(f"This file does not have the schema of a recording: {reason}.")


def _layout(connection: sqlite3.Connection) -> Layout:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema")
    # A malicious file may have other types than text here.
    return frozenset((str(kind), str(name), " ".join(str(sql).split())) for kind, name, sql in rows)


@cache
def _known() -> tuple[Layout, ...]:
    """Return the schemas of recordings: current, of the first version, and upgraded."""
    layouts = []
    for script in (SCHEMA, FIRST_SCHEMA, FIRST_SCHEMA + UPGRADE):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.executescript(script)
            layouts.append(_layout(connection))
    return tuple(layouts)


def _check_integrity(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise damaged_error(found.splitlines()[-1])
