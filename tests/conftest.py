"""Fixtures for all tests."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copy

import pytest
from filelock import FileLock

from stnscope.backend.experiment.recording.writer import RecordingWriter
from tests.forking import RARELY, ForkingPopen, NewInterpreter

ROOT = Path(__file__).parents[1]

# A shell's background job ignores SIGINT, and the processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""
KEPT_BYTES = 1 << 28

IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this process is one of several that run the tests in parallel."""

if IS_XDIST_WORKER:
    # One worker runs per core, so more threads would only compete for the cores.
    os.environ["OMP_NUM_THREADS"] = "1"

if sys.platform == "linux":
    # Memory of freed arrays is kept for the next ones: to map it anew takes a twelfth of the time.
    with suppress(AttributeError):  # only glibc has it
        for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(parameter, KEPT_BYTES)

# Programs of the tests are forked, since loading torch takes a second of a core for each.
subprocess.Popen = ForkingPopen  # type: ignore[assignment, misc]

# What is loaded to collect the tests stays; scanning it for garbage takes a fifth of that time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(RARELY)
    gc.enable()


@pytest.fixture
def new_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of the test run in new interpreters; it is about what these load."""
    monkeypatch.setattr(subprocess, "Popen", NewInterpreter)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser; without one the test fails with the command that installs it."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "browser.py"], capture_output=True, text=True, check=False
    )
    if found.returncode != 0:
        pytest.fail(found.stderr.strip(), pytrace=False)
    return found.stdout.strip()


@dataclass(frozen=True)
class TrainedRun:
    """A run that the command line has trained to its end, and what the command printed."""

    recording: Path
    output: str

    @property
    def id(self) -> str:
        return self.recording.stem

    def copy_into(self, home: Path) -> str:
        """Copy the run into another home folder; return its id."""
        (home / "recordings").mkdir(parents=True, exist_ok=True)
        copy(self.recording, home / "recordings")
        return self.id


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once for all processes that run the tests."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if IS_XDIST_WORKER else folder


@pytest.fixture(scope="session")
def trained_run(shared_folder: Path) -> TrainedRun:
    """A complete run of one epoch in 24 steps, trained once for all tests that only read it.

    Its network trains in half the time of the default one. It has two checkpoints, however long it
    took.
    """
    home = shared_folder / "trained"
    output = home / "output.txt"
    with FileLock(f"{home}.lock"):
        if not output.exists():
            printed = _train(home)
            _add_earlier_checkpoint(_recording(home))
            output.write_text(printed)
    recording = _recording(home)
    return TrainedRun(recording, output.read_text())


def _recording(home: Path) -> Path:
    (recording,) = (home / "recordings").glob("*.stnscope")
    return recording


def _add_earlier_checkpoint(path: Path) -> None:
    with RecordingWriter.open(path) as recording:
        newest = recording.checkpoint_at(recording.checkpoints()[-1].step)
        recording.add_checkpoint(replace(newest, step=newest.step - 4))


def _train(home: Path) -> str:
    command = [sys.executable, "-m", "stnscope", "train", "--home", str(home), "--epochs", "1"]
    command += ["--batch-size", "1000", "--probes", "2", "--architecture", "paper-st-fcn"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
