"""The digits that are part of the program."""

import pytest
import torch

from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def test_no_held_out_digit_is_a_training_image(digits: Dataset) -> None:
    train = {image.numpy().tobytes() for image in digits.train.pixels}
    assert not any(image.numpy().tobytes() in train for image in digits.held_out.pixels)


def test_the_same_share_of_each_class_is_held_out(digits: Dataset) -> None:
    train = torch.bincount(digits.train.labels)
    held_out = torch.bincount(digits.held_out.labels)
    assert (train + held_out).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert ((train + held_out) * 297 / 1797 - held_out).abs().max() < 1


def test_digits_are_upright_and_labelled(digits: Dataset) -> None:
    """Class means: a zero is dark in the centre, a one is light there; a seven is light at the
    top and dark in the lower left."""
    images, labels = digits.train.pixels, digits.train.labels
    mean = torch.stack([images[labels == label, 0].mean(dim=0) for label in range(10)])
    centre = mean[:, 12:16, 12:16].mean(dim=(1, 2))
    assert centre[0] < 0.15
    assert centre[1] > 0.8
    assert mean[7, 1:5, 8:20].mean() > 3 * mean[7, 23:27, 2:8].mean()
