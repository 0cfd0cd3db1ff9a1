"""MNIST's files, complete and damaged."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.data import mnist_files
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment import made_data

COUNTS = {"train": 30, "t10k": 20}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_files, "COUNTS", COUNTS)


@pytest.mark.parametrize("packed", [True, False])
def test_images_and_labels_are_read(tmp_path: Path, packed: bool) -> None:
    folder = made_data.mnist(tmp_path / "mnist", COUNTS, packed=packed)
    images, labels = mnist_files.part(folder, "train")
    assert (images.shape, labels.tolist()) == ((30, 28, 28), [n % 10 for n in range(30)])


def test_names_with_a_dot_are_found_too(tmp_path: Path) -> None:
    folder = made_data.mnist(tmp_path / "mnist", COUNTS, packed=False)
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(mnist_files.part(folder, "t10k")[1]) == 20


def damaged(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)


IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"
BLACK = np.zeros((30, 28, 28), np.uint8)


# Named: what gzip packs differs from second to second, and the names of tests must not.
@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        pytest.param(IMAGES, b"not gzip", "cannot be unpacked", id="not packed"),
        pytest.param(IMAGES, gzip.compress(b"12345"), "is not an idx file", id="no idx"),
        pytest.param(
            IMAGES,
            gzip.compress(made_data.idx(BLACK))[:-30],
            "cannot be unpacked",
            id="packing cut short",
        ),
        pytest.param(
            IMAGES,
            gzip.compress(made_data.idx(BLACK)[:-5]),
            "should hold 23,520 bytes after its head and holds 23,515",
            id="images cut short",
        ),
        pytest.param(
            IMAGES,
            gzip.compress(made_data.idx(BLACK[:29])),
            r"holds \(29, 28, 28\); MNIST has \(30, 28, 28\)",
            id="one too few",
        ),
        pytest.param(
            LABELS,
            gzip.compress(made_data.idx(np.array([3] * 29 + [11], np.uint8))),
            "label 29 is 11",
            id="no such digit",
        ),
        pytest.param(
            LABELS,
            gzip.compress(bytes([0, 0, 8, 4]) + b"\xff" * 16),
            "holds",
            id="four axes",
        ),
    ],
)
def test_damage_is_told_with_the_file_s_name(
    tmp_path: Path, name: str, data: bytes, told: str
) -> None:
    folder = made_data.mnist(tmp_path / "mnist", COUNTS)
    damaged(folder, name, data)
    with pytest.raises(DatasetError, match=told) as caught:
        mnist_files.part(folder, "train")
    assert name in str(caught.value)
    assert caught.value.field == "dataset"


LOOKED_AT = [
    (b"12345", "is not an idx file"),
    (made_data.idx(BLACK)[:-5], "holds 23,515"),
    (made_data.idx(BLACK) + b"more", "holds 23,524"),
    (made_data.idx(np.zeros((31, 28, 28), np.uint8)), r"holds \(31, 28, 28\)"),
]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("data", "told"), LOOKED_AT)
def test_a_look_finds_what_is_wrong(tmp_path: Path, data: bytes, told: str, packed: bool) -> None:
    folder = made_data.mnist(tmp_path / "mnist", COUNTS, packed=packed)
    mnist_files.check(folder)
    name = f"train-images-idx3-ubyte{'.gz' if packed else ''}"
    damaged(folder, name, gzip.compress(data) if packed else data)
    with pytest.raises(DatasetError, match=told) as caught:
        mnist_files.check(folder)
    assert name in str(caught.value)
    made_data.mnist(folder, COUNTS, packed=packed)
    mnist_files.check(folder)


def test_a_look_finds_a_gz_that_is_cut_short_or_changed_in_its_middle(tmp_path: Path) -> None:
    folder = made_data.mnist(tmp_path / "mnist", COUNTS)
    name = "train-images-idx3-ubyte.gz"
    whole = (folder / name).read_bytes()
    middle = len(whole) // 2
    for data in (whole[:middle], whole[:middle] + b"?" * 8 + whole[middle + 8 :], whole[:-4]):
        damaged(folder, name, data)
        with pytest.raises(DatasetError, match=f"{name} cannot be unpacked"):
            mnist_files.check(folder)


def test_a_sound_file_beside_a_damaged_one_is_taken(tmp_path: Path) -> None:
    """As after fetching, when the damaged one was unpacked."""
    folder = made_data.mnist(tmp_path / "mnist", COUNTS)
    damaged(folder, "train-images-idx3-ubyte", b"cut")
    mnist_files.check(folder)
    assert len(mnist_files.part(folder, "train")[0]) == 30


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = made_data.mnist(tmp_path / "mnist", COUNTS)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    for look in (lambda: mnist_files.part(folder, "t10k"), lambda: mnist_files.check(folder)):
        with pytest.raises(DatasetError, match="t10k-labels-idx1-ubyte is missing"):
            look()
