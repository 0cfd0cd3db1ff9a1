"""Idx files as torchvision stores them."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.load import load
from tests.experiment.stored_data import draw_stroke, found, labels_of, reasons, write_idx

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.mark.parametrize("gzipped", [False, True])
def test_images_are_those_of_the_files(tmp_path: Path, gzipped: bool) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    write_idx(raw, "train", labels_of(40, 10), gzipped=gzipped)
    write_idx(raw, "t10k", labels_of(20, 10), gzipped=gzipped)
    assert found(tmp_path) == {"FashionMNIST": (40, 20)}
    dataset = load("FashionMNIST", tmp_path)
    assert dataset.entry == availability.list_datasets(tmp_path)["FashionMNIST"]
    assert dataset.entry.classes[9] == "Ankle boot"
    assert (dataset.entry.channels, dataset.entry.height) == (1, 28)
    pixels = dataset.held_out.take(torch.arange(20))
    expected = np.stack([draw_stroke(label) for label in labels_of(20, 10)])
    assert np.array_equal(pixels[:, 0].numpy() * 255, expected)
    assert dataset.held_out.labels.tolist() == labels_of(20, 10)


def test_variants_of_a_folder_are_data_sets(tmp_path: Path) -> None:
    raw = tmp_path / "EMNIST" / "raw"
    for variant, classes in (("digits", 10), ("balanced", 47)):
        write_idx(raw, f"emnist-{variant}-train", labels_of(50, classes))
        write_idx(raw, f"emnist-{variant}-test", labels_of(20, classes))
    write_idx(raw, "emnist-letters-train", [1 + label for label in labels_of(52, 26)])
    assert found(tmp_path) == {
        "EMNIST-balanced": (50, 20),
        "EMNIST-digits": (50, 20),
        "EMNIST-letters": (42, 10),
    }
    digits = load("EMNIST-digits", tmp_path)
    assert torch.equal(digits.train.pixels[1, 0], torch.from_numpy(draw_stroke(1).T)), (
        "its images are stored column by column"
    )
    letters, balanced = load("EMNIST-letters", tmp_path), load("EMNIST-balanced", tmp_path)
    assert letters.entry.classes[0] == "a"
    assert letters.train.labels.tolist()[:5] == [0, 1, 2, 3, 5], "every fifth is held out"
    assert balanced.entry.classes[-1] == "t"
    # No network for grey images has that many classes.
    assert balanced.train.take(torch.arange(2)).shape == (2, 3, 48, 48)


def test_labels_of_qmnist_are_their_first_column(tmp_path: Path) -> None:
    write_idx(tmp_path / "QMNIST" / "raw", "qmnist-train", labels_of(30, 10), columns=8)
    write_idx(tmp_path / "QMNIST" / "raw", "qmnist-test", labels_of(20, 10), columns=8)
    assert found(tmp_path) == {"QMNIST": (30, 20)}
    assert load("QMNIST", tmp_path).train.labels.tolist() == labels_of(30, 10)


def declare(data: bytes, *shape: int) -> bytes:
    return data[:4] + b"".join(side.to_bytes(4, "big") for side in shape) + data[4 + 4 * data[3] :]


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (IMAGES, lambda data: data[:-5], "23,520 bytes after its header, and holds 23,515"),
        (IMAGES, lambda data: data + bytes(5), "and holds more"),
        (IMAGES, lambda data: data[:9], "should hold|holds"),
        (IMAGES, lambda data: declare(data, 10**9, 28, 28), "declares 784,000,000,000 bytes"),
        (IMAGES, lambda data: declare(data, 1, 784, 30), "with sides of up to 512 pixels"),
        (IMAGES, lambda data: gzip.compress(data)[:50], "cannot be read: it is damaged"),
        (IMAGES, lambda data: gzip.compress(data + bytes(10**7)), "and holds more"),
        (IMAGES, lambda _: b"<html>", "is not an idx file of bytes"),
        (LABELS, lambda data: data[:-1], "should hold 30 bytes"),
        (LABELS, lambda data: declare(data, 2**31), "are not labels of images"),
        (LABELS, lambda data: declare(data, 29)[:-1], "has 30 images, and train-labels"),
        (LABELS, lambda data: data[:-1] + b"\xff", "label 29 is 255, and there are 10 classes"),
    ],
)  # fmt: skip
def test_damaged_file_is_named(
    tmp_path: Path, name: str, change: Callable[[bytes], bytes], reason: str
) -> None:
    for folder in ("FashionMNIST", "KMNIST"):
        write_idx(tmp_path / folder / "raw", "train", labels_of(30, 10))
    path = tmp_path / "KMNIST" / "raw" / name
    valid = path.read_bytes()
    path.write_bytes(change(valid))
    assert found(tmp_path) == {"FashionMNIST": (24, 6)}
    (text,) = reasons(tmp_path).values()
    assert name in text
    assert re.search(reason, text), text
    path.write_bytes(valid)
    assert found(tmp_path) == {"FashionMNIST": (24, 6), "KMNIST": (24, 6)}


def test_known_data_set_stays_the_programs(tmp_path: Path) -> None:
    """Part of MNIST in its folder is a fault of MNIST, and no data set of the user's."""
    write_idx(tmp_path / "MNIST" / "raw", "train", labels_of(30, 10))
    assert found(tmp_path) == {}
    assert reasons(tmp_path) == {}
    write_idx(tmp_path / "my_mnist", "train", labels_of(30, 10))
    assert found(tmp_path) == {"my_mnist": (24, 6)}
