"""Which data sets are available in a data folder."""

import os
from pathlib import Path

import pytest

from stnscope.backend.experiment.data import availability, mnist
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment import sample_data


def test_data_sets_of_the_program_are_available_without_a_data_folder(tmp_path: Path) -> None:
    entries = availability.list_datasets(tmp_path / "none")
    available = [name for name, entry in entries.items() if entry.available]
    assert available == [name for name in DATASETS if name not in SOURCES]


def test_a_replaced_copy_is_counted_again(tmp_path: Path) -> None:
    files = sample_data.make_gtsrb("kaggle", classes=2, tracks=10, frames=2)
    sample_data.write_files(files, tmp_path / "gtsrb", zipped=True)
    assert availability.inspect_dataset("gtsrb", tmp_path).images == 36
    sample_data.write_files(sample_data.make_gtsrb("kaggle"), tmp_path / "gtsrb", zipped=True)
    os.utime(tmp_path / "gtsrb" / "archive.zip", (1, 1))
    assert availability.inspect_dataset("gtsrb", tmp_path).images == 8


def test_other_folders_of_a_known_data_set_are_not_an_image_folder(tmp_path: Path) -> None:
    sample_data.write_files(sample_data.make_gtsrb("kaggle"), tmp_path / "gtsrb")
    sample_data.write_image_folder(tmp_path / "gtsrb", {"Meta": 43, "Test": 20})
    assert availability.list_all(tmp_path)[1] == []


def test_damaged_data_sets_are_not_available_until_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"train": 40, "t10k": 20}
    monkeypatch.setattr(mnist, "COUNTS", counts)
    sample_data.write_mnist(tmp_path / "mnist", counts)
    sample_data.write_cluttered(tmp_path / "cluttered_mnist_40", y_valid=None)
    files = sample_data.make_gtsrb("official")
    image = "GTSRB/Final_Training/Images/00000/00000_00001.ppm"
    sample_data.write_files(files | {image: files[image][:-100]}, tmp_path / "gtsrb")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"<html>")
    entries = availability.list_datasets(tmp_path)
    faults = {
        "mnist-numbers": "t10k-labels-idx1-ubyte.gz cannot be unpacked",
        "cluttered-40": "clutter.npz has no array y_valid",
        "gtsrb-regions": f"{image} cannot be read",
    }
    for name, fault in faults.items():
        assert not entries[name].available
        assert fault in entries[name].fault
        with pytest.raises(DatasetError, match=f"is damaged. .*{fault}"):
            availability.inspect_dataset(name, tmp_path)
    sample_data.write_mnist(tmp_path / "mnist", counts)
    sample_data.write_cluttered(tmp_path / "cluttered_mnist_40")
    # A partly downloaded data set is missing, not damaged.
    labels = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    labels.rename(f"{labels}.part")
    assert not availability.list_datasets(tmp_path)["mnist"].fault
    assert not availability.list_datasets(tmp_path)["mnist"].available
    Path(f"{labels}.part").rename(labels)
    # Rewriting a file does not change its folder's modification time.
    (tmp_path / "gtsrb" / image).write_bytes(files[image])
    entries = availability.list_datasets(tmp_path)
    assert all(entries[name].available and not entries[name].fault for name in faults)


def test_an_unreadable_folder_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_data.write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    sample_data.write_image_folder(tmp_path / ".hidden", {"apple": 12, "pear": 12})
    sample_data.write_image_folder(tmp_path / "digits", {"apple": 12, "pear": 12})
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a file").write_bytes(b"none")
    (tmp_path / "mnist").mkdir()
    locked = tmp_path / "locked"
    locked.mkdir()
    list_folder = Path.iterdir

    def iterdir(path: Path) -> object:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    entries = availability.list_datasets(tmp_path)
    assert set(entries) - set(DATASETS) == {"fruit"}
    reasons = {folder.name: folder.reason for folder in availability.list_all(tmp_path)[1]}
    assert reasons.keys() == {"digits", "locked"}
    assert reasons["locked"] == "locked cannot be read: Permission denied."
    assert entries["digits"] == DATASETS["digits"], "a folder does not replace a known data set"
