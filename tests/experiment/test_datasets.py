"""The data sets are what their descriptions say, and their splits do not overlap."""

import pytest
import torch

from backend.experiment.catalog import DATASETS, DatasetEntry
from backend.experiment.datasets import LOADERS, Dataset, load
from backend.experiment.errors import InvalidInput


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def test_the_catalog_lists_what_can_be_loaded() -> None:
    assert list(DATASETS) == list(LOADERS)


@pytest.mark.parametrize("entry", DATASETS.values(), ids=lambda entry: entry.name)
def test_a_data_set_is_as_the_catalog_says(entry: DatasetEntry) -> None:
    dataset = load(entry.name)
    assert dataset.classes == entry.classes
    parts = (
        (entry.images, dataset.images, dataset.labels),
        (entry.held_out, dataset.held_out_images, dataset.held_out_labels),
    )
    for count, images, labels in parts:
        assert images.shape == (count, entry.channels, entry.height, entry.width)
        assert images.dtype == torch.float32
        assert (images.min().item(), images.max().item()) == (0, 1)
        assert labels.shape == (count,)
        assert labels.dtype == torch.int64
        assert set(labels.tolist()) == set(range(len(entry.classes)))


def test_no_held_out_digit_is_trained_on(digits: Dataset) -> None:
    trained_on = {image.numpy().tobytes() for image in digits.images}
    assert not any(image.numpy().tobytes() in trained_on for image in digits.held_out_images)


def test_each_class_has_its_share_of_the_held_out_digits(digits: Dataset) -> None:
    trained_on = torch.bincount(digits.labels)
    held_out = torch.bincount(digits.held_out_labels)
    assert (trained_on + held_out).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert ((trained_on + held_out) * 297 / 1797 - held_out).abs().max() < 1


def test_digits_are_upright_and_labelled(digits: Dataset) -> None:
    """Means over a class: a zero is dark in its middle, a one is lit there; a seven's top is lit
    and its lower left is not."""
    mean = torch.stack(
        [digits.images[digits.labels == label, 0].mean(dim=0) for label in range(10)]
    )
    middle = mean[:, 12:16, 12:16].mean(dim=(1, 2))
    assert middle[0] < 0.15
    assert middle[1] > 0.8
    assert mean[7, 1:5, 8:20].mean() > 3 * mean[7, 23:27, 2:8].mean()


def test_an_unknown_data_set_is_told_which_there_are() -> None:
    with pytest.raises(InvalidInput, match="digits") as caught:
        load("../digits")
    assert caught.value.field == "dataset"
