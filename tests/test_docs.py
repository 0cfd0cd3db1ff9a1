"""The documents: every command in them is one that exists, every link leads somewhere."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.source_files import ROOT, tracked_files

README = (ROOT / "README.md").read_text()


def documents() -> list[Path]:
    return tracked_files("README.md", "docs/*.md")


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    names = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(names)


def commands() -> Iterator[tuple[Path, str]]:
    """Yield each command line in the documents' blocks of shell, without its comment."""
    for document in documents():
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if command := line.split(" #")[0].strip():
                    yield document, command


def test_documented_make_targets_exist() -> None:
    written = {name for _, line in commands() for name in re.findall(r"\bmake ([a-z-]+)", line)}
    written |= set(re.findall(r"`make ([a-z-]+)", README))
    assert {"run", "test"} <= written <= targets()


def test_documented_commands_exist() -> None:
    """Every `stnscope` line in the documents names a command and options that exist."""
    lines = [line for _, line in commands() if re.search(r"\bstnscope [a-z]", line)]
    assert lines
    for line in lines:
        command, *rest = line[line.index("stnscope ") :].split()[1:]
        helped = subprocess.run(
            [sys.executable, "-m", "stnscope", command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert helped.returncode == 0, line
        options = {word.split("=")[0] for word in rest if word.startswith("-")}
        missing = {option for option in options if f"{option} " not in f"{helped.stdout} "}
        assert not missing, f"{line}: no {missing}"


def test_documented_settings_are_read() -> None:
    files = tracked_files("backend/*.py", "dashboard/*.py")
    source = " ".join((ROOT / file).read_text() for file in files)
    for file in [*documents(), *tracked_files("docker-compose.yml", "Dockerfile")]:
        for name in set(re.findall(r"\bSTNSCOPE_[A-Z_]+", (ROOT / file).read_text())):
            assert name in source, f"{file}: {name}"


def test_links_lead_to_files() -> None:
    for document in documents():
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / document).read_text()):
            if "://" not in link:
                assert (ROOT / document.parent / link).exists(), f"{document}: {link}"
