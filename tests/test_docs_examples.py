"""The examples in the documents, run unchanged against a real server."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stnscope.backend.commands import sweep
from stnscope.backend.commands.main import build_parser, main
from stnscope.backend.commands.train import config_of
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig
from stnscope.backend.experiment.sweeps.sweep_file import read_sweep
from stnscope.backend.experiment.weights.weights_folder import WeightsFolder
from stnscope.backend.server.runs import WEIGHTS, Runs
from stnscope.backend.server.sweeps import Sweeps
from stnscope.models.cards import FOLDER, cards
from tests.conftest import TrainedRun
from tests.experiment import sample_data
from tests.live_server import Server, free_port, serve, wait_until
from tests.source_files import ROOT
from tests.test_docs import DOCUMENTS, blocks, commands, read
from tests.timeouts import TIMEOUT_SECONDS
from tools import docs

INTERFACE = read(Path("docs/interface.md"))
PICTURES = ROOT / "dashboard" / "assets" / "examples"
# Commands whose examples are run otherwise: here, below, or by a test of their own.
RUN_OTHERWISE = {
    "serve": "test_documented_servers_start",
    "train": "test_documented_trainings_are_accepted",
    "sweep": "test_documented_sweeps_are_accepted",
    # Downloads from the internet; those tests run the command with files of this machine.
    "download": "tests/server/routes/test_catalog.py",
    # Commands on several runs that are compatible.
    "committee": "tests/experiment/inference/test_committee.py",
    # Commands on files that do not exist here; the rows take minutes to hours.
    "evaluate": "tests/experiment/reproduction/test_evaluation.py",
    "invariance": "tests/experiment/reproduction/test_invariance.py",
    "reproduce": "tests/experiment/reproduction/test_reproduce.py",
}
# Why no test runs these programs as documented; tests/test_docs.py checks their arguments.
NOT_RUN = {
    "make": "it would replace the environment of the tests, and run them: tests/test_setup.py",
    "docker": "there is no docker where tests run; tests/test_compose.py reads its files",
    "python": "pytest would run within pytest",
    "deno": "it would change the files; make check runs it",
    "git": "it would clone from the internet",
    "ray": "tests/ray_cluster.py starts clusters",
    "streamlit": "tests/dashboard/test_two_services.py runs it",
    "curl": "tests here run it",
    "export": "of the shell",
    "cd": "of the shell",
}


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
    """Every block of shell and Python on the page, top to bottom; each response is a success."""
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
            response = run_program(["curl", "--config", ".curlrc", *words[1:]], folder)
            if "is RUN below" in line:
                names["RUN"] = json.loads(response)["id"]
                server.wait_for_step(names["RUN"], 2)
            elif "is SWEEP below" in line:
                names["SWEEP"] = json.loads(response)["id"]
            elif "is EXPORT below" in line:
                names["EXPORT"] = json.loads(response)["id"]
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
    return [each for each in examples if each.split()[0] not in RUN_OTHERWISE]


def documented(command: str) -> list[tuple[dict[str, str], list[str]]]:
    """Return the environment and options of each example of a command, in all documents."""
    text = "\n".join(blocks(docs.command_line(), "text")).replace("\\\n", " ")
    lines = re.findall(rf"^ *(stnscope {command} -[^\[\n]*)$", text, re.MULTILINE)
    examples = [shlex.split(re.split(r"(?<! ) {2,}(?! *--)", line)[0]) for line in lines]
    examples += [words for document in DOCUMENTS for words in commands(document)]
    found = []
    for words in examples:
        settings = [word for word in words if re.fullmatch(r"[A-Z_]+=.*", word)]
        if words[len(settings) :][:2] == ["stnscope", command]:
            environment = dict(setting.split("=", 1) for setting in settings)
            found.append((environment, words[len(settings) + 2 :]))
    assert found
    return found


def test_every_documented_program_runs_or_has_a_reason() -> None:
    programs = {
        next(word for word in words if "=" not in word).removeprefix(".venv/bin/")
        for document in DOCUMENTS
        for words in commands(document)
    }
    assert programs == {"stnscope", *NOT_RUN} & programs
    for test in RUN_OTHERWISE.values():
        assert test in globals() or (ROOT / test).exists()


def test_documented_servers_start(tmp_path: Path) -> None:
    """All at once, on free ports; a documented address that this machine lacks becomes its own."""
    servers: list[subprocess.Popen[str]] = []
    for environment, options in documented("serve"):
        options = ["127.0.0.1" if word == "192.168.1.20" else word for word in options]
        home = tmp_path / str(len(servers))
        command = [sys.executable, "-m", "stnscope", "serve", *options, "--home", str(home)]
        command += ["--port", str(free_port()), "--no-page", "--no-demonstration", "--no-standby"]
        servers.append(
            subprocess.Popen(
                command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
            )
        )
    try:
        for server in servers:
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            assert any("stnscope is ready" in line for line in lines), server.args
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.communicate(timeout=TIMEOUT_SECONDS)


def test_documented_trainings_are_accepted(tmp_path: Path) -> None:
    """Each creates a run, which is not trained here: the fixture `trained_run` runs the command."""
    runs = Runs(tmp_path / "recordings", data=tmp_path / "data")
    for _, options in documented("train"):
        parsed = build_parser().parse_args(["train", *options])
        if parsed.dataset not in (None, *DATASETS):
            folder = tmp_path / "data" / parsed.dataset
            sample_data.write_image_folder(folder, {"left": 10, "right": 10})
        runs.create(config_of(parsed, runs.data))
    assert len(runs.list()) == len(documented("train"))


@pytest.mark.parametrize(
    "text",
    [
        *blocks(read(Path("docs/using.md")), "toml"),
        *re.findall(r"^  seeds.*^  learning.*?$", sweep.EXAMPLES, re.S | re.M),
    ],
    ids=["guide", "help"],
)
def test_documented_sweeps_are_accepted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(textwrap.dedent(text))
    config = read_sweep(path)
    planned = Sweeps(Runs(tmp_path / "recordings")).plan(config)
    assert len(planned) > len(config.seeds) == 3


@pytest.mark.parametrize("example", help_examples())
def test_command_line_examples_run(
    example: str, trained_run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = trained_run.copy_into(tmp_path)
    if "--samples" in example:
        run_id = "example-digits"  # it has as many probes
    if example.startswith("resume"):
        Runs(tmp_path / "recordings").set_status(run_id, "stopped")
    shutil.copy(PICTURES / "corner.png", tmp_path / "photo.jpg")
    shutil.copy(PICTURES / "stop.png", tmp_path / "sign.png")
    shutil.copy(trained_run.recording, tmp_path / "run.stnscope")
    for suffix in (".safetensors", ".json"):
        shutil.copy(FOLDER / f"digits{suffix}", tmp_path / f"NET{suffix}")
    if example == "weights remove NET":
        WeightsFolder(tmp_path / WEIGHTS).add(
            tmp_path / "NET.safetensors", replace(cards()["digits"], name="NET")
        )
    words = [re.sub(r"^(run:)?RUN$", rf"\g<1>{run_id}", word) for word in shlex.split(example)]
    if "SWEEP" in words:
        sweeps = Sweeps(Runs(tmp_path / "recordings"))
        config = SweepConfig(name="a sweep")
        created = sweeps.create(config, sweeps.plan(config))
        words = [created.id if word == "SWEEP" else word for word in words]
    assert main([*words, "--home", str(tmp_path)]) == 0
