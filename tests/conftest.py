"""What every test may ask for."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]

# A shell's background job ignores Ctrl-C, and so would every process that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

IN_PROCESSES = "PYTEST_XDIST_WORKER" in os.environ
"""Whether several processes run the tests of this session, and this is one of them."""

if IN_PROCESSES:
    # There is one for each core: with more threads than one they would wait for each other.
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser; a machine without one fails the test, and is told what to run."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "browser.py"], capture_output=True, text=True, check=False
    )
    if found.returncode != 0:
        pytest.fail(found.stderr.strip(), pytrace=False)
    return found.stdout.strip()


@dataclass(frozen=True)
class TrainedRun:
    """A run that the command line has trained to its end, and what it said."""

    recording: Path
    output: str

    @property
    def id(self) -> str:
        return self.recording.stem

    def copy_into(self, home: Path) -> str:
        """Puts the run into another home; answers with its id."""
        (home / "recordings").mkdir(parents=True, exist_ok=True)
        copy(self.recording, home / "recordings")
        return self.id


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """An epoch in 24 steps: all that there is of a run, once for all tests that only look at it.

    Of a network that is trained in half the time that another takes.
    """
    folder = tmp_path_factory.getbasetemp()
    if IN_PROCESSES:
        folder = folder.parent  # which they share
    home = folder / "trained"
    output = home / "said.txt"
    with FileLock(f"{home}.lock"):
        if not output.exists():
            output.write_text(_train(home))
    (recording,) = (home / "recordings").glob("*.stnscope")
    return TrainedRun(recording, output.read_text())


def _train(home: Path) -> str:
    command = [sys.executable, "-m", "stnscope", "train", "--home", str(home), "--epochs", "1"]
    command += ["--batch-size", "1000", "--probes", "2", "--architecture", "paper-st-fcn"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
