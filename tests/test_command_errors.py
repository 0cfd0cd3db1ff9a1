"""The command line reports what it cannot do in one sentence, with an exit status."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stnscope.backend.commands import runs as runs_command
from stnscope.backend.commands.main import main
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.server.runs import Runs
from tests.conftest import ROOT, TrainedRun
from tests.live_server import SHORT_RUN

PICTURE = ROOT / "dashboard" / "assets" / "examples" / "corner.png"


@pytest.fixture
def home(tmp_path: Path, trained_run: TrainedRun) -> Path:
    """A home with one run that has finished."""
    trained_run.copy_into(tmp_path)
    return tmp_path


def exit_status(*arguments: str) -> int | str | None:
    """Return the status of a command, whether it returns or exits."""
    try:
        return main([*arguments])
    except SystemExit as exited:
        return exited.code


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "stnscope", *arguments],
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "Did you mean train?"),
        (["runs", "--jsno"], "usage: stnscope runs "),
        (["runs", "--jsno"], "Did you mean --json?"),
        (["runs", "extra"], "unrecognized arguments: extra\n"),
        (["runs", "--home", ""], "the path is empty"),
        (["runs", "--home", "~nobody-of-this-name/x"], "home directory that is not known"),
        (["serve", "--port", "99999"], "must be 1 to 65535"),
        (["serve", "--port", "-1"], "must be 1 to 65535"),
        (["serve", "--allow-origin", "foo"], "write it as http://"),
        (["serve", "--allow-frame", "http://x/y"], "write it as http://"),
        (["serve", "--allow-host", "http://x"], "without http://"),
        (["serve", "--control-timeout", "nan"], "greater than 0"),
        (["serve", "--control-timeout", "soon"], "greater than 0"),
        (["train", "--run-limit", "0"], "no space for a recording"),
        (["transform", "x.png", "--weights", "digit"], "Did you mean digits?"),
    ],
)
def test_invalid_argument_is_refused_with_what_is_right(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["train", "--home", "/dev/null/x"], 2, "/dev/null/x"),
        (["export", "RUN", "{}/missing/x.gif"], 2, "missing/x.gif does not exist. Create it first"),
        (["export", "RUN", "x.doc"], 2, "call it x.gif"),
        (["export", "none"], 2, "There is no run 'none'"),
        (["transform", "{}/none.png"], 2, "none.png does not exist"),
        (["transform", "{}"], 2, "directory"),
        (["import", "{}/none.stnscope"], 2, "none.stnscope does not exist"),
        (["import", str(PICTURE)], 2, "not a recording"),
        (["resume", "RUN"], 2, "this one is finished"),
        (["delete", "none"], 2, "There is no run 'none'"),
        (["sweep", "{}/none.toml"], 2, "There is no file"),
        (["committee", "none"], 2, "There is no run 'none'"),
    ],
)
def test_command_that_cannot_be_done_says_why(
    home: Path,
    trained_run: TrainedRun,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    words = [word.replace("RUN", trained_run.id).format(home) for word in arguments]
    if "--home" not in words:
        words += ["--home", str(home)]
    assert exit_status(*words) == status
    error = capsys.readouterr().err
    assert error.startswith("stnscope: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "advice"),
    [("nowhere.invalid", "Name one with --host"), ("192.0.2.1", "Name one with --host")],
)
def test_serve_on_a_foreign_address_advises_another_host(
    home: Path, host: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = exit_status("serve", "--home", str(home), "--host", host, "--no-page")
    assert isinstance(status, str)
    assert advice in status


def test_runs_does_not_create_the_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--home", str(tmp_path / "none")]) == 0
    assert "There are no runs" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_unexpected_error_is_one_line_unless_debugging(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise TypeError("of the program")

    monkeypatch.setattr(runs_command, "existing_runs", fail)
    assert main(["runs", "--home", str(home)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(TypeError):
        main(["runs", "--home", str(home), "--debug"])


def test_output_to_a_program_that_has_ended_is_no_error(home: Path) -> None:
    command = [sys.executable, "-m", "stnscope", "runs", "--json", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_terminal_without_block_characters_shows_others(home: Path) -> None:
    result = run_command("train", "--home", str(home), "--epochs", "0", PYTHONIOENCODING="cp1252")
    assert (result.returncode, result.stdout) == (2, b"")
    help_text = run_command("train", "--help", PYTHONIOENCODING="ascii")
    assert help_text.returncode == 0


def test_run_is_found_by_the_beginning_of_its_id(
    home: Path, trained_run: TrainedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    target = home / "out.gif"
    beginning = trained_run.id[:-4]
    assert main(["export", beginning, str(target), "--home", str(home)]) == 0
    assert target.read_bytes().startswith(b"GIF8")
    assert main(["import", str(trained_run.recording), "--home", str(home)]) == 0
    imported = capsys.readouterr().out.split()[-1]
    assert main(["delete", "2", "--home", str(home)]) == 2
    assert "2 runs begin with '2'" in capsys.readouterr().err
    assert main(["delete", imported, trained_run.id, "--home", str(home)]) == 0
    assert not list(home.rglob("*.stnscope"))


def test_picture_is_transformed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.png"
    assert main(["transform", str(PICTURE), str(target), "--home", str(home)]) == 0
    output = capsys.readouterr().out
    assert "theta of st: " in output
    assert "5 9" in output, "the digit is recognised"
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("status", ["queued", "stopped"])
def test_run_is_resumed_to_its_end(
    home: Path, trained_run: TrainedRun, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    runs = Runs(home / "recordings")
    if status == "queued":
        run_id = runs.create(RunConfig.model_validate(SHORT_RUN))
    else:
        run_id = trained_run.id
        runs.set_status(run_id, "stopped")
    assert main(["resume", run_id, "--home", str(home)]) == 0
    assert capsys.readouterr().out.endswith("Finished.\n")
    run = runs.read_summary(run_id)
    assert (run["status"], run["step"]) == ("finished", 24)
    assert run["attempt"] == (status == "stopped")


def test_device_that_does_not_exist_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # else a server would start
        port = str(taken.getsockname()[1])
        for arguments in (["serve", "--port", port], ["transform", str(PICTURE)]):
            status = exit_status(*arguments, "--home", str(tmp_path), "--device", "gpu")
            assert status == 2
            assert "There is no device 'gpu' here; there are auto, cpu" in capsys.readouterr().err
