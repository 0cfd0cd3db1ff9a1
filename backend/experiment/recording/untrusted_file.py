"""Open an untrusted file as a recording, if its schema is exactly that of a recording.

Besides rows, an SQLite file can contain triggers, views, expressions in its schema, and deliberate
corruption. None of it is executed: the schema must be identical to that of a recording, which has
none of them, and SQLite's defences are enabled as well (www.sqlite.org/security.html).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stnscope.backend.experiment.errors import LaterVersion, RecordingError
from stnscope.backend.experiment.recording.schema import (
    APPLICATION_ID,
    OLDER_VERSIONS,
    SCHEMA_VERSION,
    schema_of,
    upgrade_to,
)

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
"""Size of an SQLite file's header (www.sqlite.org/fileformat.html, 1.3)."""
VERSION_OFFSET, APPLICATION_OFFSET = 60, 68
MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Maximum size of a text or blob that is read; checkpoints may be larger and are not read."""

Schema = frozenset[tuple[str, str, str]]
"""The type, name and SQL of each object of a database."""


@dataclass(frozen=True)
class UntrustedFile:
    """An untrusted recording whose schema and integrity were checked, but not its rows."""

    rows: sqlite3.Connection
    version: int


@contextmanager
def open_untrusted(path: Path) -> Iterator[UntrustedFile]:
    """Check a whole untrusted file, and open it as a recording for reading.

    Raises:
        RecordingError: it is not a recording, or of an unknown version or damaged.
    """
    with path.open("rb") as file:
        version = check_header(file.read(HEADER_BYTES))
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            _harden(connection)
            _check_schema(connection)
            _check_integrity(connection)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
            yield UntrustedFile(connection, version)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise damaged_error(str(error)) from error


def check_header(header: bytes) -> int:
    """Check the first `HEADER_BYTES` of a file; return the version of the recording.

    Raises:
        RecordingError: it is not a recording, or of an unknown version.
    """
    if not header:
        raise _refusal("The file is empty. Choose a recording, a file that ends in .stnscope.")
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise _refusal("This file is not a recording. Recordings end in .stnscope.")
    if int.from_bytes(header[APPLICATION_OFFSET : APPLICATION_OFFSET + 4]) != APPLICATION_ID:
        raise _refusal("This is an SQLite file, but not a recording. Recordings end in .stnscope.")
    version = int.from_bytes(header[VERSION_OFFSET : VERSION_OFFSET + 4])
    if version != SCHEMA_VERSION and version not in OLDER_VERSIONS:
        raise _refusal(
            f"This is a recording of version {version}; this program reads those up to "
            f"{SCHEMA_VERSION}."
        )
    return version


def _refusal(detail: str) -> RecordingError:
    return RecordingError(detail, "recording")


def later_version_error(reason: str) -> LaterVersion:
    """Return the error of importing a recording of a later version."""
    return LaterVersion(
        f"This recording was made by a later version of stnscope: {reason}. Update stnscope to "
        "import it.",
        "recording",
    )


def damaged_error(reason: str) -> RecordingError:
    """Return the error of importing a recording that is not as it was written."""
    return _refusal(f"This recording is damaged: {reason.rstrip('.')}. Send or download it again.")


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
    """Allow only reading from tables, and the integrity check."""
    is_read = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
    is_check = action == sqlite3.SQLITE_PRAGMA and name == "integrity_check"
    return sqlite3.SQLITE_OK if is_read or is_check else sqlite3.SQLITE_DENY


def _check_schema(connection: sqlite3.Connection) -> None:
    schema = _read_schema(connection)
    if schema in _known_schemas():
        return
    unknown = sorted(schema - frozenset().union(*_known_schemas()))
    reason = (
        f"its {unknown[0][0]} {unknown[0][1]!r} is unknown"
        if unknown
        else "some tables are missing"
    )
    raise _refusal(f"This file does not have the schema of a recording: {reason}.")


def _read_schema(connection: sqlite3.Connection) -> Schema:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema")
    # In a malicious file these may have other types than text.
    return frozenset((str(kind), str(name), " ".join(str(sql).split())) for kind, name, sql in rows)


@cache
def _known_schemas() -> tuple[Schema, ...]:
    """Return the schemas of recordings: of each version, as it was created and upgraded."""
    schemas = []
    for created in sorted({*OLDER_VERSIONS, SCHEMA_VERSION}):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.executescript(schema_of(created))
            schemas.append(_read_schema(connection))
            for version in range(created + 1, SCHEMA_VERSION + 1):
                connection.executescript(upgrade_to(version))
                schemas.append(_read_schema(connection))
    return tuple(schemas)


def _check_integrity(connection: sqlite3.Connection) -> None:
    (report,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if report != "ok":
        raise damaged_error(report.splitlines()[-1])
