"""Accuracy as variations grow: the evaluation, its result files, and the summary in words."""

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.catalog.distortions import VARIATIONS
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.reproduction.evaluation import load_trained
from stnscope.backend.experiment.reproduction.invariance import (
    choose_examples,
    evaluate_invariance,
)
from stnscope.backend.experiment.reproduction.invariance_curve import (
    STRENGTHS,
    InvariancePoint,
    find_half_lost,
)
from stnscope.backend.experiment.reproduction.result_tables import build_tables
from stnscope.backend.experiment.reproduction.results import (
    KEPT,
    MAX_BYTES,
    read_invariance,
    read_results,
)
from stnscope.backend.experiment.training.loop import Validation
from tests.experiment import sample_data
from tests.experiment.result_files import write_invariance
from tools.results_page import results_page

FALLING = (0, 100, 300, 500, 700, 800)
STEADY = (0, 0, 0, 10, 10, 20)


@pytest.mark.seconds
def test_accuracies_are_those_of_the_predictions() -> None:
    invariance = evaluate_invariance("digits", images=40, draws=2, seed=3)
    curves = {curve.distortion: curve for curve in invariance.curves}
    assert list(curves) == [*VARIATIONS, "RTS"], "the training's distortion too"
    trained, dataset = load_trained("digits"), load("digits")
    config = trained.config.model_copy(
        update={"distortion": trained.config.distortion.model_copy(update={"name": "centred"})}
    )
    centred = Validation.build(config, dataset, complete=True).accuracy(trained.model)
    for curve in curves.values():
        assert [point.strength for point in curve.points] == list(STRENGTHS)
        first, *others = curve.points
        assert first.labels == 40, "nothing is random"
        assert abs(first.accuracy - centred) <= 2 / 40
        for point in others:
            assert point.labels == 80
            assert point.accuracy == (80 - point.errors) / 80
    rotation = curves["R"].points[-1]
    # At least that of 40 independent images with the same number of errors in both draws.
    bound = math.sqrt(rotation.accuracy * (1 - rotation.accuracy) / 39)
    assert bound / 2 < rotation.standard_error <= bound + 1e-9
    assert curves["occlusion"].lost > curves["scale"].lost


@pytest.mark.seconds
def test_pictures_are_what_the_network_sees_and_outputs() -> None:
    invariance = evaluate_invariance("digits", images=12, draws=1)
    pictures = invariance.pictures
    image = Image.open(io.BytesIO(base64.b64decode(pictures.content)))
    rows, columns = 2 * len(invariance.curves), len(STRENGTHS) * len(pictures.labels)
    assert image.size == (columns * pictures.width, rows * pictures.height)
    assert (pictures.height, pictures.width, pictures.outputs) == (48, 48, True)
    assert len(set(pictures.labels)) == 4, "different classes"
    cells = torch.from_numpy(np.array(image.convert("L"))).float()
    first = cells[:48, :48]
    for row in range(2, rows, 2):
        same = cells[row * 48 : row * 48 + 48, :48]
        assert (first - same).abs().mean() < 4, "strength 0 is the same for each variation"
    last = cells[96:144, -48 * 4 : -48 * 3]
    assert (first - last).abs().mean() > 8, "rotated at full strength"
    assert all(len(curve.predicted) == len(STRENGTHS) for curve in invariance.curves)


@pytest.mark.seconds
def test_variation_that_changes_nothing_is_left_out(tmp_path: Path) -> None:
    sample_data.write_files(sample_data.make_gtsrb("official"), tmp_path / "gtsrb")
    invariance = evaluate_invariance("signs", data=tmp_path, draws=1)
    names = [curve.distortion for curve in invariance.curves]
    # a sign fills its image, so it has no other position; a scene makes it smaller.
    assert "T" not in names
    assert names[-1] == "scene"
    assert (invariance.images, invariance.kind) == (4, "images of held-out tracks")


@pytest.mark.seconds
def test_command_prints_the_curves_and_writes_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--weights", "digits", "--images", "6", "--draws", "1", "--home", str(tmp_path)]
    assert main(["invariance", *options, "--folder", str(tmp_path / "results")]) == 0
    printed = capsys.readouterr().out
    path = tmp_path / "results" / "invariance-digits-digits.json"
    result = read_invariance(path)
    assert str(path) in printed
    for curve in result.curves:
        [line] = [line for line in printed.splitlines() if line.startswith(f"{curve.distortion} ")]
        assert f"{100 * curve.points[-1].accuracy:.2f}" in line
    assert result.command == (
        "stnscope invariance --weights digits --dataset digits --images 6 --draws 1 --seed 0"
    )
    assert main(["invariance", "--weights", "none", "--home", str(tmp_path)]) == 2
    assert "There are no weights 'none'" in capsys.readouterr().err


def test_pictured_images_are_of_classes_that_are_spread() -> None:
    labels = torch.arange(100) % 10
    assert labels[choose_examples(labels)].tolist() == [1, 3, 6, 8]
    assert len(choose_examples(torch.tensor([[1, 2], [0, 1]]))) == 2


def points(*accuracies: float) -> list[InvariancePoint]:
    return [
        InvariancePoint(
            strength=index / (len(accuracies) - 1),
            labels=100,
            errors=round(100 * (1 - accuracy)),
            accuracy=accuracy,
            standard_error=0.0,
        )
        for index, accuracy in enumerate(accuracies)
    ]


def test_half_lost_is_between_strengths() -> None:
    assert find_half_lost(points(0.9, 0.7, 0.3), guessing=0.1) == pytest.approx(0.75)
    assert find_half_lost(points(0.9, 0.5, 0.3), guessing=0.1) == pytest.approx(0.5)
    assert find_half_lost(points(0.9, 0.8, 0.6), guessing=0.1) is None


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def change_curve(path: Path, **fields: Any) -> None:
    stored = json.loads(path.read_text())
    stored["curves"][0] |= fields
    path.write_text(json.dumps(stored))


def change_point(path: Path, **fields: Any) -> None:
    stored = json.loads(path.read_text())
    stored["curves"][0]["points"][-1] |= fields
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: change_point(path, accuracy=0.5), "accuracy that is not that of its errors"),
        (lambda path: change_point(path, strength=0.9), "strengths that do not rise from 0 to 1"),
        (lambda path: change_curve(path, half_lost=None), "half the loss that is not that"),
        (lambda path: change_curve(path, distortion="scale"), "a variation twice"),
        (lambda path: change_curve(path, predicted=[["3"]]), "not a prediction for each picture"),
        (lambda path: change(path, curves=[]), "is not a result"),
        (lambda path: change(path, guessing=2), "is not a result"),
    ],
    ids=range(7),
)
def test_damaged_file_is_named_and_costs_no_other_one(
    tmp_path: Path, damage: Any, reason: str
) -> None:
    write_invariance(tmp_path, "other", "digits", {"R": FALLING})
    damage(write_invariance(tmp_path, "mine", "digits-cnn", {"R": FALLING, "scale": STEADY}))
    tables = build_tables(home=tmp_path, kept=tmp_path / "none")
    [unreadable] = tables.unreadable
    assert unreadable.name == "invariance-mine-digits.json"
    assert reason in unreadable.reason
    [table] = tables.invariances
    assert [network.file for network in table.networks] == ["invariance-other-digits.json"]


def test_pictures_that_are_none_are_refused(tmp_path: Path) -> None:
    path = write_invariance(tmp_path, "mine", "digits", {"R": FALLING})
    stored = json.loads(path.read_text())
    for content in ("", "no base64", base64.b64encode(b"<svg/>").decode()):
        change(path, pictures=stored["pictures"] | {"content": content})
        assert "pictures that are no WebP image" in read_results(tmp_path).unreadable[0].reason


def test_sentence_and_page_have_the_numbers(tmp_path: Path) -> None:
    write_invariance(tmp_path, "without", "digits-cnn", {"R": FALLING, "scale": STEADY})
    write_invariance(tmp_path, "with", "digits", {"R": STEADY, "scale": STEADY})
    [table] = build_tables(kept=tmp_path).invariances
    assert [network.transformers for network in table.networks] == [0, 1]
    assert table.sentences == (
        "Trained on RTS, the network without a transformer loses at most 5 points at full strength "
        "under scale (2.0) and half of what it can lose by 0.55 of rotation; the one with a "
        "transformer loses less under rotation (2.0 instead of 80.0).",
    )
    assert table.networks[0].result.pictures.content == "", "sent apart"
    page = results_page(build_tables(kept=tmp_path))
    assert "| Rotated (R) | 100.0, **20.0 ± 1.3** (0.55) | 100.0, **98.0 ± 0.4** |" in page
    assert table.sentences[0] in " ".join(page.split())


def test_sentence_says_that_networks_were_trained_for_unequal_numbers_of_steps(
    tmp_path: Path,
) -> None:
    write_invariance(tmp_path, "with", "digits", {"R": STEADY})
    path = write_invariance(tmp_path, "without", "digits-cnn", {"R": FALLING})
    training = json.loads(path.read_text())["training"]
    change(path, training=training | {"steps": 2000})
    [table] = build_tables(kept=tmp_path).invariances
    assert table.sentences[0].endswith(" They were trained for 2,000 and 10 steps.")


def test_networks_of_other_trainings_are_not_compared(tmp_path: Path) -> None:
    write_invariance(tmp_path, "with", "digits", {"R": STEADY})
    path = write_invariance(tmp_path, "without", "digits-cnn", {"R": FALLING})
    training = json.loads(path.read_text())["training"]
    change(path, training=training | {"distortion": "centred"})
    [table] = build_tables(kept=tmp_path).invariances
    assert table.sentences == ()
    titles = [network.title for network in table.networks]
    assert titles == ["Compact ST-CNN, trained on RTS", "Compact CNN, trained on centred"]


def test_files_that_are_kept_are_small_and_have_their_command() -> None:
    kept = read_results(KEPT)
    assert kept.invariances
    for name, result in kept.invariances.items():
        assert (KEPT / f"{name}.json").stat().st_size < MAX_BYTES / 3
        assert result.command.startswith(f"stnscope invariance --weights {result.weights}")
