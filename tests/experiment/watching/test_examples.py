"""The examples and the documents' lines, run as they stand."""

import runpy
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.watching.loop_end import open_runs
from tests.experiment.watching.networks import TransformerNet
from tests.source_files import ROOT, tracked_files
from tests.test_docs import blocks, read

EXAMPLES = tracked_files("examples/*.py")


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
    threads = torch.get_num_threads()
    runpy.run_path(str(ROOT / example), run_name="__main__")
    assert torch.get_num_threads() == threads
    for run in open_runs():  # as the end of the program would
        run.end()
    (path,) = recordings.glob("*.stnscope")
    with Recording.open(path) as recording:
        assert recording.summary()["watched"]
        assert recording.frame(3).transformers == ["st"]


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
    }
    page = blocks(read(Path("docs/python.md")), "python")
    assert len(page) == 2
    for block in page:
        exec(block, values)
    values["run"].end()  # type: ignore[attr-defined]
    summary = only_summary(recordings)
    assert (summary["step"], summary["status"]) == (2, "finished")
