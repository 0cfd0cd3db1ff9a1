"""Binary files of CIFAR-10, CIFAR-100 and STL10."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stnscope.backend.experiment.data.load import load
from tests.experiment.stored_data import found, reasons, write_cifar


def test_cifar_10_is_read(tmp_path: Path) -> None:
    write_cifar(tmp_path / "cifar-10-batches-bin")
    assert found(tmp_path) == {"cifar-10-batches-bin": (60, 30)}
    dataset = load("cifar-10-batches-bin", tmp_path)
    assert dataset.entry.classes[3] == "thing 3"
    pixels = dataset.held_out.take(torch.arange(30))
    assert pixels.shape == (30, 3, 48, 48)
    assert (pixels[:, 0, 24, 24] * 255).round().tolist() == list(range(30))
    assert not pixels[:, 1:].any(), "the planes are red, green and blue"
    assert dataset.held_out.labels.tolist() == [number % 10 for number in range(30)]


def test_fine_labels_of_cifar_100_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "cifar"
    folder.mkdir()
    records = np.zeros((30, 3074), np.uint8)
    records[:, 0], records[:, 1] = 99, np.arange(30) % 3
    (folder / "train.bin").write_bytes(records.tobytes())
    (folder / "fine_label_names.txt").write_text("apple\npear\nquince\n")
    assert found(tmp_path) == {"cifar": (24, 6)}
    assert load("cifar", tmp_path).train.labels.tolist()[:5] == [0, 1, 2, 0, 2]


def test_stl10_is_upright(tmp_path: Path) -> None:
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    images = np.zeros((20, 3, 96, 96), np.uint8)
    images[:, :, :, :20] = 255  # by columns: the upper rows
    for part in ("train", "test"):
        (folder / f"{part}_X.bin").write_bytes(images.tobytes())
        (folder / f"{part}_y.bin").write_bytes(bytes(1 + number % 2 for number in range(20)))
    (folder / "class_names.txt").write_text("airplane\nbird")
    assert found(tmp_path) == {"stl10_binary": (20, 20)}
    dataset = load("stl10_binary", tmp_path)
    assert dataset.train.labels.tolist() == [number % 2 for number in range(20)]
    first = dataset.train.take(torch.tensor([0]))[0]
    assert first[:, :8].min() > 0.9
    assert first[:, 14:].max() < 0.1
    (folder / "train_y.bin").write_bytes(bytes(20))
    assert "train_y.bin: label 0 is -1" in reasons(tmp_path)["stl10_binary"]
    (folder / "train_y.bin").unlink()
    assert "train_y.bin" in reasons(tmp_path)["stl10_binary"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("data_batch_2.bin", bytes(3073 * 3 - 1), "data_batch_2.bin has 9,218 bytes, which are no"),
        ("data_batch_2.bin", b"", "data_batch_2.bin has 0 bytes"),
        ("test_batch.bin", b"\x0a" + bytes(3072), "test_batch.bin: label 0 is 10, and there are"),
        ("batches.meta.txt", b"\xff\xfe", "batches.meta.txt cannot be read"),
        ("batches.meta.txt", b"", "has 0 classes|label 0 is 0"),
    ],
)
def test_damaged_file_is_named(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    write_cifar(tmp_path / "whole")
    (write_cifar(tmp_path / "damaged") / name).write_bytes(data)
    assert found(tmp_path) == {"whole": (60, 30)}
    (text,) = reasons(tmp_path).values()
    assert any(each in text for each in reason.split("|")), text


@pytest.mark.parametrize(
    ("folder", "names", "advice"),
    [
        ("cifar-10-batches-py", ["data_batch_1", "batches.meta"], "cifar-10-binary.tar.gz"),
        ("cifar-100-python", ["train", "test", "meta"], "cifar-100-binary.tar.gz"),
        ("MNIST2/processed", ["training.pt"], "one folder per class"),
        ("svhn", ["train_32x32.mat"], "parquet files"),
    ],
)
def test_pickles_are_refused_and_never_opened(
    tmp_path: Path, folder: str, names: list[str], advice: str
) -> None:
    path = tmp_path / folder
    path.mkdir(parents=True)
    for name in names:
        # Unpickled, it would end the test.
        (path / name).write_bytes(b"cos\n_exit\n(I1\ntR.")
    assert found(tmp_path) == {}
    (reason,) = reasons(tmp_path).values()
    assert advice in reason
    assert ("unpickling runs code" in reason) == (folder != "svhn")
