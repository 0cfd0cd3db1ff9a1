"""Set up the folder .venv: the dependencies in pyproject.toml, at the versions in constraints.txt.

    python tools/environment.py run|dev KEY

`tools/setup` runs it with a Python that is new enough. When all is installed, KEY is written to
`.venv/ready-run` (and `.venv/ready-dev`); the next start compares it and does nothing if it is
equal. pip's own settings (its PIP_ variables and configuration files) apply.
"""

import os
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
EXTRAS = {"run": "serve", "dev": "dev"}
CLEAR = "\r\033[K"  # carriage return, erase the line
INTERVAL = 10.0  # seconds between two lines if the output is not a terminal
# pip's settings of where to install, which would lead out of .venv; the others of the user apply.
INTO_VENV = dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"), "") | {"PIP_USER": "0"}
LOG_LINES = 15  # of pip's log, printed after a failure


class Progress:
    """One line with the current activity and its duration; rewritten in place on a terminal."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.started = time.monotonic()
        self.printed = float("-inf")

    def update(self, activity: str) -> None:
        now = time.monotonic()
        if self.terminal:
            line = f"{activity} ({now - self.started:.0f} s)"[
                : shutil.get_terminal_size().columns - 1
            ]
            print(f"{CLEAR}{line}", end="", file=sys.stderr, flush=True)
        elif now - self.printed >= INTERVAL:
            print(f"{activity} ({now - self.started:.0f} s)", file=sys.stderr, flush=True)
            self.printed = now

    def end(self, result: str) -> None:
        seconds = time.monotonic() - self.started
        print(f"{CLEAR if self.terminal else ''}{result} ({seconds:.0f} s)", file=sys.stderr)


def is_reusable() -> bool:
    """Whether .venv is complete, starts, and has the version of Python that runs this."""
    if UNFINISHED.exists():
        return False
    code = "import sys, pip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def read_lines(stream: IO[str]) -> Iterator[str | None]:
    """Yield the lines of a process as they arrive, and None for each second without one."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while True:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def activity(line: str, current: str, found: int) -> str:
    """Return the activity that a line of pip's output reports; `current` if it reports none."""
    words = line.split()
    if words[:1] == ["Collecting"]:
        return f"Finding packages: {found}, {re.split('[^A-Za-z0-9_.-]', words[1])[0]}"
    if words[:1] == ["Downloading"] and words[-1:] == ["MB)"]:
        return f"Downloading {words[1].rsplit('/', 1)[-1].split('-')[0]} {words[-2]} {words[-1]}"
    if words[:3] == ["Installing", "collected", "packages:"]:
        return f"Installing {len(words) - 3} packages"
    return current


def count_installed() -> int:
    """Return the number of packages in .venv."""
    return sum(1 for _ in FOLDER.glob("lib/python3*/site-packages/*.dist-info"))


def install(extras: str, progress: Progress) -> int:
    """Run pip with one line of progress and its output in .venv/setup.log; return its exit code."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--constraint", "constraints.txt", "--editable", f".[{extras}]"]
    current, found, before = "Finding packages", 0, count_installed()
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            env=os.environ | INTO_VENV,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in read_lines(pip.stdout):
            if line is not None:
                log.write(line)
                found += line.startswith("Collecting")
                current = activity(line, current, found)
            done = count_installed() - before  # 0 if packages are only replaced
            progress.update(f"{current}, {done} done" if done > 0 else current)
    return pip.returncode


def main(purpose: str, key: str) -> int:
    progress = Progress()
    if not is_reusable():
        progress.update(f"Creating .venv with Python {sys.version.split()[0]}")
        # A partial environment may be broken in any way.
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        UNFINISHED.touch()
        venv.create(FOLDER, symlinks=True, with_pip=True)
    UNFINISHED.touch()
    failed = install(EXTRAS[purpose], progress) != 0
    UNFINISHED.unlink()  # pip was not interrupted, so nothing is partly installed
    if failed:
        progress.end("Installing failed; the last lines of .venv/setup.log follow")
        print(*LOG.read_text(encoding="utf-8").splitlines()[-LOG_LINES:], sep="\n")
        return 1
    for ready in ["run", "dev"] if purpose == "dev" else ["run"]:
        (FOLDER / f"ready-{ready}").write_text(key, encoding="utf-8")
    progress.end("The environment is ready")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the next make sets up the environment from the start.")
