"""The tables of a recording, and the upgrade of older versions.

    run          one row: id, configuration, status, progress
    steps        one row of metrics per optimiser step
    frames       frames without their input
    inputs       the probes' images, equal ones once
    checkpoints  states to resume from (the newest two)
    changes      settings changed by hand while it trained, each with its step
    joined       pictures added to the probes, each with its step

`seq` rises with every row written, also when a step that is run again replaces its row, so that
"newer than the last one read" is one comparison.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import from_json

APPLICATION_ID = 0x53544E31  # "STN1", identifies a recording
SCHEMA_VERSION = 2
OLDER_VERSIONS = frozenset({1})
"""Versions that are read too, and upgraded before they are written to."""

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

JOINED = """
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
"""Fields of a stored configuration that have a new name: by their part of it, old to new."""


def parse_config(text: Any) -> Any:
    """Parse a stored configuration, with its fields under their current names.

    Args:
        text: JSON as in the column `run.config`, possibly written by an older version.

    Raises:
        ValueError: it is not JSON.
    """
    config = from_json(text) if isinstance(text, str | bytes) else text
    if isinstance(config, dict):
        for part, names in RENAMED_CONFIG_FIELDS.items():
            if isinstance(fields := config.get(part), dict):
                config[part] = {names.get(name, name): value for name, value in fields.items()}
    return config


def _schema(run: Mapping[str, str], metrics: Iterable[str], more: str = "") -> str:
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
{more}"""


SCHEMA = _schema(RUN_COLUMNS, METRICS, JOINED)
FIRST_SCHEMA = _schema(
    {name: kind for name, kind in RUN_COLUMNS.items() if name not in ABSENT["run"]},
    [name for name in METRICS if name not in ABSENT["steps"]],
)
"""The tables of version 1."""

UPGRADE = f"""
BEGIN IMMEDIATE;
ALTER TABLE run ADD COLUMN imported {RUN_COLUMNS["imported"]};
ALTER TABLE steps ADD COLUMN collapsed REAL;
{JOINED}
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
"""Upgrades an older version."""
