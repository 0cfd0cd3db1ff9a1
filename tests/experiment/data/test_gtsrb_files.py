"""The sign benchmark's layouts, complete and damaged."""

import zipfile
from pathlib import Path

import pytest

from stnscope.backend.experiment.data import gtsrb as images
from stnscope.backend.experiment.data import gtsrb_files
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment import made_data

LAYOUTS = pytest.mark.parametrize("layout", ["official", "kaggle"])
TABLES = {"official": "GTSRB/Final_Training/Images/00001/GT-00001.csv", "kaggle": "Train.csv"}


@LAYOUTS
@pytest.mark.parametrize("packed", [True, False])
def test_every_layout_gives_the_same(tmp_path: Path, layout: str, packed: bool) -> None:
    folder = made_data.written(made_data.gtsrb(layout), tmp_path / "gtsrb", packed=packed)
    with gtsrb_files.listed(folder) as (_, rows):
        assert [row.label for row in rows] == [0] * 6 + [1] * 6
        assert len({row.track for row in rows}) == 6
    train, held_out = images.load(folder)
    assert train.pixels.shape == (8, 3, 48, 48)
    assert sorted(held_out.labels.tolist()) == [0, 0, 1, 1]
    for part in (train, held_out):
        for pixels, label in zip(part.pixels, part.labels.tolist(), strict=True):
            assert pixels[:, 24, 24].tolist() == [40 * label + 60, 90, 200]
            assert pixels[:, 1, 24].tolist() == [0, 0, 0], "whole, with what is around the sign"


@LAYOUTS
def test_cropped_images_are_the_sign_alone(tmp_path: Path, layout: str) -> None:
    folder = made_data.written(made_data.gtsrb(layout), tmp_path / "gtsrb")
    train, _ = images.load(folder, cropped=True)
    for pixels, label in zip(train.pixels, train.labels.tolist(), strict=True):
        assert (pixels.new_tensor([40 * label + 60, 90, 200]) == pixels.flatten(1).T).all()


def test_a_track_is_held_out_whole(tmp_path: Path) -> None:
    files = made_data.gtsrb("kaggle", classes=3, tracks=25, frames=3)
    folder = made_data.written(files, tmp_path / "gtsrb", packed=True)
    with gtsrb_files.listed(folder) as (_, rows):
        out = gtsrb_files.held_out(rows)
        again = gtsrb_files.held_out(list(reversed(rows)))[::-1]
    assert (out == again).all(), "whatever their order"
    held_out, train = (
        {row.track for row, is_out in zip(rows, out, strict=True) if is_out == wanted}
        for wanted in (True, False)
    )
    assert not held_out & train
    assert len(held_out) == 3 * 2
    assert out.sum() == 3 * 2 * 3


def test_a_class_of_one_track_is_only_trained_on(tmp_path: Path) -> None:
    files = made_data.gtsrb("kaggle", tracks=1)
    folder = made_data.written(files, tmp_path / "gtsrb")
    with gtsrb_files.listed(folder) as (_, rows):
        assert not gtsrb_files.held_out(rows).any()


def changed(layout: str, old: str, new: str) -> dict[str, bytes]:
    files = made_data.gtsrb(layout)
    text = files[TABLES[layout]].decode()
    assert old in text
    return files | {TABLES[layout]: text.replace(old, new, 1).encode()}


@LAYOUTS
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ClassId", "Class", "has no column ClassId"),
        ("24", "twenty", "line 2: a number is missing or is none"),
        ("24", "240", "line 2: the region .* does not lie in the image"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, layout: str, old: str, new: str, told: str) -> None:
    folder = made_data.written(changed(layout, old, new), tmp_path / "gtsrb")
    with pytest.raises(DatasetError, match=told) as caught, gtsrb_files.listed(folder):
        pass
    assert TABLES[layout] in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("30,40,5,6,24,33,43,Train/0/a_b_c.png", "class 43 is not one of 0 to 42"),
        ("30,40,5,6,24,33,0,Train/0/a.png", "does not tell its track"),
        ("30,40,5,6,24,33,0,../../a_b_c.png", "lies outside the data set"),
        ("30,40,5,6,24", "a number is missing"),
        ("30,40,5,6,24,33,0,", "does not tell its track"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, told: str) -> None:
    files = made_data.gtsrb("kaggle")
    files["Train.csv"] += line.encode() + b"\r\n"
    with (
        pytest.raises(DatasetError, match=f"Train.csv, line 14: .*{told}"),
        gtsrb_files.listed(made_data.written(files, tmp_path / "gtsrb")),
    ):
        pass


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("data", "told"), [(None, "is not there"), (b"P6\n", "cannot be read"), (b"", "cannot be read")]
)
def test_a_picture_that_is_missing_or_damaged_is_named(
    tmp_path: Path, packed: bool, data: bytes | None, told: str
) -> None:
    files = made_data.gtsrb("kaggle")
    name = "Train/1/00001_00002_00000.png"
    if data is None:
        del files[name]
    else:
        files[name] = data
    folder = made_data.written(files, tmp_path / "gtsrb", packed=packed)
    with pytest.raises(DatasetError, match=rf"Train.csv, line 12: {name} {told}"):
        images.load(folder)


def test_a_picture_cut_short_in_the_middle_is_named(tmp_path: Path) -> None:
    files = made_data.gtsrb("official")
    name = "GTSRB/Final_Training/Images/00000/00000_00001.ppm"
    files[name] = files[name][:-100]
    with pytest.raises(DatasetError, match=r"line 3: .*00000_00001\.ppm cannot be read"):
        images.load(made_data.written(files, tmp_path / "gtsrb"))


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    folder = made_data.written(made_data.gtsrb("kaggle"), tmp_path / "gtsrb", packed=True)
    path = folder / "archive.zip"
    path.write_bytes(path.read_bytes()[:-200])
    with (
        pytest.raises(DatasetError, match=r"archive\.zip cannot be read"),
        gtsrb_files.listed(folder),
    ):
        pass


def test_a_zip_with_one_damaged_picture_names_it(tmp_path: Path) -> None:
    folder = made_data.written(made_data.gtsrb("kaggle"), tmp_path / "gtsrb", packed=True)
    path = folder / "archive.zip"
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("Train/0/00000_00001_00000.png").header_offset
    data = bytearray(path.read_bytes())
    data[at + 80 : at + 90] = b"0123456789"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"line 4: .*00000_00001_00000\.png cannot be read"):
        images.load(folder)


def test_a_folder_without_the_benchmark_says_what_it_looks_for(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither the official"), gtsrb_files.listed(tmp_path):
        pass


@pytest.mark.skipif(not made_data.SHARED.exists(), reason="the real sample is not at hand")
def test_the_real_official_layout(tmp_path: Path) -> None:
    train, held_out = images.load(made_data.SHARED / "gtsrb_official_sample")
    assert len(train) + len(held_out) == 43 * 12
    assert set(train.labels.tolist()) == set(range(43))


@pytest.mark.skipif(not made_data.SHARED.exists(), reason="the real archive is not at hand")
def test_the_real_kaggle_layout_in_a_zip() -> None:
    with gtsrb_files.listed(made_data.SHARED / "gtsrb") as (tree, rows):
        counts = [sum(row.label == label for row in rows) for label in range(5)]
        assert (len(rows), counts) == (39_209, [210, 2220, 2250, 1410, 1980])
        assert gtsrb_files.held_out(rows).sum() == 3_570
        assert tree.read(rows[-1].path).startswith(b"\x89PNG")
