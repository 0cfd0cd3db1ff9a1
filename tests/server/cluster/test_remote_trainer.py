"""What is left on a node by actors that were killed is removed, and nothing else."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from stnscope.backend.experiment.recording.lock import writer_lock
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.server.cluster.remote_trainer import KEPT_SECONDS, PREFIX, remove_abandoned


def abandoned_recording(folder: Path, name: str, seconds: float) -> Path:
    """Return a recording in a folder that was written `seconds` ago."""
    recording = folder / f"{PREFIX}{name}" / f"run{SUFFIX}"
    recording.parent.mkdir()
    recording.write_bytes(b"rows")
    written = time.time() - seconds
    os.utime(recording.parent, (0, 0))
    os.utime(recording, (written, written))
    return recording


def test_only_what_nobody_can_ask_for_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old = abandoned_recording(tmp_path, "old", 3 * KEPT_SECONDS)
    kept = abandoned_recording(tmp_path, "kept", KEPT_SECONDS / 2)
    trained = abandoned_recording(tmp_path, "trained", 3 * KEPT_SECONDS)
    with writer_lock(trained):
        for path in (trained.with_suffix(".lock"), trained.parent):
            os.utime(path, (0, 0))
        remove_abandoned()
    assert not old.parent.exists()
    assert kept.exists()
    assert trained.exists()
