"""The examples and the documents' lines, run unchanged."""

import runpy
import sys
import warnings
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from stnscope.accelerate import StnscopeTracker
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.watching.loop_end import open_runs
from tests.experiment.watching.networks import TransformerNet
from tests.source_files import ROOT, tracked_files
from tests.test_docs import blocks, read

EXAMPLES = tracked_files("examples/*.py")
PAUSABLE = {"thin_plate_spline", "lightning_module"}


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STNSCOPE_HOME", str(tmp_path))
    return tmp_path / "recordings"


def only_summary(folder: Path) -> dict[str, object]:
    (path,) = folder.glob("*.stnscope")
    with Recording.open(path) as recording:
        return recording.summary()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_is_recorded(
    example: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [example.name, "--steps", "3"])
    monkeypatch.syspath_prepend(str((ROOT / example).parent))  # as for any script
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries of other people
        runpy.run_path(str(ROOT / example), run_name="__main__")
    for run in open_runs():  # as the end of the program would
        run.end()
    (path,) = recordings.glob("*.stnscope")
    with Recording.open(path) as recording:
        assert recording.summary()["watched"]
        assert (recording.summary()["step"], recording.summary()["status"]) == (3, "finished")
        assert recording.frame(3).transformers == ["st"]
        has_pause_point = recording.summary()["settings"] is not None
    assert has_pause_point == (example.stem in PAUSABLE)


def test_tracker_of_accelerate_records_what_is_logged(recordings: Path) -> None:
    network = TransformerNet()
    accelerator = Accelerator(cpu=True, log_with=StnscopeTracker(network, torch.rand(2, 1, 12, 12)))
    accelerator.init_trackers("name", config={"rate": 0.1})
    network, optimiser = accelerator.prepare(network, torch.optim.SGD(network.parameters(), 0.1))
    for step in range(1, 4):
        loss = network(torch.rand(2, 1, 12, 12)).square().mean()
        accelerator.backward(loss)
        optimiser.step()
        accelerator.log({"loss": loss.item(), "rate": 0.5}, step=step)
    accelerator.end_training()
    summary = only_summary(recordings)
    assert (summary["step"], summary["status"]) == (3, "finished")
    assert summary["settings"] == {"rate_factors": {}, "slow_motion": 0}


def test_documented_lines_run(recordings: Path) -> None:
    torch.manual_seed(0)
    model = TransformerNet()
    batch = (torch.rand(4, 1, 12, 12), torch.tensor([0, 1, 2, 3]))
    values = {
        "model": model,
        "images": batch[0],
        "labels": batch[1],
        "names": list("abcd"),
        "loader": [batch] * 2,
        "optimiser": torch.optim.SGD(model.parameters(), lr=0.1),
        "loss_function": nn.NLLLoss(),
        "norm": 1.0,
        "loss": 1.0,
        "Trainer": dict,
        "Accelerator": dict,
    }
    page = blocks(read(Path("docs/python.md")), "python")
    assert len(page) == 5
    for block in page:
        exec(block, values)
    for run in open_runs():
        run.end()
    steps = []
    for path in recordings.glob("*.stnscope"):
        with Recording.open(path) as recording:
            steps.append(recording.summary()["step"])
    assert sorted(steps) == [0, 2]  # Accelerate's tracker has logged nothing
