"""The first minutes of a newcomer: what `make run` does and says before there is an environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = """
[build-system]
requires = []
build-backend = "wheels"
backend-path = ["."]
"""
# Builds a wheel of no files, so that pip runs for real and needs no network.
WHEELS = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/tiny-1-py3-none-any.whl", "w") as wheel:
        about = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\nProvides-Extra: dev\\n"
        about += "Provides-Extra: backend\\nProvides-Extra: dashboard\\n"
        about += open("needs.txt").read()
        wheel.writestr("tiny-1.dist-info/METADATA", about)
        kind = "Wheel-Version: 1.0\\nGenerator: tiny\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr("tiny-1.dist-info/WHEEL", kind)
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return "tiny-1-py3-none-any.whl"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with our set-up and a project that needs nothing."""
    folder = tmp_path / "a project"
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "wheels.py").write_text(WHEELS)
    (folder / "needs.txt").write_text("")
    (folder / "constraints.txt").write_text("")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with what a bare machine has, and no Python."""
    folder = tmp_path / "path"
    folder.mkdir()
    for name in ("sh", "cat", "cksum"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def set_up(project: Path, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [path / "sh", "tools/setup", "run"],
        cwd=project,
        env={"PATH": str(path), "PIP_NO_INDEX": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def script(file: Path, body: str) -> None:
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def test_without_python_one_sentence_says_what_to_install(project: Path, path: Path) -> None:
    done = set_up(project, path)
    assert done.returncode == 1
    assert done.stderr == (
        "stnscope needs Python 3.11 or newer: install it, or name one with "
        "PYTHON=/path/to/python3.\n"
    )


def test_an_old_python_is_no_python(project: Path, path: Path) -> None:
    script(path / "python3", "exit 1")
    assert "needs Python 3.11 or newer" in set_up(project, path).stderr


def test_a_named_python_that_does_not_run_is_told_by_its_name(project: Path, path: Path) -> None:
    done = set_up(project, path, PYTHON="/no/python")
    assert done.returncode == 1
    assert done.stderr == "stnscope needs Python 3.11 or newer, and PYTHON=/no/python is not one.\n"


def test_without_venv_one_sentence_says_what_to_install(
    project: Path, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    script(path / "python3", f'PYTHONPATH={tmp_path} exec {sys.executable} "$@"')
    done = set_up(project, path)
    assert done.returncode == 1
    assert done.stderr == (
        "python3 has no venv module: install it (on Debian and Ubuntu: apt install python3-venv) "
        "and run make again.\n"
    )


def test_a_python_without_venv_is_passed_over_for_one_with_it(
    project: Path, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    script(path / "python3.13", f'PYTHONPATH={tmp_path} exec {sys.executable} "$@"')
    script(path / "python3", f"echo chosen >&2; exec {sys.executable} -c ''")
    assert "chosen" in set_up(project, path).stderr


def test_a_set_up_is_repeated_only_when_it_must_be(project: Path, path: Path) -> None:
    script(path / "python3", f'exec {sys.executable} "$@"')
    leftover = project / ".venv" / "half" / "made"
    leftover.mkdir(parents=True)
    (project / ".venv" / "unfinished").touch()

    first = set_up(project, path)
    assert first.returncode == 0, first.stderr
    assert not leftover.exists(), "an interrupted set-up begins again from nothing"
    assert "The environment is ready" in first.stderr

    log = project / ".venv" / "setup.log"
    log.unlink()
    assert set_up(project, path).stderr == ""
    assert not log.exists(), "pip is not called while nothing has changed"

    (project / "constraints.txt").write_text("tiny==1\n")
    assert set_up(project, path).returncode == 0
    assert "tiny" in log.read_text()

    (project / "needs.txt").write_text("Requires-Dist: stnscope-has-no-such-package\n")
    (project / "constraints.txt").write_text("")
    failed = set_up(project, path)
    assert failed.returncode == 1
    assert "stnscope-has-no-such-package" in failed.stdout, "pip's own words are shown"
    assert set_up(project, path).returncode == 1, "what failed is tried again"


def test_a_broken_interpreter_is_noticed(project: Path, path: Path) -> None:
    script(path / "python3", f'exec {sys.executable} "$@"')
    assert set_up(project, path).returncode == 0
    python = project / ".venv" / "bin" / "python"
    os.remove(python)
    python.symlink_to("/no/python")
    assert set_up(project, path).returncode == 0
    assert python.resolve().exists()


def find_browser(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "browser.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_named_browser_comes_first(tmp_path: Path) -> None:
    script(tmp_path / "mine", "exit 0")
    assert find_browser(CHROMIUM=str(tmp_path / "mine")).stdout == f"{tmp_path / 'mine'}\n"
    refused = find_browser(CHROMIUM="/no/browser")
    assert refused.returncode == 1
    assert refused.stderr == "CHROMIUM is set to /no/browser, which does not start.\n"


def test_an_installed_browser_is_found_and_one_that_does_not_start_is_passed_over(
    path: Path,
) -> None:
    script(path / "chromium", "exit 1")
    script(path / "google-chrome", "exit 0")
    assert find_browser(PATH=str(path)).stdout == f"{path / 'google-chrome'}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks in /Applications elsewhere")
def test_without_a_browser_the_command_is_named(path: Path, tmp_path: Path) -> None:
    done = find_browser(PATH=str(path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install chromium" in done.stderr
