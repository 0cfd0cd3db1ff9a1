"""The server whose page shows a watched run: one that runs already, or one that is started."""

import atexit
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from socket import create_server

from stnscope.backend.experiment.errors import Unavailable

DEFAULT_ADDRESS = "http://localhost:8501/"
"""Address of `stnscope serve` without options."""
START_SECONDS = 120.0
"""A server imports much; a busy machine takes its time."""
POLL_INTERVAL = 0.1
REQUEST_SECONDS = 5.0

_started: dict[Path, tuple[str, "subprocess.Popen[bytes]"]] = {}
"""Address and process of the servers that this program started, by home."""
# Not by a proxy that the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def find_or_start(run_id: str, home: Path) -> str:
    """Return the address of a server whose page shows a run and may be embedded in a notebook.

    One that is started ends with this program.

    Args:
        run_id: of the run.
        home: its home folder.

    Raises:
        Unavailable: none can be started; the text has the reason.
    """
    started = _started.get(home)
    for address in (started[0] if started else None, DEFAULT_ADDRESS):
        if address is not None and _shows_in_notebooks(address, run_id):
            return address
    return _start(home)


def read(address: str) -> bytes | None:
    """Return what a server responds to a request for an address; None if it is not a success."""
    try:
        with _opener.open(address, timeout=REQUEST_SECONDS) as response:
            return bytes(response.read())
    except (OSError, ValueError):
        return None


def _shows_in_notebooks(address: str, run_id: str) -> bool:
    """Whether a server has a run, needs no token on this machine, and may be embedded."""
    try:
        with _opener.open(f"{address}api/runs/{run_id}", timeout=REQUEST_SECONDS) as response:
            return "vscode-webview:" in response.headers.get("Content-Security-Policy", "")
    except (OSError, ValueError):
        return False


def _start(home: Path) -> str:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "stnscope", "serve", "--home", str(home)]
    command += ["--port", str(port), "--allow-frame", "notebook"]
    command += ["--end-with-input", "--no-demonstration", "--no-standby"]
    address = f"http://localhost:{port}/"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log
        )
        deadline = time.monotonic() + START_SECONDS
        while read(f"{address}api/health") is None:
            if process.poll() is not None or time.monotonic() > deadline:
                _end(process, 0)
                log.seek(0)
                lines = log.read().decode(errors="replace").strip().splitlines()
                raise Unavailable(
                    f"The page cannot be served: {' '.join(lines[-3:]) or 'it does not respond'} "
                    '(It needs `pip install "stnscope[serve]"`.)'
                )
            time.sleep(POLL_INTERVAL)
    if not _started:
        atexit.register(_end_all)
    _started[home] = address, process
    return address


def _end_all() -> None:
    for _, process in _started.values():
        _end(process, REQUEST_SECONDS)
    _started.clear()


def _end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Let a server end within a time; then kill it."""
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()  # workers of a data loader may hold the other end of its input
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()
