"""Frames of watched runs are accepted without epochs and class scores, and otherwise strictly."""

from typing import Any

import numpy as np
import pytest

from stnscope.backend.experiment.frames.frame import Frame, FrameError
from stnscope.backend.experiment.frames.validation import check_images, validate_frame
from tests.watched_run import watched_frame


def validate(frame: Frame) -> Frame:
    images = frame.tensors["input"]
    check_images(images)
    return validate_frame(frame.without_input().encode(), images)


@pytest.mark.parametrize("epoch", [None, 3], ids=["no epoch", "epoch"])
@pytest.mark.parametrize("classes", [0, 4])
def test_frame_of_a_watched_run_is_accepted(classes: int, epoch: int | None) -> None:
    frame = watched_frame(5, classes=classes, epoch=epoch, progress=epoch)
    assert validate(frame).encode() == frame.encode()


def test_regression_may_have_named_labels_without_class_scores() -> None:
    validate(watched_frame(5).with_info(classes=["left", "right"], labels=[1, None, 0]))


@pytest.mark.parametrize(
    "transformer",
    [
        {"theta": "fitted", "residual": 0.25},
        {"theta": "read", "placement": "exact"},
        {"placement": "stretched", "residual": None},
    ],
)
def test_transformer_says_how_it_was_found(transformer: dict[str, Any]) -> None:
    [described] = validate(watched_frame(5, transformer=transformer)).info["transformers"]
    assert described == {"name": "stn", "family": "affine", "at": "input"} | transformer


def test_probes_without_finite_probabilities_have_no_prediction() -> None:
    frame = watched_frame(5, classes=2)
    probabilities = frame.tensors["probabilities"].copy()
    probabilities[1] = np.nan
    diverged = Frame(frame.info, {**frame.tensors, "probabilities": probabilities})
    for predicted in ([0, None, 1], [0, 0, 1]):  # older recordings have the first class
        assert validate(diverged.with_info(predicted=predicted)).info["predicted"] == predicted
    with pytest.raises(FrameError, match="lacks a prediction"):
        validate(diverged.with_info(predicted=[None, None, 1]))
    probabilities[:] = np.nan
    validate(diverged.with_info(predicted=[None] * 3))
    rows = np.repeat(probabilities[:, None], 2, axis=1)
    in_rows = Frame(frame.info, {**frame.tensors, "probabilities": rows})
    validate(in_rows.with_info(predicted=[None] * 3, labels=[[0, 1]] * 3))


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"epoch": 0}, "epoch"),
        ({"progress": 11}, "progress"),
        ({"labels": [0, None, None]}, "class 0 of 0"),
        ({"predicted": [0, 0, 0]}, "class 0 of 0"),
        ({"predicted": [None, 0, None], "classes": ["one"]}, "lacks tensors.*probabilities"),
        ({"predicted": [[0], [0, 0], None], "classes": ["one"]}, "predictions"),
        ({"predicted": [0, 0, 0], "classes": ["one"]}, "lacks tensors.*probabilities"),
    ],
)
def test_frame_without_class_scores_has_no_predictions(info: dict[str, Any], message: str) -> None:
    with pytest.raises(FrameError, match=message):
        validate(watched_frame(5).with_info(**info))


@pytest.mark.parametrize(
    "transformer",
    [{"theta": "guessed"}, {"placement": 1}, {"residual": -1.0}, {"residual": "small"}],
)
def test_unknown_origin_of_a_region_is_refused(transformer: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match=next(iter(transformer))):
        validate(watched_frame(5, transformer=transformer))


def test_class_scores_without_predictions_are_refused() -> None:
    frame = watched_frame(5, classes=2)
    with pytest.raises(FrameError, match="probabilities"):
        validate(frame.with_info(predicted=[None] * 3))
