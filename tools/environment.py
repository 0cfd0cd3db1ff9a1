"""Makes the folder .venv: what pyproject.toml asks for, at the versions in constraints.txt.

    python tools/environment.py run|dev KEY

`tools/setup` calls it with a Python that is new enough. KEY is kept in `.venv/ready-run` (and
`.venv/ready-dev`) once all is installed, and tells the next start that nothing needs doing.
pip's own settings (its PIP_ variables and configuration files) hold here as anywhere.
"""

import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import IO

FOLDER = Path(".venv")
PYTHON = FOLDER / "bin" / "python"
LOG = FOLDER / "setup.log"
UNFINISHED = FOLDER / "unfinished"
EXTRAS = {"run": "backend,dashboard", "dev": "dev"}
CLEAR = "\r\033[K"  # back to the start of the terminal's line, and empty it
HEARTBEAT = 10.0  # seconds between two lines where the terminal cannot rewrite one
SHOWN_ON_FAILURE = 15  # lines of pip's log


class Progress:
    """One line that says what is going on and for how long; rewritten in place on a terminal."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.started = time.monotonic()
        self.printed = float("-inf")

    def show(self, what: str) -> None:
        now = time.monotonic()
        if self.terminal:
            line = f"{what} ({now - self.started:.0f} s)"[: shutil.get_terminal_size().columns - 1]
            print(f"{CLEAR}{line}", end="", file=sys.stderr, flush=True)
        elif now - self.printed >= HEARTBEAT:
            print(f"{what} ({now - self.started:.0f} s)", file=sys.stderr, flush=True)
            self.printed = now

    def end(self, what: str) -> None:
        took = time.monotonic() - self.started
        print(f"{CLEAR if self.terminal else ''}{what} ({took:.0f} s)", file=sys.stderr)


def reusable() -> bool:
    """Whether .venv is whole, works, and is of the version of Python that runs this."""
    if UNFINISHED.exists():
        return False
    asked = "import sys, pip; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def lines(stream: IO[str]) -> Iterator[str | None]:
    """The lines of a process as they come, and None for each second without one."""
    arrived: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            arrived.put(line)
        arrived.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while True:
        try:
            line = arrived.get(timeout=1)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def described(line: str, so_far: str, found: int) -> str:
    """What a line of pip's says is going on now, for a person; so_far where it says nothing."""
    words = line.split()
    if words[:1] == ["Collecting"]:
        return f"Finding packages: {found}, {re.split('[^A-Za-z0-9_.-]', words[1])[0]}"
    if words[:1] == ["Downloading"] and words[-1:] == ["MB)"]:
        return f"Downloading {words[1].rsplit('/', 1)[-1].split('-')[0]} {words[-2]} {words[-1]}"
    if words[:3] == ["Installing", "collected", "packages:"]:
        return f"Installing {len(words) - 3} packages"
    return so_far


def present() -> int:
    """How many packages are in .venv by now."""
    return sum(1 for _ in FOLDER.glob("lib/python3*/site-packages/*.dist-info"))


def install(extras: str, progress: Progress) -> int:
    """Runs pip; shows one line of progress, keeps all it says in .venv/setup.log. Its exit code."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--constraint", "constraints.txt", "--editable", f".[{extras}]"]
    now, found, before = "Finding packages", 0, present()
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in lines(pip.stdout):
            if line is not None:
                log.write(line)
                found += line.startswith("Collecting")
                now = described(line, now, found)
            done = present() - before  # nothing to count where packages are only replaced
            progress.show(f"{now}, {done} done" if done > 0 else now)
    return pip.returncode


def main(purpose: str, key: str) -> int:
    progress = Progress()
    if not reusable():
        progress.show(f"Creating .venv with Python {sys.version.split()[0]}")
        # From nothing: an environment that was left half-made cannot be trusted.
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        UNFINISHED.touch()
        venv.create(FOLDER, symlinks=True, with_pip=True)
    UNFINISHED.touch()
    failed = install(EXTRAS[purpose], progress) != 0
    UNFINISHED.unlink()  # pip came to an end of its own, so nothing is half-installed
    if failed:
        progress.end("Installing failed; pip's last words follow, the rest is in .venv/setup.log")
        print(*LOG.read_text(encoding="utf-8").splitlines()[-SHOWN_ON_FAILURE:], sep="\n")
        return 1
    for ready in ["run", "dev"] if purpose == "dev" else ["run"]:
        (FOLDER / f"ready-{ready}").write_text(key, encoding="utf-8")
    progress.end("The environment is ready")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped; the next make begins the environment again.")
