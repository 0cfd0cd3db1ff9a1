"""The committee's accuracy, against its members' probabilities."""

from collections.abc import Mapping
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import torch

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import DistortionConfig, ProbesConfig, RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.inference.committee import evaluate
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.writer import create
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig
from stnscope.backend.experiment.training.loop import Validation
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.sweeps import Sweeps
from stnscope.models.architectures import build

STEPS = 12


def config(seed: int, distortion: str, strength: float = 1.0) -> RunConfig:
    return RunConfig(
        seed=seed,
        epochs=1,
        batch_size=32,
        probes=ProbesConfig(count=2),
        distortion=DistortionConfig(name=distortion, strength=strength),
    )


class StopAfter:
    """Controls that stop a run after a number of steps."""

    def __init__(self, steps: int) -> None:
        self._steps_left = steps

    def has_request(self, seconds: float = 0.0) -> bool:
        self._steps_left -= 1
        return self._steps_left < 0

    def next_request(self) -> Mapping[str, Any]:
        return {"action": "stop"}


def train_briefly(path: Path, steps: int = STEPS) -> None:
    assert record(path, StopAfter(steps)) == "stopped"


def create_run(folder: Path, name: str, of: RunConfig) -> Path:
    path = folder / f"{name}{SUFFIX}"
    create(path, config=of, steps_per_epoch=steps_per_epoch(of, DATASETS[of.dataset]))
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stopped runs: one without preprocessing, one with equalised histograms."""
    home = tmp_path_factory.mktemp("home")
    (home / "recordings").mkdir()
    for name, of in (("plain", config(1, "RTS")), ("equalised", config(2, "RTS+histeq"))):
        train_briefly(create_run(home / "recordings", name, of))
    return home


def paths(home: Path, *names: str) -> list[Path]:
    return [home / "recordings" / f"{name}{SUFFIX}" for name in names]


def test_probabilities_are_averaged_over_the_same_images(home: Path) -> None:
    result = evaluate(paths(home, "plain", "equalised"))
    dataset = load("digits")
    probabilities = []
    for path, member in zip(paths(home, "plain", "equalised"), result.members, strict=True):
        with Recording.open(path) as recording:
            checkpoint, of = recording.checkpoint(), recording.config()
            assert checkpoint is not None
        model = build("digits")
        model.load_state_dict(
            {
                name.removeprefix("model."): torch.from_numpy(array.copy())
                for name, array in checkpoint.tensors.items()
                if name.startswith("model.")
            }
        )
        validation = Validation.build(of, dataset)
        with torch.inference_mode():
            probabilities.append(model.eval()(validation.images).logits.softmax(dim=1))
        assert member.accuracy == pytest.approx(validation.accuracy(model), abs=2e-3)
        assert (member.run, member.step) == (path.stem, STEPS)
    accuracy = (
        (sum(probabilities[1:], probabilities[0]).argmax(dim=1) == validation.labels)
        .double()
        .mean()
    )
    assert result.accuracy == pytest.approx(accuracy.item(), abs=2e-3)
    assert result.labels == 4 * 297


@pytest.mark.seconds
def test_committee_command_prints_the_accuracies(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sweeps = Sweeps(Runs(home / "recordings"))
    preprocessed = SweepConfig(name="a committee", run={"distortion": "RTS+histeq"})
    sweep = sweeps.create(preprocessed, sweeps.plan(preprocessed))
    [member] = sweep.runs
    copy(*paths(home, "equalised", member.id))
    assert main(["committee", "plain", sweep.id, "--home", str(home)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["plain", member.id, "Together:"]
    assert lines[-1].endswith("% of 1,188 labels.")
    assert main(["committee", "plain", "--home", str(home)]) == 2
    assert "at least 2 members" in capfd.readouterr().err
    assert main(["committee", "plain", "none", "--home", str(home)]) == 2
    assert "no run 'none'" in capfd.readouterr().err


@pytest.mark.parametrize("of", [config(3, "R"), config(3, "RTS", strength=0.5)])
def test_members_must_have_the_same_images(home: Path, tmp_path: Path, of: RunConfig) -> None:
    other = create_run(tmp_path, "other", of)
    train_briefly(other, steps=1)
    with pytest.raises(InvalidInput, match="other and plain have different images"):
        evaluate([*paths(home, "plain"), other])


def test_no_run_is_a_member_twice(home: Path) -> None:
    with pytest.raises(InvalidInput, match="a member only once"):
        evaluate(paths(home, "plain", "plain"))


def test_run_without_a_checkpoint_is_named(home: Path, tmp_path: Path) -> None:
    queued = create_run(tmp_path, "queued", config(4, "RTS"))
    with pytest.raises(Conflict, match="queued has no checkpoint"):
        evaluate([*paths(home, "plain"), queued])
