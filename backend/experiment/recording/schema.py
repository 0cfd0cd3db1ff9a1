"""The tables of a recording, and the upgrades of older versions.

    run          one row: id, name, configuration, status, progress
    steps        metrics, one row per optimiser step
    frames       frames without their input
    inputs       the probes' images; equal ones are stored once
    checkpoints  states to resume from (the newest two)
    changes      settings that a user changed, with their step
    joined       pictures that were added to the probes, with their step

`seq` increases with every row written, also when a repeated step replaces its row, so that a reader
finds newer rows by one comparison.
"""

import sys
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from stnscope.backend.experiment.limits import MAX_NAME_LENGTH

APPLICATION_ID = 0x53544E31  # "STN1"
SCHEMA_VERSION = 4
OLDER_VERSIONS = frozenset({1, 2, 3})
"""Versions that can be read too, and are upgraded before they are written to."""

TABLES = frozenset({"run", "steps", "inputs", "frames", "checkpoints", "changes"})
"""The tables that every version has."""

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
    "collapsed",
)

RUN_COLUMNS = {
    "id": "TEXT NOT NULL",
    "created": "REAL NOT NULL",
    "config": "TEXT NOT NULL",
    "demonstration": "INTEGER NOT NULL",
    "steps_per_epoch": "INTEGER",
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
    "imported": "INTEGER NOT NULL DEFAULT 0",
    "name": "TEXT",
}

JOINED_TABLE = """
CREATE TABLE joined (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, attempt INTEGER NOT NULL,
    time REAL NOT NULL, label TEXT NOT NULL, data BLOB NOT NULL
);
"""

SCALARS = "scalars"
"""The column of `steps` with further metrics, those of a loop that is not ours: a JSON object."""

MAX_SCALAR = sys.float_info.max
"""The largest finite number; NaN is not at most this."""

ADDED_COLUMNS: Mapping[int, Mapping[str, Mapping[str, str]]] = {
    2: {
        "run": {"imported": RUN_COLUMNS["imported"]},
        "steps": {"collapsed": "REAL"},
    },
    3: {"steps": {SCALARS: "TEXT"}},
    4: {"run": {"name": RUN_COLUMNS["name"]}},
}
"""The columns that each version added, by table."""
ADDED_TABLES: Mapping[int, str] = {2: JOINED_TABLE}
"""The tables that each version added."""
CHANGED_COLUMNS: Mapping[int, Mapping[str, str]] = {3: {"steps_per_epoch": "INTEGER NOT NULL"}}
"""Columns of `run` that a version made anew, as they were before; files that are upgraded keep
them."""


def absent_columns(version: int, table: str) -> dict[str, str]:
    """Return the columns of a table that a version lacks, each with its default in SQL."""
    return {
        name: kind.partition("DEFAULT ")[2] or "NULL"
        for added, tables in ADDED_COLUMNS.items()
        if added > version
        for name, kind in tables.get(table, {}).items()
    }


RENAMED_CONFIG_FIELDS: Mapping[str, Mapping[str, str]] = {
    "sampler": {"outside": "padding", "samples": "supersampling"},
}
"""Renamed fields of a stored configuration: by section, old name to new name."""


def parse_config(text: Any) -> Any:
    """Parse a stored configuration, and rename fields that have a new name.

    Args:
        text: JSON from the column `run.config`, possibly written by an older version.

    Raises:
        ValueError: it is not JSON.
    """
    config = from_json(text) if isinstance(text, str | bytes) else text
    if isinstance(config, dict):
        for section, names in RENAMED_CONFIG_FIELDS.items():
            if isinstance(fields := config.get(section), dict):
                config[section] = {names.get(name, name): value for name, value in fields.items()}
    return config


def parse_scalars(text: Any) -> dict[str, float]:
    """Return further metrics from the column `SCALARS`, without what is not a finite number.

    Args:
        text: JSON, of a file that may be damaged.
    """
    try:
        values = from_json(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    if not isinstance(values, dict):
        return {}
    return {
        name: float(value)
        for name, value in values.items()
        if type(value) in (int, float) and abs(value) <= MAX_SCALAR and is_scalar_name(name)
    }


def is_scalar_name(name: str) -> bool:
    """Whether a further metric may have this name."""
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and name not in METRICS


def schema_of(version: int) -> str:
    """Return the script that creates the tables of a version."""
    run_kinds: dict[str, str] = {}
    for changed, columns in sorted(CHANGED_COLUMNS.items(), reverse=True):
        run_kinds |= columns if changed > version else {}
    run = {
        name: run_kinds.get(name, kind)
        for name, kind in RUN_COLUMNS.items()
        if name not in absent_columns(version, "run")
    }
    steps = {
        name: "TEXT" if name == SCALARS else "REAL"
        for name in (*METRICS, SCALARS)
        if name not in absent_columns(version, "steps")
    }
    tables = [tables for added, tables in ADDED_TABLES.items() if added <= version]
    return f"""
CREATE TABLE run ({", ".join(f"{name} {kind}" for name, kind in run.items())});
CREATE TABLE steps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER UNIQUE NOT NULL, attempt INTEGER NOT NULL,
    {", ".join(f"{name} {kind}" for name, kind in steps.items())}
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
{"".join(tables)}"""


def upgrade_to(version: int) -> str:
    """Return the SQL that upgrades a recording to `version` from the one before."""
    columns = "\n".join(
        f"ALTER TABLE {table} ADD COLUMN {name} {kind};"
        for table, added in ADDED_COLUMNS[version].items()
        for name, kind in added.items()
    )
    return f"""
BEGIN IMMEDIATE;
{columns}
{ADDED_TABLES.get(version, "")}
PRAGMA user_version = {version};
COMMIT;
"""


SCHEMA = schema_of(SCHEMA_VERSION)
