"""MNIST's files: complete, damaged and missing."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.data import mnist
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment import sample_data

COUNTS = {"train": 30, "t10k": 20}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "COUNTS", COUNTS)


@pytest.mark.parametrize("gzipped", [True, False])
def test_read_part_returns_images_and_labels(tmp_path: Path, gzipped: bool) -> None:
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS, gzipped=gzipped)
    images, labels, _ = mnist.read_part(folder, "train")
    assert (images.shape, labels.tolist()) == ((30, 1, 28, 28), [n % 10 for n in range(30)])


def test_read_part_finds_names_with_a_dot(tmp_path: Path) -> None:
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS, gzipped=False)
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(mnist.read_part(folder, "t10k").labels) == 20


IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"
BLACK = np.zeros((30, 28, 28), np.uint8)


# With ids, because gzip's output contains the time and test names must not change.
@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        pytest.param(IMAGES, b"not gzip", "cannot be unpacked", id="not gzipped"),
        pytest.param(IMAGES, gzip.compress(b"12345"), "is not an idx file", id="not an idx file"),
        pytest.param(
            IMAGES,
            gzip.compress(sample_data.encode_idx(BLACK))[:-30],
            "cannot be unpacked",
            id="gzip truncated",
        ),
        pytest.param(
            IMAGES,
            gzip.compress(sample_data.encode_idx(BLACK)[:-5]),
            "should hold 23,520 bytes after its header and holds 23,515",
            id="images truncated",
        ),
        pytest.param(
            IMAGES,
            gzip.compress(sample_data.encode_idx(BLACK[:29])),
            r"holds \(29, 28, 28\); MNIST has \(30, 28, 28\)",
            id="one image too few",
        ),
        pytest.param(
            LABELS,
            gzip.compress(sample_data.encode_idx(np.array([3] * 29 + [11], np.uint8))),
            "label 29 is 11",
            id="label out of range",
        ),
        pytest.param(
            LABELS,
            gzip.compress(bytes([0, 0, 8, 4]) + b"\xff" * 16),
            "holds",
            id="four dimensions",
        ),
    ],
)
def test_read_part_names_a_damaged_file(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS)
    (folder / name).write_bytes(data)
    with pytest.raises(DatasetError, match=message) as caught:
        mnist.read_part(folder, "train")
    assert name in str(caught.value)
    assert caught.value.field == "dataset"


INVALID = [
    (b"12345", "is not an idx file"),
    (sample_data.encode_idx(BLACK)[:-5], "holds 23,515"),
    (sample_data.encode_idx(BLACK) + b"more", "holds 23,524"),
    (sample_data.encode_idx(np.zeros((31, 28, 28), np.uint8)), r"holds \(31, 28, 28\)"),
]


@pytest.mark.parametrize("gzipped", [True, False])
@pytest.mark.parametrize(("data", "message"), INVALID)
def test_inspect_names_an_invalid_file(
    tmp_path: Path, data: bytes, message: str, gzipped: bool
) -> None:
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS, gzipped=gzipped)
    mnist.inspect(folder)
    name = f"train-images-idx3-ubyte{'.gz' if gzipped else ''}"
    (folder / name).write_bytes(gzip.compress(data) if gzipped else data)
    with pytest.raises(DatasetError, match=message) as caught:
        mnist.inspect(folder)
    assert name in str(caught.value)
    sample_data.write_mnist(folder, COUNTS, gzipped=gzipped)
    mnist.inspect(folder)


def test_inspect_names_a_truncated_or_changed_gzip(tmp_path: Path) -> None:
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS)
    name = "train-images-idx3-ubyte.gz"
    valid = (folder / name).read_bytes()
    middle = len(valid) // 2
    for data in (valid[:middle], valid[:middle] + b"?" * 8 + valid[middle + 8 :], valid[:-4]):
        (folder / name).write_bytes(data)
        with pytest.raises(DatasetError, match=f"{name} cannot be unpacked"):
            mnist.inspect(folder)


def test_a_valid_file_is_used_if_another_is_damaged(tmp_path: Path) -> None:
    """As after a download that replaces a damaged unpacked file."""
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS)
    (folder / "train-images-idx3-ubyte").write_bytes(b"cut")
    mnist.inspect(folder)
    assert len(mnist.read_part(folder, "train").pixels) == 30


def test_missing_file_is_named(tmp_path: Path) -> None:
    folder = sample_data.write_mnist(tmp_path / "mnist", COUNTS)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    for read in (lambda: mnist.read_part(folder, "t10k"), lambda: mnist.inspect(folder)):
        with pytest.raises(DatasetError, match="t10k-labels-idx1-ubyte is missing"):
            read()
