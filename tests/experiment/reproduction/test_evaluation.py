"""Evaluation of weights, by name and by path; the command's output."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import DatasetError, InvalidInput, NotFound
from stnscope.backend.experiment.reproduction.evaluation import (
    count_multiply_adds,
    evaluate,
    load_trained,
)
from stnscope.backend.experiment.reproduction.results import EvaluationResult, read_results
from stnscope.backend.experiment.reproduction.segment import train_segment
from stnscope.backend.experiment.training.loop import Validation
from stnscope.models.architectures import build
from stnscope.models.cards import FOLDER
from tests.experiment import sample_data

pytestmark = pytest.mark.seconds


def test_shipped_weights_have_the_accuracy_of_their_predictions() -> None:
    evaluation = evaluate("digits")
    trained, dataset = load_trained("digits"), load("digits")
    images = Validation.build(trained.config, dataset, complete=True)
    predicted = images.logits(trained.model).argmax(dim=1)
    assert evaluation.errors == int((predicted != images.labels).sum())
    assert evaluation.images == evaluation.labels == 297
    assert evaluation.accuracy == 1 - evaluation.errors / 297
    confusion = torch.tensor(evaluation.confusion)
    assert confusion.sum(dim=1).tolist() == images.labels.bincount(minlength=10).tolist()
    assert confusion.sum(dim=0).tolist() == predicted.bincount(minlength=10).tolist()


def test_weights_by_path_and_checkpoints_predict_the_same(tmp_path: Path) -> None:
    for suffix in (".safetensors", ".json"):
        shutil.copy(FOLDER / f"digits{suffix}", tmp_path / f"mine{suffix}")
    by_path = evaluate(str(tmp_path / "mine.safetensors"))
    assert by_path.confusion == evaluate("digits").confusion
    config = RunConfig(epochs=1, batch_size=1024, ema_decay=0.9)
    dataset = load("digits")
    segment = train_segment(config, dataset, tmp_path / "trained", minutes=0)
    checkpoint = evaluate(str(tmp_path / "trained"))
    held_out = Validation.build(config, dataset, complete=True)
    assert checkpoint.accuracy == held_out.accuracy(segment.step.model), "the averaged weights"


def test_signs_are_evaluated_on_a_test_set(tmp_path: Path) -> None:
    folder = sample_data.write_files(sample_data.make_gtsrb("official"), tmp_path / "gtsrb")
    held_out = evaluate("signs", data=tmp_path)
    assert (held_out.images, held_out.kind) == (4, "images of held-out tracks")
    assert held_out.note
    every = evaluate("signs", "gtsrb", folder, "centred", every_image=True)
    assert (every.images, every.note) == (12, "")


def test_folder_of_a_data_set_itself_is_accepted(tmp_path: Path) -> None:
    sample_data.write_cluttered(tmp_path / "cluttered_mnist_40")
    for data in (tmp_path, tmp_path / "cluttered_mnist_40"):
        assert evaluate("digits", "cluttered-40", data, "centred").images == 20


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There are no weights 'none'; there are digits"):
        evaluate("none")
    with pytest.raises(InvalidInput, match="does not fit"):
        evaluate("digits", "signs")
    with pytest.raises(DatasetError, match="MNIST is not available"):
        evaluate("digits", "mnist", tmp_path)
    with pytest.raises(InvalidInput, match="no distortion 'RTX'"):
        evaluate("digits", distortion="RTX")
    with pytest.raises(InvalidInput, match="held-out images alone"):
        evaluate("digits", every_image=True)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes((FOLDER / "digits.safetensors").read_bytes()[:-9])
    with pytest.raises(InvalidInput, match="not a complete safetensors file"):
        evaluate(str(damaged))
    shutil.copy(FOLDER / "digits.safetensors", damaged)
    with pytest.raises(InvalidInput, match=r"needs its card, damaged\.json"):
        evaluate(str(damaged))
    shutil.copy(FOLDER / "signs.json", tmp_path / "damaged.json")
    with pytest.raises(InvalidInput, match="does not fit this network"):
        evaluate(str(damaged))
    (tmp_path / "damaged.json").write_text("{}")
    with pytest.raises(InvalidInput, match="is not the card of weights"):
        evaluate(str(damaged))


def test_multiply_adds_are_those_of_the_layers() -> None:
    fcn = build("paper-fcn")
    linear = sum(m.in_features * m.out_features for m in fcn.modules() if isinstance(m, nn.Linear))
    assert count_multiply_adds(fcn, torch.zeros(1, 1, 42, 42)) == linear
    assert count_multiply_adds(fcn, torch.zeros(2, 1, 42, 42)) == 2 * linear


def test_command_prints_the_accuracy_last(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home, results = ["--home", str(tmp_path)], tmp_path / "results"
    assert main(["evaluate", "--weights", "digits", *home, "--folder", str(results)]) == 0
    printed = capsys.readouterr().out.splitlines()
    (kept,) = read_results(results).evaluations.values()
    assert isinstance(kept, EvaluationResult)
    assert printed[-1] == f"accuracy {kept.accuracy:.4f}"
    assert main(["evaluate", "--weights", "digits", *home, "--json"]) == 0
    evaluation = json.loads(capsys.readouterr().out)
    assert evaluation["accuracy"] == kept.accuracy
    assert sum(map(sum, evaluation["confusion"])) == 297


def test_command_reports_errors_of_its_process(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["evaluate", "--weights", "none", "--home", str(tmp_path)]) == 2
    assert "There are no weights 'none'" in capsys.readouterr().err
