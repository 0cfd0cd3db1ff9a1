"""Connections to the file of a recording, and the check that it is one."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from stnscope.backend.experiment.errors import RecordingDenied, RecordingError
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.recording.recording_errors import (
    damaged,
    later_version,
    raising_recording_errors,
)
from stnscope.backend.experiment.recording.schema import (
    APPLICATION_ID,
    OLDER_VERSIONS,
    SCHEMA_VERSION,
    TABLES,
)


def connect_for_reading(path: Path, lock_seconds: float) -> sqlite3.Connection:
    """Return a connection to a recording, whatever this user may do in its folder."""
    try:
        return _connect_and_check(path, "mode=ro", lock_seconds)
    except RecordingDenied:
        # A journal that a killed process has left needs to be rolled back, by a writer.
        with (
            suppress(sqlite3.Error, RecordingDenied),
            closing(connect(path, "mode=rw", lock_seconds)) as writer,
        ):
            writer.execute("SELECT 1 FROM sqlite_schema").fetchone()
            return _connect_and_check(path, "mode=ro", lock_seconds)
        # In a folder that is read-only, the files cannot be created by which SQLite detects
        # a writer; without the right to do so, none can write there.
        return _connect_and_check(path, "mode=ro&immutable=1", lock_seconds)


def _connect_and_check(path: Path, options: str, lock_seconds: float) -> sqlite3.Connection:
    connection = connect(path, options, lock_seconds)
    try:
        with raising_recording_errors(path):
            check_is_recording(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def connect(path: Path, options: str, lock_seconds: float) -> sqlite3.Connection:
    """Return a connection to a file, with options of SQLite's addresses such as `mode=ro`."""
    # As a URI, so that a path may have any characters. Several threads may use the connection,
    # one at a time.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
        timeout=lock_seconds,
    )


def check_is_recording(connection: sqlite3.Connection, path: Path) -> None:
    """Check that a database is a recording.

    Raises:
        RecordingError: it is not, or is of another version.
        sqlite3.Error: it cannot be read.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = version_of(connection)
    if application != APPLICATION_ID:
        raise RecordingError(f"{display_name(path.name)} is not a recording.")
    if version > SCHEMA_VERSION:
        reason = f"it is of version {version}; this program reads those up to {SCHEMA_VERSION}"
        raise later_version(path, reason)
    if version != SCHEMA_VERSION and version not in OLDER_VERSIONS:
        raise damaged(path, f"there is no version {version}")
    # Views in their place could have the program compute anything.
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    if missing := TABLES - {name for (name,) in names}:
        raise damaged(path, f"its table {min(missing)} is missing")


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a recording; an older one lacks columns and tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
