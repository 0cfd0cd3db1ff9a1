"""Long trainings in segments."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.reproduction.segment import (
    CHECKPOINT,
    LOG,
    describe_result,
    train_segment,
)

CONFIG = RunConfig(epochs=3, batch_size=8, ema_decay=0.9)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Three steps an epoch, and twelve held-out images, of the digits."""
    digits = load("digits")
    train, held_out = (
        Images(part.pixels[:count], part.labels[:count])
        for part, count in ((digits.train, 24), (digits.held_out, 12))
    )
    entry = digits.entry.__class__(
        **vars(digits.entry) | {"images": 24, "held_out": 12, "repeats": 1}
    )
    return Dataset(entry, train, held_out)


def read_log(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def test_resumed_legs_are_bit_identical_to_one(dataset: Dataset, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    step = train_segment(CONFIG, dataset, whole)
    assert step is not None
    assert step.step == 9
    results = [train_segment(CONFIG, dataset, parts, minutes=0) for _ in range(3)]
    assert [result is None for result in results] == [True, True, False]
    expected, found = load_file(whole / CHECKPOINT), load_file(parts / CHECKPOINT)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    logs = [[(line["epoch"], line["loss"]) for line in read_log(f)] for f in (whole, parts)]
    assert logs[0] == logs[1]
    assert [line["step"] for line in read_log(parts)] == [3, 6, 9]


def test_finished_training_is_not_repeated(dataset: Dataset, tmp_path: Path) -> None:
    train_segment(CONFIG, dataset, tmp_path)
    step = train_segment(CONFIG, dataset, tmp_path)
    assert step is not None
    assert (step.step, len(read_log(tmp_path))) == (9, 3)


def test_interruption_while_writing_leaves_the_checkpoint_before(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_segment(CONFIG, dataset, tmp_path, minutes=0)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_segment(CONFIG, dataset, tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_checkpoint_of_another_configuration_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    train_segment(CONFIG, dataset, tmp_path, minutes=0)
    with pytest.raises(InvalidInput, match="another configuration"):
        train_segment(CONFIG.model_copy(update={"seed": 1}), dataset, tmp_path)


def test_result_has_the_accuracy_with_and_without_averaging(
    dataset: Dataset, tmp_path: Path
) -> None:
    step = train_segment(CONFIG, dataset, tmp_path)
    assert step is not None
    with torch.no_grad():  # so that the trained weights predict one class
        for parameter in step.trained.parameters():
            parameter.zero_()
    result = describe_result(CONFIG, dataset, step)
    zeros = (dataset.held_out.labels == 0).double().mean().item()
    assert result["images"] == 12
    assert result["accuracy_trained"] == zeros
    assert result["accuracy"] != zeros
    assert RunConfig.model_validate(result["config"]) == CONFIG
