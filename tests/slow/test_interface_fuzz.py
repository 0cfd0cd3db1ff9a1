"""A fuzzer sends requests made from the description of the interface, and checks the responses.

All its phases: values at the edges of each schema, random ones, and sequences of requests in which
one uses what another returned. `make test-slow` runs it for five minutes.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copy

import pytest

from tests.conftest import TrainedRun
from tests.live_server import serve
from tests.server.conftest import MINIMAL_SERVER

pytestmark = pytest.mark.slow

SECONDS = os.environ.get("FUZZ_SECONDS", "300")
CONFIG = Path(__file__).with_name("schemathesis.toml")
PROGRAM = (str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG))
UNUSED_ADDRESS = "http://127.0.0.1:9"
"""Data sets are not downloaded from their own servers."""


def test_responses_are_as_described(tmp_path: Path, trained_run: TrainedRun) -> None:
    recordings = tmp_path / "home" / "recordings"
    recordings.mkdir(parents=True)
    copy(trained_run.recording, recordings / "trained.stnscope")
    (recordings / "damaged.stnscope").write_bytes(trained_run.recording.read_bytes()[:10_000])
    log = tmp_path / "log"
    options = (*MINIMAL_SERVER, "--mirror", UNUSED_ADDRESS, "--home-limit", "2GB")
    with serve(tmp_path / "home", *options, log=log) as server:
        address = f"http://127.0.0.1:{server.port}/openapi.json"
        command = [*PROGRAM, "run", address, "--max-time", SECONDS]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert server.http.get("/health").status_code == 200
    assert not re.search("Traceback|ERROR", log.read_text()), log.read_text()[-5000:]
