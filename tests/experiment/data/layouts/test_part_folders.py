"""Folders of classes below a folder for each part, as ImageFolder and Imagenette have them."""

from pathlib import Path

import pytest

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment.sample_data import write_image_folder
from tests.experiment.stored_data import found, reasons

TRAIN, OTHER = {"apple": 12, "pear": 11, "few": 3}, {"apple": 2, "pear": 3, "few": 1}


@pytest.mark.parametrize(
    ("parts", "held_out"),
    [
        (("train", "val"), "val"),
        (("Training", "valid", "test"), "valid"),
        (("train", "validation", "Test"), "validation"),
        (("train", "test"), "test"),
    ],
)
def test_given_split_is_kept(tmp_path: Path, parts: tuple[str, ...], held_out: str) -> None:
    # The last of three parts is not used.
    for part, classes in zip(parts, (TRAIN, OTHER, {"apple": 4, "pear": 4}), strict=False):
        write_image_folder(tmp_path / "fruit" / part, classes)
    assert found(tmp_path) == {"fruit": (23, 5)}
    entry = availability.list_datasets(tmp_path)["fruit"]
    assert f"and 5 held out, in {held_out}. Omitted, with fewer" in entry.description
    dataset = load("fruit", tmp_path)
    assert dataset.entry == entry
    assert dataset.train.labels.tolist() == [0] * 12 + [1] * 11
    assert dataset.held_out.labels.tolist() == [0] * 2 + [1] * 3
    red = dataset.held_out.pixels[:, 0, 24, 24] > 100
    assert red.tolist() == [False] * 2 + [True] * 3


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        ({"apple": 3}, "fruit/val has no images of pear, and train has."),
        ({"apple": 3, "pear": 3, "kiwi": 1}, "fruit/val has images of kiwi, and train has none."),
    ],
)
def test_parts_have_the_same_classes(tmp_path: Path, classes: dict[str, int], reason: str) -> None:
    write_image_folder(tmp_path / "fruit" / "train", TRAIN)
    write_image_folder(tmp_path / "fruit" / "val", classes)
    assert found(tmp_path) == {}
    assert reasons(tmp_path)["fruit"] == f"{reason} Both need the same folders."


def test_without_other_parts_every_fifth_is_held_out(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "fruit" / "train", TRAIN)
    assert found(tmp_path) == {"fruit": (19, 4)}


def test_classes_may_be_called_as_parts_are(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "vehicles", {"train": 12, "bus": 12})
    assert found(tmp_path) == {"vehicles": (20, 4)}
    assert availability.list_datasets(tmp_path)["vehicles"].classes == ("bus", "train")


def test_damaged_held_out_image_is_named(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "fruit" / "train", TRAIN)
    write_image_folder(tmp_path / "fruit" / "val", OTHER)
    path = tmp_path / "fruit" / "val" / "pear" / "01.jpg"
    valid = path.read_bytes()
    path.write_bytes(b"none")
    assert "val/pear/01.jpg cannot be used. This is not a picture" in reasons(tmp_path)["fruit"]
    path.write_bytes(valid[:100])
    with pytest.raises(DatasetError, match=r"val/pear/01\.jpg cannot be used"):
        load("fruit", tmp_path)
