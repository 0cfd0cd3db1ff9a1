"""Test sets of traffic signs in each layout."""

from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.data import gtsrb_test
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment.sample_data import (
    CSV_HEADERS,
    REAL_DATA,
    draw_sign_photo,
    make_gtsrb,
    make_zip,
    write_files,
)

LABELS = [3, 0, 4]
SIZE = (30, 40)


def make_test_set(layout: str) -> dict[str, bytes]:
    """Make three test images and their table."""
    files, lines = {}, [CSV_HEADERS["official" if layout == "official" else "kaggle"]]
    for index, label in enumerate(LABELS):
        box = "5{0}6{0}24{0}33"
        if layout == "official":
            path, kind = f"GTSRB/Final_Test/Images/{index:05}.ppm", "PPM"
            lines.append(f"{index:05}.ppm;30;40;{box.format(';')};{label}")
        else:
            path, kind = f"Test/{index:05}.png", "PNG"
            lines.append(f"30,40,{box.format(',')},{label},{path}")
        files[path] = draw_sign_photo(label, index, kind, SIZE)
    table = "GT-final_test.csv" if layout == "official" else "Test.csv"
    return files | {table: "\r\n".join([*lines, ""]).encode()}


def check_photos(folder: Path) -> None:
    photos = gtsrb_test.load(gtsrb_test.find_folder(folder))
    assert photos.arrays.labels.tolist() == LABELS
    assert photos.kind == "test images"
    # The class is in the colour of the sign, in the middle.
    reds = photos.arrays.pixels[:, 0, 24, 24].tolist()
    assert reds == [40 * label + 60 for label in LABELS]


@pytest.mark.parametrize("layout", ["official", "kaggle"])
def test_test_set_is_read_unpacked_and_zipped(layout: str, tmp_path: Path) -> None:
    files = make_test_set(layout)
    # Training images beside them, with other labels, are not those of the test set.
    training = make_gtsrb(layout)
    check_photos(write_files(files | training, tmp_path / "data"))
    check_photos(write_files(files, tmp_path / "zips", zipped=True))
    zipped = tmp_path / "a.zip"
    zipped.write_bytes(make_zip(files))
    check_photos(zipped)


def test_official_table_may_be_in_a_zip_of_its_own(tmp_path: Path) -> None:
    files = make_test_set("official")
    table = {"GT-final_test.csv": files.pop("GT-final_test.csv")}
    (tmp_path / "GTSRB_Final_Test_GT.zip").write_bytes(make_zip(table))
    (tmp_path / "GTSRB_Final_Test_Images.zip").write_bytes(make_zip(files))
    check_photos(tmp_path)


def test_test_set_is_found_in_a_data_folder(tmp_path: Path) -> None:
    write_files(make_test_set("official"), tmp_path / "gtsrb")
    check_photos(tmp_path)


def test_class_folders_are_named_by_number_or_sign(tmp_path: Path) -> None:
    for folder in ("00014", "3", "give way"):
        photo = draw_sign_photo(0, 0, "PNG")
        write_files({f"{folder}/{index}.png": photo for index in range(2)}, tmp_path)
    photos = gtsrb_test.load(tmp_path)
    assert sorted(photos.arrays.labels.tolist()) == [3, 3, 13, 13, 14, 14]
    assert photos.kind == "images in class folders"
    write_files({"other/a.png": draw_sign_photo(0, 0, "PNG")}, tmp_path)
    with pytest.raises(DatasetError, match=r"other/a.png is in no folder of a class"):
        gtsrb_test.load(tmp_path)


def test_training_layout_gives_held_out_tracks_or_all(tmp_path: Path) -> None:
    write_files(make_gtsrb("official"), tmp_path)
    photos = gtsrb_test.load(tmp_path)
    assert (len(photos.arrays.labels), photos.kind) == (4, "images of held-out tracks")
    assert "may have been trained on these" in photos.note
    every = gtsrb_test.load(tmp_path, every_image=True)
    assert (len(every.arrays.labels), every.note) == (12, "")


def test_crops_are_those_of_the_table(tmp_path: Path) -> None:
    write_files(make_test_set("official"), tmp_path)
    whole, cropped = (
        gtsrb_test.load(tmp_path, cropped=is_cropped).arrays.pixels for is_cropped in (False, True)
    )
    assert (whole[0, :, 0, 0] == 0).all(), "a black margin"
    assert (cropped[0, 2] == 200).all(), "no margin"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"GTSRB/Final_Test/Images/00001.ppm": None}, "line 3.*00001.ppm is missing"),
        ({"GTSRB/Final_Test/Images/00000.ppm": None}, "00000.ppm is missing"),
        ({"GTSRB/Final_Test/Images/00001.ppm": b"P6"}, "00001.ppm cannot be read"),
        ({"GT-final_test.csv": b"Filename;ClassId\r\n"}, "has no column"),
        ({"GT-final_test.csv": f"{CSV_HEADERS['official']}\r\n".encode()}, "lists no images"),
        ({"GT-final_test.csv": None}, "has no photos with labels"),
    ],
)
def test_damage_is_named(changed: dict[str, bytes | None], message: str, tmp_path: Path) -> None:
    files = {name: data for name, data in (make_test_set("official") | changed).items() if data}
    with pytest.raises(DatasetError, match=message):
        gtsrb_test.load(write_files(files, tmp_path))


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no folder"):
        gtsrb_test.load(tmp_path / "none")


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data set is not available")
def test_official_sample_is_read() -> None:
    photos = gtsrb_test.load(gtsrb_test.find_folder(REAL_DATA / "gtsrb_official_sample"))
    assert photos.arrays.pixels.shape == (300, 3, 48, 48)
    assert photos.arrays.labels[:5].tolist() == [16, 1, 38, 33, 11]
    assert np.unique(photos.arrays.labels).size > 30
