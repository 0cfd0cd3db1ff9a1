"""The probes of a watched loop, from whatever it has."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from stnscope.backend.experiment.limits import MAX_PROBES
from stnscope.backend.experiment.watching.probe_images import ProbeImages, choose_probes


def choose(images: Any, labels: Any = None, **options: Any) -> ProbeImages:
    return choose_probes(images, labels, device=torch.device("cpu"), **options)


def numbered(count: int, channels: int = 1) -> Tensor:
    """Return images whose grey value is given by their number."""
    return torch.arange(count).view(-1, 1, 1, 1).expand(-1, channels, 4, 5) / 255


def numbers(probes: ProbeImages) -> list[int]:
    return [int(picture) for picture in probes.pictures[:, 0, 0, 0]]


class NamedImages(Dataset[tuple[Tensor, int]]):
    """Ten images of each class, one class after another."""

    classes = ("ant", "bee", "cat")

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return numbered(30)[index], index // 10

    def __len__(self) -> int:
        return 30


class Streamed(IterableDataset[dict[str, Any]]):
    def __iter__(self) -> Iterator[dict[str, Any]]:
        for index in range(5):
            yield {"pixel_values": numbered(5)[index], "labels": index}


def test_tensor_is_taken_whole_up_to_the_limit() -> None:
    assert numbers(choose(numbered(9))) == list(range(9))
    assert numbers(choose(numbered(100))) == list(range(MAX_PROBES))
    assert numbers(choose(numbered(100), count=3)) == [0, 1, 2]
    assert numbers(choose(numbered(9)[4])) == [4]


def test_one_of_each_class_comes_first() -> None:
    labels = torch.arange(100) // 10
    assert numbers(choose(numbered(100), labels, count=10)) == list(range(0, 100, 10))
    assert numbers(choose(numbered(100), labels, count=12)) == [0, 1, 2, *range(10, 100, 10)]


@pytest.mark.parametrize("wrap", [lambda data: data, lambda data: Subset(data, range(30))])
def test_data_set_has_its_labels_and_the_names_of_its_classes(wrap: Any) -> None:
    probes = choose(wrap(NamedImages()), count=4)
    assert numbers(probes) == [0, 1, 10, 20]
    assert probes.labels == (0, 0, 1, 2)
    assert probes.classes == ("ant", "bee", "cat")


def test_loader_is_read_without_its_random_numbers() -> None:
    order = torch.Generator().manual_seed(5)
    loader = DataLoader(NamedImages(), batch_size=7, shuffle=True, generator=order)
    states = (order.get_state(), torch.get_rng_state(), random.getstate())
    probes = choose(loader)
    assert torch.equal(order.get_state(), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])
    assert random.getstate() == states[2]
    assert len(probes.labels) == 12
    assert set(probes.labels) == {0, 1, 2}


def test_stream_of_mappings_is_read() -> None:
    for source in (Streamed(), DataLoader(Streamed(), batch_size=2)):
        probes = choose(source)
        assert (numbers(probes), probes.labels) == ([0, 1, 2, 3, 4], (0, 1, 2, 3, 4))


def test_pictures_of_pillow_are_scaled_to_one() -> None:
    grey = [Image.new("L", (5, 4), shade) for shade in (0, 255)]
    probes = choose(grey, ["dark", "light"])
    assert probes.images.shape == (2, 1, 4, 5)
    assert probes.images[1].max() == 1
    assert (probes.labels, probes.classes) == ((0, 1), ("dark", "light"))
    colour = choose(Image.new("RGBA", (3, 3), (255, 0, 0, 9)))
    assert colour.images.shape == (1, 3, 3, 3)
    assert colour.pictures[0, 0, 0].tolist() == [255, 0, 0]


def test_bytes_of_arrays_are_scaled_to_one() -> None:
    probes = choose(np.full((2, 1, 3, 3), 51, np.uint8))
    assert probes.images.max().item() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        ([0, 1], (0, 1)),
        (torch.tensor([1, 0]), (1, 0)),
        (["b", "a"], (1, 0)),
        ([None, 1], (None, 1)),
        ([[0, 1], [1, 1]], ([0, 1], [1, 1])),
        ([0.5, 1.5], (None, None)),
        ([0, 7], (None, None)),
        (torch.rand(2, 4), (None, None)),
    ],
)
def test_labels_that_are_no_classes_count_as_unknown(labels: Any, known: Any) -> None:
    assert choose(numbered(2), labels, classes=["a", "b"]).labels == known


def test_given_pictures_replace_those_of_normalised_images() -> None:
    normalised = (numbered(4, channels=3) - 0.5) / 0.25
    assert numbers(choose(normalised, to_pictures=lambda images: images * 0.25 + 0.5)) == [
        0,
        1,
        2,
        3,
    ]
    assert numbers(choose(normalised)) == [0, 85, 170, 255]


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([], ValueError, "no images"),
        ([numbered(1)[0], torch.zeros(1, 9, 9)], ValueError, "differ in size"),
        ([torch.zeros(2)], ValueError, "is not \\(C, H, W\\)"),
        (["a.png"], TypeError, "str is not an image"),
        (7, TypeError, "int is nothing that images can be taken from"),
        ([{"text": "x"}], TypeError, "dict is not an image"),
    ],
)
def test_what_has_no_images_is_named(images: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        choose(images)


def test_labels_beside_those_of_a_data_set_are_refused() -> None:
    data = TensorDataset(numbered(3), torch.zeros(3))
    with pytest.raises(ValueError, match="labels of a data set are its own"):
        choose(data, [0, 1, 2])
