"""The examples in the documents, run as they stand against a real server."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.frames.frame import Frame
from tests.conftest import TrainedRun
from tests.live_server import Server, serve, wait_until
from tests.source_files import ROOT
from tests.test_docs import blocks, read
from tools import docs

INTERFACE = read(Path("docs/interface.md"))
PICTURES = ROOT / "dashboard" / "assets" / "examples"
# They do not end, take long, need the internet, or several runs; tests/test_docs.py parses them.
NOT_RUN = ("serve", "train", "download", "committee")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with serve(home, "--no-page", "--no-demonstration", "--no-standby") as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run: with the pictures that they name."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("digit.png", "seven.png"):
        shutil.copy(PICTURES / "paper.png", folder / name)
    return folder


def run_program(command: list[str | Path], folder: Path) -> bytes:
    """Run a command; return what it prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()} {done.stdout.decode()}"
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_interface_examples_run_in_their_order(server: Server, folder: Path) -> None:
    """Every block of shell and Python on the page, top to bottom; each answer is a success."""
    (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    names = {"localhost:8501": f"127.0.0.1:{server.port}"}
    for language, block in re.findall(r"^```(sh|python)\n(.*?)^```", INTERFACE, re.S | re.M):
        for old, new in names.items():
            block = re.sub(rf"\b{old}\b", new, block)
        if language == "python":
            run_program([sys.executable, "-c", block], folder)
            continue
        for line in block.splitlines():
            for old, new in names.items():
                line = re.sub(rf"\b{old}\b", new, line)
            words = shlex.split(line, comments=True)
            assert words[0] == "curl"
            answer = run_program(["curl", "--config", ".curlrc", *words[1:]], folder)
            if "is RUN below" in line:
                names["RUN"] = json.loads(answer)["id"]
                server.wait_for_step(names["RUN"], 2)
            elif "is EXPORT below" in line:
                names["EXPORT"] = json.loads(answer)["id"]
                wait_until(lambda: server.http.get(f"/exports/{names['EXPORT']}/file").is_success)
            elif "zoom.frame" in line:
                frame = Frame.decode((folder / "zoom.frame").read_bytes())
                assert frame.tensors["theta.st"][0].tolist() == [0.5, 0, 0, 0, 0.5, 0]
                names["KEY"] = frame.info["picture"]
    # A fast training does not record every step: the frame may be the one before.
    assert Frame.decode((folder / "step.frame").read_bytes()).info["step"] in (0, 1)
    assert (folder / "evolution.gif").read_bytes().startswith(b"GIF89a")


def help_examples() -> list[str]:
    """Return the examples on the page of the command line that end by themselves."""
    text = "\n".join(blocks(docs.command_line(), "text")).replace("\\\n", " ")
    lines = re.findall(r"^ *stnscope (\w+ [^\[\n]*)$", text, re.MULTILINE)
    examples = [re.split(r" {2,}|\|", line)[0].strip() for line in lines]
    return [each for each in examples if each.split()[0] not in NOT_RUN]


@pytest.mark.parametrize("example", help_examples())
def test_command_line_examples_run(
    example: str, trained_run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = trained_run.copy_into(tmp_path)
    if "--samples" in example:
        run_id = "sample"  # it has as many probes
    words = [run_id if word == "RUN" else word for word in shlex.split(example)]
    assert main([*words, "--home", str(tmp_path)]) == 0
