"""Long trainings in segments."""

import json
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.reproduction import segment as segment_module
from stnscope.backend.experiment.reproduction.segment import (
    CHECKPOINT,
    LOCK,
    LOG,
    SavedSegment,
    TrainingProgress,
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


def test_resumed_segments_are_bit_identical_to_one(dataset: Dataset, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    segment = train_segment(CONFIG, dataset, whole)
    assert (segment.step.step, segment.is_complete) == (9, True)
    # A step each, so that they end within epochs too.
    segments = [train_segment(CONFIG, dataset, parts, minutes=0) for _ in range(9)]
    assert [segment.step.step for segment in segments] == list(range(1, 10))
    assert [segment.is_complete for segment in segments] == [False] * 8 + [True]
    expected, found = load_file(whole / CHECKPOINT), load_file(parts / CHECKPOINT)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    logs = [[(line["epoch"], line["loss"]) for line in read_log(f)] for f in (whole, parts)]
    assert logs[0] == logs[1]
    assert [line["step"] for line in read_log(parts)] == [3, 6, 9]


def test_finished_training_is_not_repeated(dataset: Dataset, tmp_path: Path) -> None:
    first = train_segment(CONFIG, dataset, tmp_path)
    again = train_segment(CONFIG, dataset, tmp_path)
    assert (again.step.step, again.is_complete, len(read_log(tmp_path))) == (9, True, 3)
    assert again.seconds == pytest.approx(first.seconds, abs=0.1)


def test_interruption_while_writing_leaves_the_checkpoint_before(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_segment(CONFIG, dataset, tmp_path, minutes=0)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", interrupt)
        answers = iter([False, True])  # to the end of the first epoch, step 3
        with pytest.raises(KeyboardInterrupt):
            train_segment(CONFIG, dataset, tmp_path, should_stop=lambda: next(answers))
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    # The epoch was in the log before it was in the checkpoint.
    assert [line["step"] for line in read_log(tmp_path)] == [3]
    train_segment(CONFIG, dataset, tmp_path)
    assert [line["step"] for line in read_log(tmp_path)] == [3, 6, 9]


def test_checkpoints_are_written_within_epochs(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(segment_module, "REPORT_SECONDS", 0.0)
    steps = []

    def report(progress: TrainingProgress) -> None:
        saved = SavedSegment.read(tmp_path, CONFIG)
        assert saved is not None
        steps.append((progress.step, int(saved.state["training"][0])))

    train_segment(CONFIG, dataset, tmp_path, report=report)
    assert steps == [(step, step) for step in range(1, 10)]


def test_segment_stops_when_asked(dataset: Dataset, tmp_path: Path) -> None:
    answers = iter([False, True])
    segment = train_segment(CONFIG, dataset, tmp_path, should_stop=lambda: next(answers))
    assert (segment.step.step, segment.is_stopped, segment.is_complete) == (2, True, False)
    saved = SavedSegment.read(tmp_path, CONFIG)
    assert saved is not None
    assert int(saved.state["training"][0]) == 2


def test_only_one_process_trains_in_a_folder(dataset: Dataset, tmp_path: Path) -> None:
    with FileLock(tmp_path / LOCK), pytest.raises(Conflict, match="Another process"):
        train_segment(CONFIG, dataset, tmp_path)


def test_checkpoint_of_another_configuration_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    train_segment(CONFIG, dataset, tmp_path, minutes=0)
    with pytest.raises(InvalidInput, match="another configuration"):
        train_segment(CONFIG.model_copy(update={"seed": 1}), dataset, tmp_path)
