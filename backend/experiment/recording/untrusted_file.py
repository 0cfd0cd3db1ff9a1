"""A stranger's file, opened as a recording only as far as it is laid out like one of ours.

An SQLite file carries more than rows: triggers, views, expressions in its schema, damage made on
purpose. None of it is run here. The schema must be ours to the letter, which leaves no room for
any of them; what SQLite offers against foreign files is switched on besides
(www.sqlite.org/security.html).
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
VERSION_AT, APPLICATION_AT = 60, 68
MOST_BYTES_A_VALUE = 64 * 1024 * 1024
"""Of a text or blob that is read; checkpoints, which may be larger, are not."""

Layout = frozenset[tuple[str, str, str]]
"""Kind, name and SQL of all that a schema holds."""


@dataclass(frozen=True)
class UntrustedFile:
    """A stranger's recording whose file has been looked at; its rows have not."""

    rows: sqlite3.Connection
    version: int


@contextmanager
def opened(path: Path) -> Iterator[UntrustedFile]:
    """Opens a stranger's recording to read from, after a look at all of its file.

    Raises:
        RecordingError: it is no recording, of an unknown version, damaged, or holds more than one.
    """
    with path.open("rb") as file:
        version = check_header(file.read(HEADER))
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            _harden(connection)
            _check_layout(connection)
            _check_integrity(connection)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES_A_VALUE)
            yield UntrustedFile(connection, version)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise damaged(str(error)) from error


def check_header(head: bytes) -> int:
    """Sees by the first `HEADER` bytes that a file may be a recording; answers with its version.

    Raises:
        RecordingError: it is none, or of another version.
    """
    if not head:
        raise refusal("The file is empty. Choose a recording, a file that ends in .stnscope.")
    if len(head) < HEADER or not head.startswith(MAGIC):
        raise refusal("This file is not a recording. Recordings end in .stnscope.")
    if int.from_bytes(head[APPLICATION_AT : APPLICATION_AT + 4]) != APPLICATION_ID:
        raise refusal("This is an SQLite file, but not a recording. Recordings end in .stnscope.")
    version = int.from_bytes(head[VERSION_AT : VERSION_AT + 4])
    if version != SCHEMA_VERSION and version not in OLDER_VERSIONS:
        raise refusal(
            f"This is a recording of version {version}; this program reads those up to "
            f"{SCHEMA_VERSION}."
        )
    return version


def refusal(detail: str) -> RecordingError:
    return RecordingError(detail, "recording")


def damaged(how: str) -> RecordingError:
    """What is wrong with a recording, which would have been right as it was written."""
    return refusal(f"This recording is damaged: {how.rstrip('.')}. Send or download it again.")


def _harden(connection: sqlite3.Connection) -> None:
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA query_only = ON")
    for limit, most in (
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 10_000),
        (sqlite3.SQLITE_LIMIT_COLUMN, 100),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20),
    ):
        connection.setlimit(limit, most)
    connection.set_authorizer(_authorize)


def _authorize(action: int, name: str | None, *_: str | None) -> int:
    """Allows reading from tables, and to look whether the file is whole."""
    reads = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
    looks = action == sqlite3.SQLITE_PRAGMA and name == "integrity_check"
    return sqlite3.SQLITE_OK if reads or looks else sqlite3.SQLITE_DENY


def _check_layout(connection: sqlite3.Connection) -> None:
    found = _layout(connection)
    if any(found == layout for layout in _known()):
        return
    more = sorted(found - frozenset().union(*_known()))
    what = f"its {more[0][0]} {more[0][1]!r} is none of ours" if more else "some tables are missing"
    raise refusal(f"This file is not laid out as a recording: {what}.")


def _layout(connection: sqlite3.Connection) -> Layout:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema")
    # A hostile file may hold anything but text here as well.
    return frozenset((str(kind), str(name), " ".join(str(sql).split())) for kind, name, sql in rows)


@cache
def _known() -> tuple[Layout, ...]:
    """Layouts of recordings: new ones, of the first version, and brought up to date."""
    layouts = []
    for script in (SCHEMA, FIRST_SCHEMA, FIRST_SCHEMA + UPGRADE):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.executescript(script)
            layouts.append(_layout(connection))
    return tuple(layouts)


def _check_integrity(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise damaged(found.splitlines()[-1])
