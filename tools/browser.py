"""Finds the browser that the tests of the page drive, and prints its path.

    python tools/browser.py            find one
    python tools/browser.py --install  and install one where there is none

In this order: $CHROMIUM, one that is installed, Playwright's own, Debian's package where the user
is root. With none to be had it says what to run, and exits with 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# The second is a library that Playwright's own driver needs; few systems lack it.
DEBIAN = ("chromium", "libatomic1")
HOW = (
    "No browser for the tests of the page: run `apt-get install chromium libatomic1` as root, or "
    "`.venv/bin/python -m playwright install --with-deps chromium`, or set CHROMIUM to the path of "
    "a Chromium."
)


def works(path: str) -> bool:
    """Whether path starts at all: a distribution may put a mere pointer to a store there."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def playwrights_own() -> str | None:
    """Where Playwright keeps its own Chromium, present or not; None where Playwright cannot start.

    That is where its driver lacks a library, and then no browser can be driven.
    """
    if not works(compute_driver_executable()[0]):
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str | None:
    """The path of a browser that starts, or None.

    Raises:
        SystemExit: CHROMIUM is set to something that does not start.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if not works(named):
            sys.exit(f"CHROMIUM is set to {named}, which does not start.")
        return named
    installed = [path for name in NAMES if (path := shutil.which(name))]
    for path in [*installed, *MAC, playwrights_own()]:
        if path and Path(path).exists() and works(path):
            return path
    return None


def succeeds(*command: str) -> bool:
    """Runs a command that installs something; its output is told only where it fails."""
    print("Installing a browser:", " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode != 0:
        told = (done.stdout + done.stderr).splitlines()
        why = [line for line in told if line.lower().startswith(("e:", "error"))]
        print("That failed:", why[0] if why else f"exit {done.returncode}", file=sys.stderr)
    return done.returncode == 0


def install() -> str | None:
    """Installs what is missing and gives a browser's path, or None where none can be had."""
    playwright = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    if playwrights_own() and succeeds(*playwright) and (path := find()):
        return path
    if os.geteuid() == 0 and shutil.which("apt-get"):
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        succeeds("apt-get", "update")  # an old list may do, so a failure here decides nothing
        if succeeds("apt-get", "install", "--yes", "--no-install-recommends", *DEBIAN):
            return find()
    return None


def main() -> int:
    path = find()
    if "--install" in sys.argv[1:] and not (path and playwrights_own()):
        path = install()
    if path is None:
        print(HOW, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
