"""The set-up of the environment by `make run`, its messages, and the search for a browser."""

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
# Builds a wheel without files, so that the real pip runs without a network.
BUILD_BACKEND = """
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
    """A folder with the real set-up script and a project without dependencies."""
    folder = tmp_path / "a project"
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "wheels.py").write_text(BUILD_BACKEND)
    (folder / "needs.txt").write_text("")
    (folder / "constraints.txt").write_text("")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for PATH with the basic tools of a system without Python."""
    folder = tmp_path / "path"
    folder.mkdir()
    for name in ("sh", "cat", "cksum"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def run_setup(project: Path, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [path / "sh", "tools/setup", "run"],
        cwd=project,
        env={"PATH": str(path), "PIP_NO_INDEX": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def write_script(file: Path, body: str) -> None:
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def test_missing_python_is_reported_with_what_to_install(project: Path, path: Path) -> None:
    result = run_setup(project, path)
    assert result.returncode == 1
    assert result.stderr == (
        "stnscope needs Python 3.11 or newer: install it, or name one with "
        "PYTHON=/path/to/python3.\n"
    )


def test_checkout_without_links_is_refused(project: Path, path: Path) -> None:
    (project / "stnscope").mkdir()
    (project / "stnscope" / "backend").write_text("../backend")
    result = run_setup(project, path)
    assert result.returncode == 1
    assert "git config core.symlinks true" in result.stderr


def test_old_python_is_refused(project: Path, path: Path) -> None:
    write_script(path / "python3", "exit 1")
    assert "needs Python 3.11 or newer" in run_setup(project, path).stderr


def test_invalid_python_is_reported_by_its_path(project: Path, path: Path) -> None:
    result = run_setup(project, path, PYTHON="/no/python")
    assert result.returncode == 1
    assert (
        result.stderr == "stnscope needs Python 3.11 or newer, and PYTHON=/no/python is not one.\n"
    )


def test_missing_venv_is_reported_with_what_to_install(
    project: Path, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    write_script(path / "python3", f'PYTHONPATH={tmp_path} exec {sys.executable} "$@"')
    result = run_setup(project, path)
    assert result.returncode == 1
    assert result.stderr == (
        "python3 has no venv module: install it (on Debian and Ubuntu: apt install python3-venv) "
        "and run make again.\n"
    )


def test_python_without_venv_is_skipped(project: Path, path: Path, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    write_script(path / "python3.13", f'PYTHONPATH={tmp_path} exec {sys.executable} "$@"')
    write_script(path / "python3", f"echo chosen >&2; exec {sys.executable} -c ''")
    assert "chosen" in run_setup(project, path).stderr


def test_setup_is_repeated_after_changes_and_when_the_interpreter_is_broken(
    project: Path, path: Path
) -> None:
    write_script(path / "python3", f'exec {sys.executable} "$@"')
    leftover = project / ".venv" / "half" / "made"
    leftover.mkdir(parents=True)
    (project / ".venv" / "unfinished").touch()

    first = run_setup(project, path, PIP_USER="1", PIP_TARGET=str(project / "elsewhere"))
    assert first.returncode == 0, first.stderr
    assert not (project / "elsewhere").exists(), "what pip installs stays in the environment"
    assert not leftover.exists(), "an interrupted set-up starts from an empty folder"
    assert "The environment is ready" in first.stderr

    log = project / ".venv" / "setup.log"
    log.unlink()
    assert run_setup(project, path).stderr == ""
    assert not log.exists(), "pip is not called without changes"

    python = project / ".venv" / "bin" / "python"
    os.remove(python)
    python.symlink_to("/no/python")
    assert run_setup(project, path).returncode == 0
    assert python.resolve().exists()

    (project / "constraints.txt").write_text("tiny==1\n")
    assert run_setup(project, path).returncode == 0
    assert "tiny" in log.read_text()

    (project / "needs.txt").write_text("Requires-Dist: stnscope-has-no-such-package\n")
    (project / "constraints.txt").write_text("")
    failed = run_setup(project, path)
    assert failed.returncode == 1
    assert "stnscope-has-no-such-package" in failed.stdout, "pip's message is shown"
    assert run_setup(project, path).returncode == 1, "a failed set-up is repeated"


def find_browser(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "browser.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_browser_in_the_environment_variable_comes_first(tmp_path: Path) -> None:
    write_script(tmp_path / "mine", "exit 0")
    assert find_browser(CHROMIUM=str(tmp_path / "mine")).stdout == f"{tmp_path / 'mine'}\n"
    refused = find_browser(CHROMIUM="/no/browser")
    assert refused.returncode == 1
    assert refused.stderr == "CHROMIUM is set to /no/browser, which does not start.\n"


def test_installed_browser_that_starts_is_found(
    path: Path,
) -> None:
    write_script(path / "chromium", "exit 1")
    write_script(path / "google-chrome", "exit 0")
    assert find_browser(PATH=str(path)).stdout == f"{path / 'google-chrome'}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are searched in /Applications")
def test_missing_browser_is_reported_with_the_command_that_installs_it(
    path: Path, tmp_path: Path
) -> None:
    result = find_browser(PATH=str(path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    assert result.returncode == 1
    assert "apt-get install chromium" in result.stderr
