"""The tables of a recording, and the upgrade of older versions.

    run          one row: id, configuration, status, progress
    steps        metrics, one row per optimiser step
    frames       frames without their input
    inputs       the probes' images; equal ones are stored once
    checkpoints  states to resume from (the newest two)
    changes      settings that a user changed, with their step
    joined       pictures that were added to the probes, with their step

`seq` increases with every row written, also when a repeated step replaces its row, so that a reader
finds newer rows by one comparison.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import from_json

APPLICATION_ID = 0x53544E31  # "STN1"
SCHEMA_VERSION = 2
OLDER_VERSIONS = frozenset({1})
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
    "imported": "INTEGER NOT NULL DEFAULT 0",
}

JOINED_TABLE = """
CREATE TABLE joined (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, attempt INTEGER NOT NULL,
    time REAL NOT NULL, label TEXT NOT NULL, data BLOB NOT NULL
);
"""

ABSENT: Mapping[str, Mapping[str, str]] = {
    "run": {"imported": "0"},
    "steps": {"collapsed": "NULL"},
}
"""Defaults of the columns that older versions lack."""

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


def _schema(run: Mapping[str, str], metrics: Iterable[str], tables: str = "") -> str:
    return f"""
CREATE TABLE run ({", ".join(f"{name} {kind}" for name, kind in run.items())});
CREATE TABLE steps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER UNIQUE NOT NULL, attempt INTEGER NOT NULL,
    {", ".join(f"{name} REAL" for name in metrics)}
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
{tables}"""


SCHEMA = _schema(RUN_COLUMNS, METRICS, JOINED_TABLE)
FIRST_SCHEMA = _schema(
    {name: kind for name, kind in RUN_COLUMNS.items() if name not in ABSENT["run"]},
    [name for name in METRICS if name not in ABSENT["steps"]],
)
"""The tables of version 1."""

UPGRADE = f"""
BEGIN IMMEDIATE;
ALTER TABLE run ADD COLUMN imported {RUN_COLUMNS["imported"]};
ALTER TABLE steps ADD COLUMN collapsed REAL;
{JOINED_TABLE}
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
"""The script that upgrades version 1."""
