"""GTSRB's layouts: complete and damaged."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.data import gtsrb
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment import sample_data

LAYOUTS = pytest.mark.parametrize("layout", ["official", "kaggle"])
TABLES = {"official": "GTSRB/Final_Training/Images/00001/GT-00001.csv", "kaggle": "Train.csv"}


@LAYOUTS
@pytest.mark.parametrize("zipped", [True, False])
def test_load_reads_every_layout(tmp_path: Path, layout: str, zipped: bool) -> None:
    folder = sample_data.write_files(
        sample_data.make_gtsrb(layout), tmp_path / "gtsrb", zipped=zipped
    )
    with gtsrb.open_listing(folder) as (_, rows):
        assert [row.label for row in rows] == [0] * 6 + [1] * 6
        assert len({row.track for row in rows}) == 6
    train, held_out = gtsrb.load(folder)
    assert train.pixels.shape == (8, 3, 48, 48)
    assert sorted(held_out.labels.tolist()) == [0, 0, 1, 1]
    for part in (train, held_out):
        for pixels, label in zip(part.pixels, part.labels.tolist(), strict=True):
            assert pixels[:, 24, 24].tolist() == [40 * label + 60, 90, 200]
            assert pixels[:, 1, 24].tolist() == [0, 0, 0], "the whole image, with its margin"


@LAYOUTS
def test_load_crops_images_to_the_sign(tmp_path: Path, layout: str) -> None:
    folder = sample_data.write_files(sample_data.make_gtsrb(layout), tmp_path / "gtsrb")
    train, _ = gtsrb.load(folder, cropped=True)
    for pixels, label in zip(train.pixels, train.labels.tolist(), strict=True):
        colour = np.array([40 * label + 60, 90, 200])
        assert (pixels == colour[:, None, None]).all()


def test_tracks_are_held_out_as_a_whole(tmp_path: Path) -> None:
    files = sample_data.make_gtsrb("kaggle", classes=3, tracks=25, frames=3)
    folder = sample_data.write_files(files, tmp_path / "gtsrb", zipped=True)
    with gtsrb.open_listing(folder) as (_, rows):
        mask = gtsrb.held_out_mask(rows)
        reordered = gtsrb.held_out_mask(list(reversed(rows)))[::-1]
    assert (mask == reordered).all(), "in any order of rows"
    held_out, train = (
        {row.track for row, is_held_out in zip(rows, mask, strict=True) if is_held_out == value}
        for value in (True, False)
    )
    assert not held_out & train
    assert len(held_out) == 3 * 2
    assert mask.sum() == 3 * 2 * 3


@LAYOUTS
def test_photos_of_a_held_out_track_are_listed_in_order_of_time(
    tmp_path: Path, layout: str
) -> None:
    files = sample_data.make_gtsrb(layout, classes=2, tracks=11, frames=3)
    for name in [name for name in files if name.endswith(".csv")]:
        head, *lines = files[name].decode().strip().split("\r\n")
        files[name] = "\r\n".join([head, *reversed(lines)]).encode()
    _, held_out = gtsrb.load(sample_data.write_files(files, tmp_path / "gtsrb"))
    assert [len(track) for track in held_out.tracks] == [3, 3]
    assert sorted(np.concatenate(held_out.tracks).tolist()) == list(range(6))
    for track in held_out.tracks:
        assert len(set(held_out.labels[track].tolist())) == 1
        # The photos grow, so that the margin, of a constant width, covers less of them.
        margins = (held_out.pixels[track][:, :, 24] == 0).all(axis=1).sum(axis=1)
        assert margins.tolist() == sorted(margins.tolist(), reverse=True)
        assert margins[0] > margins[-1]


def test_the_only_track_of_a_class_is_not_held_out(tmp_path: Path) -> None:
    files = sample_data.make_gtsrb("kaggle", tracks=1)
    folder = sample_data.write_files(files, tmp_path / "gtsrb")
    with gtsrb.open_listing(folder) as (_, rows):
        assert not gtsrb.held_out_mask(rows).any()


def make_changed_table(layout: str, old: str, new: str) -> dict[str, bytes]:
    """Make the benchmark's files with `old` in one CSV file replaced once."""
    files = sample_data.make_gtsrb(layout)
    text = files[TABLES[layout]].decode()
    assert old in text
    return files | {TABLES[layout]: text.replace(old, new, 1).encode()}


@LAYOUTS
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ClassId", "Class", "has no column ClassId"),
        ("24", "twenty", "line 2: a number is missing or invalid"),
        ("24", "240", "line 2: the region .* is not inside the image"),
    ],
)
def test_invalid_table_is_refused_by_name_and_line(
    tmp_path: Path, layout: str, old: str, new: str, message: str
) -> None:
    folder = sample_data.write_files(make_changed_table(layout, old, new), tmp_path / "gtsrb")
    with pytest.raises(DatasetError, match=message) as caught, gtsrb.open_listing(folder):
        pass
    assert TABLES[layout] in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("30,40,5,6,24,33,43,Train/0/a_b_c.png", "class 43 is not one of 0 to 42"),
        ("30,40,5,6,24,33,0,Train/0/a.png", "does not name its track"),
        ("30,40,5,6,24,33,0,../../a_b_c.png", "is outside the data set"),
        ("30,40,5,6,24", "a number is missing"),
        ("30,40,5,6,24,33,0,", "does not name its track"),
    ],
)
def test_invalid_line_is_refused_by_number(tmp_path: Path, line: str, message: str) -> None:
    files = sample_data.make_gtsrb("kaggle")
    files["Train.csv"] += line.encode() + b"\r\n"
    with (
        pytest.raises(DatasetError, match=f"Train.csv, line 14: .*{message}"),
        gtsrb.open_listing(sample_data.write_files(files, tmp_path / "gtsrb")),
    ):
        pass


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "is missing"), (b"P6\n", "cannot be read"), (b"", "cannot be read")],
)
def test_missing_or_damaged_image_is_named(
    tmp_path: Path, zipped: bool, data: bytes | None, message: str
) -> None:
    files = sample_data.make_gtsrb("kaggle")
    name = "Train/1/00001_00002_00000.png"
    if data is None:
        del files[name]
    else:
        files[name] = data
    folder = sample_data.write_files(files, tmp_path / "gtsrb", zipped=zipped)
    with pytest.raises(DatasetError, match=rf"Train.csv, line 12: {name} {message}"):
        gtsrb.load(folder)


def test_truncated_image_is_named(tmp_path: Path) -> None:
    files = sample_data.make_gtsrb("official")
    name = "GTSRB/Final_Training/Images/00000/00000_00001.ppm"
    files[name] = files[name][:-100]
    with pytest.raises(DatasetError, match=r"line 3: .*00000_00001\.ppm cannot be read"):
        gtsrb.load(sample_data.write_files(files, tmp_path / "gtsrb"))


def test_damaged_zip_is_named(tmp_path: Path) -> None:
    folder = sample_data.write_files(
        sample_data.make_gtsrb("kaggle"), tmp_path / "gtsrb", zipped=True
    )
    path = folder / "archive.zip"
    path.write_bytes(path.read_bytes()[:-200])
    with (
        pytest.raises(DatasetError, match=r"archive\.zip cannot be read"),
        gtsrb.open_listing(folder),
    ):
        pass


def test_damaged_image_in_a_zip_is_named(tmp_path: Path) -> None:
    folder = sample_data.write_files(
        sample_data.make_gtsrb("kaggle"), tmp_path / "gtsrb", zipped=True
    )
    path = folder / "archive.zip"
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("Train/0/00000_00001_00000.png").header_offset
    data = bytearray(path.read_bytes())
    data[at + 80 : at + 90] = b"0123456789"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"line 4: .*00000_00001_00000\.png cannot be read"):
        gtsrb.load(folder)


def test_folder_without_the_benchmark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither the official"), gtsrb.open_listing(tmp_path):
        pass


@pytest.mark.skipif(not sample_data.REAL_DATA.exists(), reason="the real sample is not available")
def test_load_reads_the_real_official_layout(tmp_path: Path) -> None:
    train, held_out = gtsrb.load(sample_data.REAL_DATA / "gtsrb_official_sample")
    assert len(train.labels) + len(held_out.labels) == 43 * 12
    assert set(train.labels.tolist()) == set(range(43))


@pytest.mark.skipif(not sample_data.REAL_DATA.exists(), reason="the real archive is not available")
def test_open_listing_reads_the_real_kaggle_zip() -> None:
    with gtsrb.open_listing(sample_data.REAL_DATA / "gtsrb") as (tree, rows):
        counts = [sum(row.label == label for row in rows) for label in range(5)]
        assert (len(rows), counts) == (39_209, [210, 2220, 2250, 1410, 1980])
        assert gtsrb.held_out_mask(rows).sum() == 3_570
        assert tree.read(rows[-1].path).startswith(b"\x89PNG")
