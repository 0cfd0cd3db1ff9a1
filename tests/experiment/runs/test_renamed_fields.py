"""Recordings whose configuration has the old names of fields can still be used."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import ProbesConfig, RunConfig, SamplerConfig
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.recording.importer import import_recording
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.writer import create
from stnscope.backend.experiment.runs.session import record
from tests.experiment.scripted import Script

SAMPLER = SamplerConfig(padding="background", background=0.25, supersampling=2)
CONFIG = RunConfig(epochs=1, batch_size=8, probes=ProbesConfig(count=2), seed=3, sampler=SAMPLER)
OLD_SAMPLER = {"outside": "background", "background": 0.25, "samples": 2}


def stored_sampler(path: Path, sampler: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the stored settings of the sampler, after replacing them by `sampler` if given."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (text,) = connection.execute("SELECT config FROM run").fetchone()
        config = json.loads(text)
        if sampler is not None:
            config["sampler"] = sampler
            connection.execute("UPDATE run SET config = ?", (json.dumps(config),))
        settings: dict[str, Any] = config["sampler"]
        return settings


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a stopped run whose configuration has the old names."""
    path = tmp_path / f"old{SUFFIX}"
    create(path, config=CONFIG, steps_per_epoch=steps_per_epoch(CONFIG, DATASETS[CONFIG.dataset]))
    record(path, Script(5, {"action": "stop"}))
    stored_sampler(path, OLD_SAMPLER)
    return path


def test_recording_with_old_names_is_read(old: Path) -> None:
    with Recording.open(old) as recording:
        assert recording.config() == CONFIG
        assert recording.summary()["config"] == CONFIG.model_dump(mode="json")


def test_recording_with_old_names_is_resumed(old: Path) -> None:
    assert record(old, Script(3, {"action": "stop"})) == "stopped"
    with Recording.open(old) as recording:
        run = recording.summary()
        assert (run["status"], run["step"], run["attempt"]) == ("stopped", 8, 1)
        assert recording.config() == CONFIG


def test_recording_with_old_names_is_imported_with_new_ones(old: Path) -> None:
    new = old.with_name(f"new{SUFFIX}")
    import_recording(old, new)
    with Recording.open(new) as recording:
        assert recording.config() == CONFIG
    assert stored_sampler(old) == OLD_SAMPLER, "an import does not change the file"
    assert stored_sampler(new) == SAMPLER.model_dump(mode="json")
