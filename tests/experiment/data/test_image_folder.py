"""The user's own images as data sets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.pictures.decode import decode
from stnscope.backend.experiment.pictures.fit import fit
from tests.experiment.sample_data import write_image_folder


def test_image_folder_is_a_data_set(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "fruit", {"apple": 15, "pear": 10, "too few": 3})
    entry = availability.list_datasets(tmp_path)["fruit"]
    assert "Omitted, with fewer than 10 images: too few: 3." in entry.description
    assert (entry.classes, entry.images, entry.held_out) == (("apple", "pear"), 20, 5)
    dataset = load("fruit", tmp_path)
    assert dataset.entry == entry
    assert (len(dataset.train), len(dataset.held_out)) == (20, 5)
    pixels = dataset.train.take(torch.arange(20))
    assert pixels.shape == (20, 3, 48, 48)
    assert (dataset.train.labels == (pixels[:, 0, 24, 24] > 0.5)).all()
    assert torch.equal(pixels[0, :, 0, 24], pixels[0, :, 24, 24]), (
        "the margin has its edge's colour"
    )


def test_images_are_fitted_like_uploaded_pictures(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    path = tmp_path / "fruit" / "apple" / "00.png"
    image = Image.effect_noise((90, 40), 60).convert("RGB")
    image.paste("red", (0, 0, 90, 1))  # its edge, but not most of its border
    image.save(path)
    fitted = fit(decode(path.read_bytes()), (48, 48), 3, light_on_dark=False)
    pixels = load("fruit", tmp_path).train.pixels[0].permute(1, 2, 0).numpy()
    assert np.array_equal(pixels, (fitted.image * 255).round())


def test_load_names_an_unreadable_image(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    path = tmp_path / "fruit" / "pear" / "03.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(
        DatasetError, match=r"fruit/pear/03\.png cannot be used\. The file ends before"
    ):
        load("fruit", tmp_path)


def test_skipped_folders_have_a_reason(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "single", {"apple": 15})
    write_image_folder(tmp_path / "few", {"apple": 9, "pear": 12})
    write_image_folder(tmp_path / "deep" / "00", {"apple": 12, "pear": 12})
    for number in range(1, 33):
        (tmp_path / "deep" / f"{number:02}").mkdir()
    write_image_folder(tmp_path, {"flat": 12})
    write_image_folder(tmp_path / "digits", {"apple": 12, "pear": 12})
    write_image_folder(tmp_path / "mnist", {"apple": 12, "pear": 12})
    write_image_folder(tmp_path / ("x" * 65), {"apple": 12, "pear": 12})
    write_image_folder(tmp_path / "scans" / "apple", {"a": 0})
    (tmp_path / "scans" / "apple" / "1.tiff").write_bytes(b"II*\x00")
    (tmp_path / "papers" / "a").mkdir(parents=True)
    (tmp_path / "papers" / "a" / "text.pdf").write_bytes(b"%PDF")
    reasons = {folder.name: folder.reason for folder in availability.list_all(tmp_path)[1]}
    expected = {
        "single": "single needs two folders or more with at least 10 images each, one for each "
        "class. It has apple: 15;",
        "few": "apple: 9, pear: 12; PNG, JPEG, WebP, GIF and BMP count.",
        "deep": "one folder too deep, as in deep/00",
        "flat": "flat has images, but no folders.",
        "digits": "The folder digits has the name of one of the program's data sets.",
        "mnist": "The folder mnist has the name of one of the program's data sets.",
        "x" * 65: "has a name of 65 characters; at most 64 are accepted.",
        "scans": "It has apple: 0; PNG",
    }
    assert reasons.keys() == expected.keys(), "folders without images are not listed"
    for name, words in expected.items():
        assert words in reasons[name]
    image_folders = availability.list_datasets(tmp_path).keys() - DATASETS.keys()
    assert not reasons.keys() & image_folders
    with pytest.raises(DatasetError, match="few needs two folders or more") as caught:
        availability.inspect_dataset("few", tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty"),
        (b"none", "not a picture in a known format"),
        (b"P6 2 2 255 " + bytes(12), "This is a PNM"),
        (b"\xff\xd8\xff" + bytes(10_000_000), "at most 10 MB"),
    ],
)
def test_folder_with_an_invalid_image_is_skipped(tmp_path: Path, data: bytes, message: str) -> None:
    write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    path = tmp_path / "fruit" / "pear" / "03.png"
    valid = path.read_bytes()
    path.write_bytes(data)
    (skipped,) = availability.list_all(tmp_path)[1]
    assert skipped.reason.startswith("fruit/pear/03.png cannot be used. ")
    assert message in skipped.reason
    path.write_bytes(valid)
    assert availability.list_all(tmp_path)[1] == []
    assert availability.list_datasets(tmp_path)["fruit"].images == 20
