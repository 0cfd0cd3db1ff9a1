"""The command line: its output, and the runs that it records."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stnscope.backend.commands.evaluate import locate_weights
from stnscope.backend.commands.main import main
from stnscope.backend.experiment.config import DistortionConfig, SamplerConfig
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.models.cards import FOLDER
from tests.conftest import TrainedRun
from tests.experiment import sample_data
from tests.live_server import Server, serve
from tests.timeouts import TIMEOUT_SECONDS

LONG_RUN = ("--epochs", "1000", "--probes", "2", "--moving")


@contextmanager
def train_process(home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "stnscope", "train", "--home", str(home), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def read_run_id(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word, run_id = process.stdout.readline().split()
    assert word == "Run"
    return run_id


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with serve(home, "--no-page", "--no-demonstration", "--no-standby") as server:
        yield server


def test_train_records_a_run_that_the_server_lists(
    server: Server, trained_run: TrainedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained_run.output.startswith(f"Run {trained_run.id}\n")
    assert "24/24 steps  epoch 1/1" in trained_run.output
    assert trained_run.output.endswith("\nFinished.\n")
    trained_run.copy_into(server.home)
    run = server.get_run(trained_run.id)
    assert (run["status"], run["step"], run["owned"]) == ("finished", 24, False)
    assert main(["runs", "--home", str(server.home)]) == 0
    assert f"{trained_run.id}  finished     step     24/24" in capsys.readouterr().out
    assert main(["runs", "--home", str(server.home), "--json"]) == 0
    assert trained_run.id in [run["id"] for run in json.loads(capsys.readouterr().out)]


def test_run_of_the_train_command_is_controlled_by_the_server_only_after_its_end(
    server: Server,
) -> None:
    with train_process(server.home, *LONG_RUN) as process:
        run_id = read_run_id(process)
        run = server.wait_for_step(run_id, 2)
        assert (run["status"], run["owned"], run["can"]) == ("running", False, ["rename"])
        assert run["settings"]["moving"]
        for request in ({"action": "pause"}, {"action": "stop"}, {"moving": False}):
            refused = server.post_control(run_id, **request)
            assert refused.status_code == 409, request
            assert "watched, not controlled" in refused.json()["detail"]
        assert server.http.delete(f"/runs/{run_id}").status_code == 409
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_SECONDS)
    assert process.returncode == 130
    step = server.wait_for_status(run_id, "interrupted")["step"]
    assert server.control(run_id, "resume").status_code == 200
    assert server.wait_for_step(run_id, step + 2)["owned"]
    assert server.control(run_id, "stop").json()["status"] == "stopped"


def test_options_set_every_field_of_a_configuration(tmp_path: Path) -> None:
    sample_data.write_image_folder(tmp_path / "data" / "fruit", {"apple": 20, "pear": 20})
    options = ["--data", str(tmp_path / "data"), "--dataset", "fruit", "--epochs", "1"]
    options += ["--batch-size", "8", "--probes", "2", "--distortion", "RTS + occlusion"]
    options += ["--optimiser", "rmsprop", "--schedule", "constant", "--weight-decay", "0.001"]
    options += ["--consistency", "0.5", "--ema-decay", "0.9", "--precision", "bfloat16"]
    options += ["--label-smoothing", "0.2", "--padding", "background", "--background", "0.5"]
    options += ["--supersampling", "2", "--device", "auto", "--threads", "auto", "--channels-last"]
    assert main(["train", "--home", str(tmp_path), *options]) == 0
    (path,) = tmp_path.rglob("*.stnscope")
    with Recording.open(path) as recording:
        config = recording.config()
    assert (config.optimiser, config.schedule) == ("rmsprop", "constant")
    assert (config.weight_decay, config.label_smoothing) == (0.001, 0.2)
    assert (config.consistency, config.ema_decay, config.precision) == (0.5, 0.9, "bfloat16")
    assert config.sampler == SamplerConfig(padding="background", background=0.5, supersampling=2)
    assert (config.device, config.threads) != ("auto", "auto")
    assert config.channels_last
    assert config.distortion == DistortionConfig(name="RTS+occlusion")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "epochs"),
        (["--architecture", "../digits"], "digits-cnn"),
        (["--distortion", "melted"], "scattered"),
        (["--probes", "0"], "probes.count"),
        (["--optimiser", "lion"], "adamw, adam, sgd, rmsprop"),
        (["--schedule", "warm"], "one_cycle, constant, steps"),
        (["--padding", "void"], "zeros, border, background"),
        (["--background", "0.5"], "required with the sampler.padding"),
        (["--supersampling", "9"], "sampler.supersampling"),
        (["--device", "gpu"], "There is no device 'gpu' here; there are auto, cpu"),
        (["--threads", "65"], "a whole number from 1 to 64"),
    ],
)
def test_invalid_options_are_refused_and_start_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["train", "--home", str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.stnscope"))


@pytest.mark.parametrize("command", ["serve", "train", "export", "runs"])
def test_help_describes_each_option_and_has_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main([command, "--help"])
    assert exited.value.code == 0
    output = capsys.readouterr().out
    assert f"examples:\n  stnscope {command}" in output
    options = output.partition("options:\n")[2].partition("\n\n")[0]
    for option in options.split("\n  -"):
        parts = option.split()
        assert len([word for word in parts if not word.isupper()]) > 3, option


def test_help_lists_image_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample_data.write_image_folder(
        tmp_path / "home" / "datasets" / "fruit", {"apple": 12, "pear": 12}
    )
    sample_data.write_image_folder(tmp_path / "elsewhere" / "nuts", {"hazel": 12})
    home = ["train", "--home", str(tmp_path / "home")]
    with pytest.raises(SystemExit):
        main([*home, "--help"])
    output = capsys.readouterr().out
    assert f"data sets in {tmp_path / 'home' / 'datasets'}:\n  fruit\n" in output
    assert "skipped:" not in output
    elsewhere = [*home, "--data", str(tmp_path / "elsewhere")]
    with pytest.raises(SystemExit):
        main([*elsewhere, "--help"])
    assert ":\n  none\nskipped:\n  nuts needs two folders" in capsys.readouterr().out
    assert main([*home, "--dataset", "fruits"]) == 2
    assert "there are digits, signs" in (error := capsys.readouterr().err)
    assert "fruit." in error
    assert main([*elsewhere, "--dataset", "nuts"]) == 2
    assert "nuts needs two folders or more" in capsys.readouterr().err


def test_runs_command_reports_an_empty_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "--home", str(tmp_path)]) == 0
    assert str(tmp_path) in capsys.readouterr().out


def test_weights_are_listed_added_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ("--home", str(tmp_path / "home"))
    file = tmp_path / "net.safetensors"
    file.write_bytes((FOLDER / "digits.safetensors").read_bytes())
    assert main(["weights", "list", *home]) == 0
    assert "signs" in capsys.readouterr().out
    # Neither a card nor options that replace one; no file; a file that loading would execute.
    for arguments, reason in (
        (("add", str(file)), "--architecture"),
        (("add", str(tmp_path / "none.safetensors")), "There is no file"),
        (("add",), "Name a .safetensors file"),
        (("remove", "digits"), "ship with the program"),
        (("add", str(file), "--architecture", "digit", "--dataset", "digits"), "'digit'"),
        (("add", str(file), "--architecture", "digits", "--dataset", "digit"), "'digit'"),
    ):
        assert main(["weights", *arguments, *home]) != 0
        assert reason in capsys.readouterr().err
    architecture = ("--architecture", "digits", "--dataset", "mnist")
    assert main(["weights", "add", str(file), "--name", "mine", *architecture, *home]) == 0
    assert main(["weights", "list", "--json", *home]) == 0
    listed = capsys.readouterr().out.partition("\n")[2]
    added = json.loads(listed)[-1]
    assert (added["name"], added["dataset"], added["parameters"]) == ("mine", "mnist", 163_040)
    # `stnscope evaluate` finds them too.
    located = locate_weights("mine", tmp_path / "home")
    assert Path(located).read_bytes() == file.read_bytes()
    assert locate_weights("digits", tmp_path / "home") == "digits"
    assert main(["weights", "remove", "mine", *home]) == 0
    assert list((tmp_path / "home" / "weights").iterdir()) == []
