"""Data sets whose images are composed of several digits."""

import pytest
import torch

from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def test_rows_show_their_digits_from_left_to_right(digits: Dataset) -> None:
    rows = load("sequences").held_out
    assert rows.parts is not None
    pixels = rows.take(torch.tensor([0, 7]))
    for image, parts, labels in zip(pixels, rows.parts[[0, 7]], rows.labels[[0, 7]], strict=True):
        assert torch.equal(labels, digits.held_out.labels[parts])
        for position, part in enumerate(parts.tolist()):
            digit = image[:, :, 28 * position : 28 * (position + 1)]
            assert torch.equal(digit, digits.held_out.pixels[part])


def test_pairs_have_a_digit_in_each_channel_and_their_sum_as_label(digits: Dataset) -> None:
    pairs = load("addition").train
    assert pairs.parts is not None
    pixels = pairs.take(torch.arange(20))
    for image, parts, label in zip(pixels, pairs.parts, pairs.labels, strict=False):
        assert torch.equal(image, digits.train.pixels[parts, 0])
        assert label == digits.train.labels[parts].sum()
    assert set(pairs.labels.tolist()) == set(range(19))


def test_numbers_are_labelled_from_the_left_and_centred() -> None:
    numbers = load("numbers").train
    pixels = numbers.take(torch.arange(400))
    is_digit = pixels[:, 0].amax(dim=1).view(400, 5, 12).amax(dim=2) > 0.3
    lengths = (numbers.labels[:400] < 10).sum(dim=1)
    assert set(lengths.tolist()) == {1, 2, 3, 4, 5}
    assert torch.equal(is_digit.sum(dim=1), lengths)
    first = is_digit.int().argmax(dim=1)
    assert torch.equal(first, (5 - lengths) // 2)
    for labels, length in zip(numbers.labels[:400], lengths.tolist(), strict=True):
        assert (labels[length:] == 10).all()
