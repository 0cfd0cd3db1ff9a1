"""Adding pictures to the probes: checks, labels, distortion, and recording in a run."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import ProbesConfig, RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array, Frame, Label
from stnscope.backend.experiment.frames.frame_metrics import theta_summary
from stnscope.backend.experiment.inference.transform import fit_probe
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.added_pictures import (
    decode_image,
    encode_image,
    parse_label,
    refusal_reason,
)
from stnscope.backend.experiment.probes.observe import observe
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.records import AddedPicture
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.experiment.runs import pace
from stnscope.backend.experiment.runs.session import record
from stnscope.models.architectures import build
from tests.experiment.recording.older_versions import TO_VERSION_1
from tests.experiment.scripted import Script, assert_same_training

CONFIG = RunConfig(epochs=1, batch_size=8, probes=ProbesConfig(count=2), seed=3)
STOP = {"action": "stop"}
PAUSE = {"action": "pause"}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture
def each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame of every step."""
    monkeypatch.setattr(pace, "FRAME_INTERVAL", 0.0)


def picture(value: int = 255) -> Array:
    """A bar in the centre of an input of the digits' networks."""
    image = np.zeros((48, 48, 1), np.uint8)
    image[14:34, 20:28] = value
    return image


def add_request(value: int = 255, label: Label = None) -> Mapping[str, Any]:
    return {"add_picture": {"image": encode_image(picture(value)), "label": label}}


def new_run(folder: Path, name: str = "run", config: RunConfig = CONFIG) -> Path:
    path = folder / f"{name}{SUFFIX}"
    create(path, config=config, steps_per_epoch=steps_per_epoch(config, DATASETS[config.dataset]))
    return path


def probe_counts(path: Path) -> dict[int, int]:
    """Return the number of probes of each recorded step."""
    with Recording.open(path) as opened:
        frames = {
            record.step: opened.frame(record.step)
            for record in opened.frames()
            if record.lap is None
        }
    return {step: len(frame.tensors["input"]) for step, frame in frames.items()}


# Checks and labels


def summary(**overrides: Any) -> dict[str, Any]:
    config = {"architecture": "digits"}
    return {"status": "running", "probes": 12, "config": config} | overrides


@pytest.mark.parametrize("status", ["running", "paused"])
def test_picture_can_be_added_to_a_run_in_training(status: str) -> None:
    assert refusal_reason(summary(status=status, probes=63)) is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"status": "finished"}, "that is paused or running; this one is finished"),
        ({"status": "queued"}, "that is paused or running; this one is queued"),
        ({"probes": 64}, "has 64 probes already, the maximum"),
        ({"config": {"architecture": "addition-2st"}}, "takes 2 images"),
    ],
)
def test_picture_cannot_be_added_otherwise(overrides: dict[str, Any], message: str) -> None:
    assert message in str(refusal_reason(summary(**overrides)))


@pytest.mark.parametrize(
    ("text", "dataset", "label"),
    [
        (None, "digits", None),
        (" ", "digits", None),
        ("7", "digits", 7),
        (" stop ", "signs", 14),
        ("305", "sequences", [3, 0, 5]),
        ("3, 0, 5", "sequences", [3, 0, 5]),
        ("42", "numbers", [4, 2, 10, 10, 10]),
    ],
)
def test_parse_label_finds_classes_by_name(text: str | None, dataset: str, label: Any) -> None:
    entry = DATASETS[dataset]
    if isinstance(label, int):
        assert entry.classes[label] == (text or "").strip()
    assert parse_label(text, entry) == label


@pytest.mark.parametrize(
    ("text", "dataset", "message"),
    [
        ("ten", "digits", "no class 'ten'; its classes are 0, 1, 2"),
        ("12", "digits", "no class '12'"),
        ("12", "sequences", "3 labels; '12' has 2"),
        ("1234567", "numbers", "5 labels"),
        ("1x3", "sequences", "no class 'x'"),
    ],
)
def test_invalid_label_names_the_field(text: str, dataset: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_label(text, DATASETS[dataset])
    assert caught.value.field == "label"


def test_encoded_image_decodes_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode_image(encode_image(image)), image)


@pytest.mark.parametrize(
    ("architecture", "dataset", "shape"),
    [
        ("digits", "digits", (48, 48, 1)),
        ("signs", "signs", (48, 48, 3)),
        ("recurrent", "sequences", (100, 100, 1)),
        ("signs", "an image folder", (48, 48, 3)),
    ],
)
def test_picture_is_fitted_to_the_run_s_network(
    architecture: str, dataset: str, shape: tuple[int, ...]
) -> None:
    buffer = BytesIO()
    Image.fromarray(np.full((90, 60, 3), 200, np.uint8)).save(buffer, "PNG")
    fitted = fit_probe(buffer.getvalue(), architecture, dataset)
    assert fitted.image.shape == shape
    assert any("fitted whole" in note for note in fitted.notes) or shape[2] == 1


# Distortion


def test_unmoved_picture_is_as_fitted_and_moves_on_its_own_path(digits: Dataset) -> None:
    added = AddedPicture(0, 0, 5, picture())
    one, other = (Probes.from_picture(added, index, digits.entry, CONFIG) for index in (12, 13))
    unmoved = torch.from_numpy(picture()).permute(2, 0, 1)[None] / 255
    assert torch.equal(one.images, unmoved)
    moved = one.at_phase(0.3).images
    assert not torch.equal(moved, unmoved)
    assert not torch.equal(moved, other.at_phase(0.3).images)
    torch.testing.assert_close(one.at_phase(1.3).images, moved, rtol=0, atol=1e-3)
    # Rotated and scaled, without clutter.
    expected = unmoved.sum()
    for phase in (0.1, 0.45, 0.8):
        found = one.at_phase(phase).images.sum()
        assert 0.4 * expected < found < 1.5 * expected
    again = Probes.from_picture(added, 12, digits.entry, CONFIG.model_copy(update={"seed": 8}))
    assert torch.equal(again.at_phase(0.3).images, moved)


def test_preprocessing_applies_to_moved_and_unmoved_pictures() -> None:
    image = np.random.default_rng(2).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    names = {"RTS": "RTS+conorm", "conorm": "conorm"}
    shown = {}
    for key, name in names.items():
        config = RunConfig.model_validate(
            {"dataset": "signs", "architecture": "signs", "distortion": name}
        )
        shown[key] = Probes.from_picture(
            AddedPicture(0, 0, None, image), 12, DATASETS["signs"], config
        )
    assert torch.equal(shown["RTS"].images, shown["conorm"].images)
    assert abs(float(shown["RTS"].images.mean()) - 0.5) < 0.05, "edges on grey"
    assert not torch.equal(shown["RTS"].at_phase(0.3).images, shown["RTS"].images)
    # A distortion without moving draws moves nothing.
    assert torch.equal(shown["conorm"].at_phase(0.3).images, shown["conorm"].images)


def test_frame_lists_added_pictures_and_the_summary_leaves_them_out(digits: Dataset) -> None:
    model = build("digits")
    initial = Probes.choose(digits, CONFIG)
    both = initial
    for index, label in ((2, None), (3, 7)):
        added = AddedPicture(0, 0, label, picture())
        both = both.with_picture(Probes.from_picture(added, index, digits.entry, CONFIG))
    alone, with_pictures = observe(model, initial, {}), observe(model, both, {})
    assert "joined" not in alone.info
    assert (with_pictures.info["joined"], with_pictures.info["labels"]) == ([2, 3], [0, 1, None, 7])
    assert theta_summary(with_pictures) == pytest.approx(theta_summary(alone))
    for name in ("input", "theta.st", "probabilities"):
        np.testing.assert_allclose(with_pictures.tensors[name][:2], alone.tensors[name], atol=1e-5)
    moved = both.at_phase(0.2)
    assert torch.equal(moved.images[:2], initial.at_phase(0.2).images)
    assert moved.labels == both.labels


# In a run


def test_picture_is_a_probe_from_the_next_frame_on(
    tmp_path: Path, each_step: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "digits", replace(DATASETS["digits"], repeats=1))
    config = CONFIG.model_copy(update={"batch_size": 62})
    path = new_run(tmp_path, config=config)
    assert record(path, Finishing(5, add_request(label=3))) == "finished"
    found = probe_counts(path)
    assert {step for step, count in found.items() if count == 3} == set(range(6, 25))
    assert {step for step, count in found.items() if count == 2} == set(range(6))
    with Recording.open(path) as opened:
        run, (added,) = opened.summary(), opened.added_pictures()
        last, lap = opened.frame(24), opened.frame(24, lap=20)
        columns = opened.metrics()
    assert (run["probes"], run["added_at"]) == (3, [6])
    assert (added.step, added.label) == (6, 3)
    np.testing.assert_array_equal(added.image, picture())
    assert (last.info["labels"], last.info["joined"]) == ([0, 1, 3], [2])
    np.testing.assert_array_equal(last.tensors["input"][2], picture())
    assert len(lap.tensors["input"]) == 3
    assert (lap.tensors["input"][2] != picture()).any()
    assert None not in columns["scale"]
    assert run["stillness"] is not None


class Finishing(Script):
    """A script after which the run continues to its end."""

    def has_request(self, seconds: float = 0.0) -> bool:
        return bool(self._script) and super().has_request(seconds)


def test_picture_added_while_paused_is_in_the_current_frame(tmp_path: Path) -> None:
    path = new_run(tmp_path)
    frames: list[Frame] = []

    class ReadNewest(Script):
        def next_request(self) -> Mapping[str, Any]:
            with Recording.open(path) as opened:
                newest = opened.newest_frame()
                assert newest is not None
                frames.append(opened.frame(newest.ref.step))
            return super().next_request()

    record(path, ReadNewest(4, PAUSE, add_request(), add_request(9, 1), STOP))
    assert [(f.info["step"], len(f.info["labels"])) for f in frames[1:]] == [(4, 2), (4, 3), (4, 4)]
    assert frames[-1].info["labels"] == [0, 1, None, 1]
    with Recording.open(path) as opened:
        assert [ref.step for ref in opened.frames()].count(4) == 1
        assert len(opened.frame(4).info["labels"]) == 4


def test_second_frame_of_a_step_counts_once_for_stillness(tmp_path: Path, each_step: None) -> None:
    config = CONFIG.model_copy(update={"probes": ProbesConfig(count=2, moving=True)})
    plain, joined = (new_run(tmp_path, name, config) for name in ("plain", "joined"))
    record(plain, Script(20, PAUSE, {"action": "resume"}, 15, STOP))
    record(joined, Script(20, PAUSE, add_request(), {"action": "resume"}, 15, STOP))
    with Recording.open(plain) as one, Recording.open(joined) as other:
        assert one.metrics()["stillness"] == pytest.approx(other.metrics()["stillness"])
        assert one.metrics()["stillness"][35] is not None


def test_added_picture_does_not_affect_training(tmp_path: Path) -> None:
    plain, joined = new_run(tmp_path, "plain"), new_run(tmp_path, "joined")
    record(plain, Script(20, STOP))
    record(joined, Script(7, add_request(), 13, STOP))
    assert_same_training(plain, joined)


def test_resumed_run_keeps_pictures_at_their_steps(tmp_path: Path, each_step: None) -> None:
    """The process is killed at step 25; after its checkpoint at 10, 11 to 25 are run again."""
    path, whole = new_run(tmp_path), new_run(tmp_path, "whole")
    resume = {"action": "resume"}
    with pytest.raises(KeyboardInterrupt):
        record(path, Script(10, PAUSE, add_request(), resume, 8, add_request(99, 4), 7))
    with Recording.open(path) as opened:
        checkpoint = opened.checkpoint()
        assert checkpoint is not None
        assert (checkpoint.step, opened.summary()["step"]) == (10, 25)
    record(path, Script(5, add_request(50), 20, STOP))
    found = probe_counts(path)
    expected = {step: 2 + (step >= 10) + (step >= 16) + (step >= 19) for step in range(36)}
    assert found == expected
    record(whole, Script(35, STOP))
    assert_same_training(whole, path)
    with Recording.open(path) as opened:
        last, earlier = opened.frame(35), opened.frame(9)
    assert last.info["labels"] == [0, 1, None, None, 4]
    assert [last.tensors["input"][probe].max() for probe in (2, 3, 4)] == [255, 50, 99]
    assert "joined" not in earlier.info


def test_probe_count_never_exceeds_the_maximum(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"probes": ProbesConfig(count=62)})
    path = new_run(tmp_path, config=config)
    record(path, Script(1, *[add_request()] * 4, 1, STOP))
    with Recording.open(path) as opened:
        assert opened.summary()["probes"] == 64
        assert len(opened.frame(99).info["labels"]) == 64


def test_recording_of_version_1_accepts_pictures_after_migration(
    tmp_path: Path,
) -> None:
    path = new_run(tmp_path)
    record(path, Script(3, STOP))
    with RecordingWriter.open(path) as writer:
        writer.connection.executescript(TO_VERSION_1)
    with Recording.open(path) as opened:
        assert (opened.added_pictures(), opened.summary()["probes"]) == ([], 2)
    record(path, Script(2, add_request(), 2, STOP))
    assert probe_counts(path)[7] == 3
