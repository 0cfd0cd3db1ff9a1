"""Find the browser that the tests of the page drive, and print its path.

    python tools/browser.py            find one
    python tools/browser.py --install  and install one if none is found

In this order: $CHROMIUM, an installed one, Playwright's own, Debian's package if the user is root.
If there is none, it prints how to install one and exits with 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import sync_playwright

NAMES = (
    # The same engine without windows, which takes a sixth less of the cores.
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
DEBIAN = ("chromium-headless-shell", "chromium")
"""Packages of a browser, the second for releases that lack the first."""
DRIVER_LIBRARY = "libatomic1"
"""A package that Playwright's driver needs; few systems lack it."""
INSTRUCTIONS = (
    "No browser for the tests of the page: run `apt-get install chromium libatomic1` as root, or "
    "`.venv/bin/python -m playwright install --with-deps chromium`, or set CHROMIUM to the path of "
    "a Chromium."
)


def starts(path: str) -> bool:
    """Whether a program starts: a distribution may install a stub that refers to its store."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def playwright_chromium() -> str | None:
    """Return the path of Playwright's own Chromium, installed or not; None if Playwright fails.

    It fails if its driver lacks a library, and then no browser can be driven.
    """
    if not starts(compute_driver_executable()[0]):
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str | None:
    """Return the path of a browser that starts, or None.

    Raises:
        SystemExit: CHROMIUM is set to something that does not start.
    """
    configured = os.environ.get("CHROMIUM")
    if configured:
        if not starts(configured):
            sys.exit(f"CHROMIUM is set to {configured}, which does not start.")
        return configured
    installed = [path for name in NAMES if (path := shutil.which(name))]
    for path in [*installed, *MAC, playwright_chromium()]:
        if path and Path(path).exists() and starts(path):
            return path
    return None


def run_installer(*command: str) -> bool:
    """Run a command that installs something; return whether it succeeds."""
    print("Installing a browser:", " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode != 0:
        output = (done.stdout + done.stderr).splitlines()
        errors = [line for line in output if line.lower().startswith(("e:", "error"))]
        print("That failed:", errors[0] if errors else f"exit {done.returncode}", file=sys.stderr)
    return done.returncode == 0


def install() -> str | None:
    """Install what is missing; return the browser's path, or None if that fails."""
    playwright = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    if playwright_chromium() and run_installer(*playwright) and (path := find()):
        return path
    if os.geteuid() == 0 and shutil.which("apt-get"):
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        run_installer("apt-get", "update")  # an old list may be enough
        for package in DEBIAN:
            packages = (package, DRIVER_LIBRARY)
            if run_installer("apt-get", "install", "--yes", "--no-install-recommends", *packages):
                return find()
    return None


def main() -> int:
    path = find()
    if "--install" in sys.argv[1:] and not (path and playwright_chromium()):
        path = install()
    if path is None:
        print(INSTRUCTIONS, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
