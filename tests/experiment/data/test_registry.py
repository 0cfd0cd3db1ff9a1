"""The data sets are what their descriptions say, and their splits do not overlap."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from stnscope.backend.experiment.catalog import ARCHITECTURES, DATASETS, check_distortion, fits
from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data import availability, signs
from stnscope.backend.experiment.data import mnist_files as mnist_files
from stnscope.backend.experiment.data.registry import LOADERS, Dataset, Images, load
from stnscope.backend.experiment.data.sign_drawing import SIGNS, sign
from stnscope.backend.experiment.errors import DatasetError, InvalidInput
from stnscope.backend.experiment.pictures.decode import decode
from stnscope.backend.experiment.pictures.fit import fit
from tests.experiment import made_data
from tests.experiment.made_data import SHARED

REAL = "the real data are not at hand; made-up ones are tried below"
EACH = pytest.mark.parametrize("entry", DATASETS.values(), ids=lambda entry: entry.name)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def test_the_catalog_lists_what_can_be_loaded() -> None:
    assert list(DATASETS) == list(LOADERS)


@EACH
def test_what_is_offered_first_fits(entry: DatasetEntry) -> None:
    assert fits(ARCHITECTURES[entry.architecture], entry)
    check_distortion(entry.distortion)


@pytest.mark.parametrize(
    "entry",
    # Cropped signs come from the same files; that takes seconds, and is tried with made-up ones.
    [entry for entry in DATASETS.values() if entry.name != "gtsrb-regions"],
    ids=lambda entry: entry.name,
)
def test_a_data_set_is_as_the_catalog_says(entry: DatasetEntry) -> None:
    if entry.needs and not SHARED.exists():
        pytest.skip(REAL)
    check(load(entry.name, SHARED), entry)


def check(dataset: Dataset, entry: DatasetEntry) -> None:
    assert dataset.entry == entry
    for count, images in ((entry.images, dataset.train), (entry.held_out, dataset.held_out)):
        assert len(images) == count
        shown = images.take(torch.arange(0, count, max(1, count // 200)))
        assert shown.shape[1:] == (entry.channels, entry.height, entry.width)
        assert shown.dtype == torch.float32
        assert 0 <= shown.min() < 0.05
        assert 0.95 < shown.max() <= 1
        places = (entry.labels,) if entry.labels > 1 else ()
        assert images.labels.shape == (count, *places)
        assert images.labels.dtype == torch.int64
        assert set(images.labels.flatten().tolist()) <= set(range(len(entry.classes)))
    classes = set(dataset.train.labels.flatten().tolist())
    assert set(dataset.held_out.labels.flatten().tolist()) <= classes
    assert len(classes) == (34 if entry.name == "signs" else len(entry.classes))


def test_no_held_out_digit_is_trained_on(digits: Dataset) -> None:
    trained_on = {image.numpy().tobytes() for image in digits.train.pixels}
    assert not any(image.numpy().tobytes() in trained_on for image in digits.held_out.pixels)


def test_each_class_has_its_share_of_the_held_out_digits(digits: Dataset) -> None:
    trained_on = torch.bincount(digits.train.labels)
    held_out = torch.bincount(digits.held_out.labels)
    assert (trained_on + held_out).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert ((trained_on + held_out) * 297 / 1797 - held_out).abs().max() < 1


def test_digits_are_upright_and_labelled(digits: Dataset) -> None:
    """Means over a class: a zero is dark in its middle, a one is lit there; a seven's top is lit
    and its lower left is not."""
    images, labels = digits.train.pixels, digits.train.labels
    mean = torch.stack([images[labels == label, 0].mean(dim=0) for label in range(10)])
    middle = mean[:, 12:16, 12:16].mean(dim=(1, 2))
    assert middle[0] < 0.15
    assert middle[1] > 0.8
    assert mean[7, 1:5, 8:20].mean() > 3 * mean[7, 23:27, 2:8].mean()


def test_an_unknown_data_set_is_told_which_there_are() -> None:
    for data in (None, SHARED):
        with pytest.raises(InvalidInput, match="digits") as caught:
            load("../digits", data)
        assert caught.value.field == "dataset"


def test_rows_hold_their_digits_from_left_to_right(digits: Dataset) -> None:
    row = load("sequences").held_out
    assert row.parts is not None
    shown = row.take(torch.tensor([0, 7]))
    for image, parts, labels in zip(shown, row.parts[[0, 7]], row.labels[[0, 7]], strict=True):
        assert torch.equal(labels, digits.held_out.labels[parts])
        for place, part in enumerate(parts.tolist()):
            piece = image[:, :, 28 * place : 28 * (place + 1)]
            assert torch.equal(piece, digits.held_out.pixels[part])


def test_pairs_hold_a_digit_in_each_channel_and_are_labelled_with_their_sum(
    digits: Dataset,
) -> None:
    pairs = load("addition").train
    assert pairs.parts is not None
    shown = pairs.take(torch.arange(20))
    for image, parts, label in zip(shown, pairs.parts, pairs.labels, strict=False):
        assert torch.equal(image, digits.train.pixels[parts, 0])
        assert label == digits.train.labels[parts].sum()
    assert set(pairs.labels.tolist()) == set(range(19))


def test_numbers_are_read_from_the_left_and_stand_in_the_middle() -> None:
    numbers = load("numbers").train
    shown = numbers.take(torch.arange(400))
    lit = shown[:, 0].amax(dim=1).view(400, 5, 12).amax(dim=2) > 0.3
    lengths = (numbers.labels[:400] < 10).sum(dim=1)
    assert set(lengths.tolist()) == {1, 2, 3, 4, 5}
    assert torch.equal(lit.sum(dim=1), lengths)
    first = lit.int().argmax(dim=1)
    assert torch.equal(first, (5 - lengths) // 2)
    for labels, length in zip(numbers.labels[:400], lengths.tolist(), strict=True):
        assert (labels[length:] == 10).all()


def test_signs_are_drawn_the_same_each_time_in_their_colours() -> None:
    for number in SIGNS:
        drawn = sign(number, 64)
        assert drawn.shape == (64, 64, 4)
        assert np.array_equal(drawn, sign(number, 64))
        assert 0.3 < drawn[..., 3].mean() < 0.85, number
        assert drawn[0, 0, 3] == 0
    blue, red, yellow = sign(38, 64)[32, 8], sign(17, 64)[12, 32], sign(12, 64)[32, 32]
    assert blue[2] > 2 * blue[0]
    assert red[0] > 4 * red[2]
    assert min(yellow[:2]) > 4 * yellow[2]


def test_signs_differ_from_one_another() -> None:
    drawn = [sign(number, 48) for number in SIGNS]
    for one, first in enumerate(drawn):
        for second in drawn[:one]:
            assert np.abs(first - second).max() > 0.4


def test_photos_of_a_sign_show_it_in_many_lights_and_before_many_grounds() -> None:
    drawn = torch.from_numpy(sign(17, signs.SHARP)).permute(2, 0, 1).expand(40, -1, -1, -1)
    photos, again = (
        signs._photos(drawn, torch.Generator().manual_seed(seed)).float() / 255 for seed in (1, 1)
    )
    assert torch.equal(photos, again)
    middle = photos[:, :, 26:32, 30:42].mean(dim=(2, 3))
    assert (middle[:, 0] > middle[:, 2]).all(), "red above the bar, in any light"
    brightness = photos.mean(dim=(1, 2, 3))
    assert brightness.max() > 2 * brightness.min()
    corners = photos[:, :, :12, :12].mean(dim=(2, 3))
    assert corners.std(dim=0).min() > 0.05


def test_pieces_that_are_none_are_black() -> None:
    images = Images(torch.ones(2, 1, 3, 2), torch.zeros(1), torch.tensor([[1, -1, 0]]))
    assert images.take(torch.tensor([0]))[0, 0, 0].tolist() == [1, 1, 0, 0, 1, 1]


def test_bytes_are_shown_as_tones() -> None:
    images = Images(torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1), torch.zeros(3))
    assert images.take(torch.tensor([2, 0, 1])).flatten().tolist() == pytest.approx([1, 0, 0.2])


def test_what_is_not_at_hand_says_how_to_get_it(tmp_path: Path) -> None:
    entries = availability.datasets(tmp_path / "none")
    assert [name for name, entry in entries.items() if entry.available] == [
        name for name, entry in DATASETS.items() if not entry.needs
    ]
    with pytest.raises(
        DatasetError, match=r"MNIST is not at hand\. Put its four idx files"
    ) as told:
        load("mnist", tmp_path)
    assert str(tmp_path) in str(told.value)
    with pytest.raises(DatasetError, match="not at hand"):
        load("gtsrb")


def test_made_up_mnist_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"train": 40, "t10k": 20}
    monkeypatch.setattr(mnist_files, "COUNTS", counts)
    made_data.mnist(tmp_path / "mnist", counts)
    dataset = load("mnist", tmp_path)
    check(dataset_of(dataset), replace(DATASETS["mnist"], images=40, held_out=20))


def dataset_of(dataset: Dataset) -> Dataset:
    train, held_out = len(dataset.train), len(dataset.held_out)
    return replace(dataset, entry=replace(dataset.entry, images=train, held_out=held_out))


def test_an_incomplete_copy_of_the_signs_counts_what_there_is(tmp_path: Path) -> None:
    files = made_data.gtsrb("kaggle", classes=2, tracks=10, frames=2)
    made_data.written(files, tmp_path / "gtsrb", packed=True)
    dataset = load("gtsrb", tmp_path)
    assert (dataset.entry.images, dataset.entry.held_out) == (36, 4)
    assert (len(dataset.train), len(dataset.held_out)) == (36, 4)
    # Another copy in its place is counted anew.
    made_data.written(made_data.gtsrb("kaggle"), tmp_path / "gtsrb", packed=True)
    os.utime(tmp_path / "gtsrb" / "archive.zip", (1, 1))
    assert availability.dataset("gtsrb", tmp_path).images == 8


def cluttered(folder: Path, **changed: np.ndarray | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    arrays: dict[str, np.ndarray | None] = {}
    for part, count in (("train", 30), ("valid", 20)):
        arrays[f"X_{part}"] = draw.random((count, 1600), dtype=np.float32)
        arrays[f"y_{part}"] = np.arange(count, dtype=np.int32)[:, None] % 10
    arrays |= changed
    path = folder / "clutter.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})  # type: ignore[arg-type]
    return path


def test_made_up_cluttered_digits_are_loaded(tmp_path: Path) -> None:
    cluttered(tmp_path / "cluttered_mnist_40")
    dataset = load("cluttered-40", tmp_path)
    check(dataset_of(dataset), replace(DATASETS["cluttered-40"], images=30, held_out=20))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"y_valid": None}, "has no array y_valid"),
        ({"X_train": np.zeros((29, 1600))}, r"X_train is \(29, 1600\), not \(30, 1600\)"),
        ({"y_train": np.full(30, 12)}, "labels are not 0 to 9"),
        ({"X_valid": np.full((20, 1600), 2.0)}, "tones not 0 to 1 in valid"),
        ({"X_train": np.array([None])}, "cannot be read"),
    ],
)
def test_wrong_cluttered_digits_are_told(
    tmp_path: Path, changed: dict[str, np.ndarray | None], told: str
) -> None:
    cluttered(tmp_path / "cluttered_mnist_40", **changed)
    with pytest.raises(DatasetError, match=told):
        load("cluttered-40", tmp_path)


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = cluttered(tmp_path / "cluttered_mnist_40")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"clutter\.npz cannot be read"):
        load("cluttered-40", tmp_path)


def test_pictures_of_one_s_own_are_a_data_set(tmp_path: Path) -> None:
    made_data.own(tmp_path / "fruit", {"apple": 15, "pear": 10, "too few": 3})
    entry = availability.datasets(tmp_path)["fruit"]
    assert "Left out, with fewer than 10: too few: 3." in entry.description
    assert (entry.classes, entry.images, entry.held_out) == (("apple", "pear"), 20, 5)
    dataset = load("fruit", tmp_path)
    assert dataset.entry == entry
    assert (len(dataset.train), len(dataset.held_out)) == (20, 5)
    shown = dataset.train.take(torch.arange(20))
    assert shown.shape == (20, 3, 48, 48)
    assert (dataset.train.labels == (shown[:, 0, 24, 24] > 0.5)).all()
    assert torch.equal(shown[0, :, 0, 24], shown[0, :, 24, 24]), "its edge goes on around it"


def test_a_picture_of_one_s_own_is_fitted_as_an_upload_is(tmp_path: Path) -> None:
    made_data.own(tmp_path / "fruit", {"apple": 12, "pear": 12})
    path = tmp_path / "fruit" / "apple" / "00.png"
    image = Image.effect_noise((90, 40), 60).convert("RGB")
    image.paste("red", (0, 0, 90, 1))  # its edge, but not most of its rim
    image.save(path)
    fitted = fit(decode(path.read_bytes()), (48, 48), 3, light_on_dark=False)
    shown = load("fruit", tmp_path).train.pixels[0].permute(1, 2, 0).numpy()
    assert np.array_equal(shown, (fitted.image * 255).round())


def test_a_picture_of_one_s_own_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    made_data.own(tmp_path / "fruit", {"apple": 12, "pear": 12})
    path = tmp_path / "fruit" / "pear" / "03.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(
        DatasetError, match=r"fruit/pear/03\.png cannot be used\. The file ends before"
    ):
        load("fruit", tmp_path)


def test_a_folder_that_is_passed_over_says_why(tmp_path: Path) -> None:
    made_data.own(tmp_path / "single", {"apple": 15})
    made_data.own(tmp_path / "few", {"apple": 9, "pear": 12})
    made_data.own(tmp_path / "deep" / "train", {"apple": 12, "pear": 12})
    made_data.own(tmp_path, {"flat": 12})
    made_data.own(tmp_path / "digits", {"apple": 12, "pear": 12})
    made_data.own(tmp_path / "mnist", {"apple": 12, "pear": 12})
    made_data.own(tmp_path / ("x" * 65), {"apple": 12, "pear": 12})
    made_data.own(tmp_path / "scans" / "apple", {"a": 0})
    (tmp_path / "scans" / "apple" / "1.tiff").write_bytes(b"II*\x00")
    (tmp_path / "papers" / "a").mkdir(parents=True)
    (tmp_path / "papers" / "a" / "text.pdf").write_bytes(b"%PDF")
    told = {each.name: each.reason for each in availability.skipped(tmp_path)}
    wanted = {
        "single": "single needs two folders or more with at least 10 pictures each, one for each "
        "class. It has apple: 15;",
        "few": "apple: 9, pear: 12; PNG, JPEG, WebP, GIF and BMP count.",
        "deep": "one folder too deep, as in deep/train",
        "flat": "flat has pictures, but no folders.",
        "digits": "The folder digits has the name of one of the program's data sets.",
        "mnist": "The folder mnist has the name of one of the program's data sets.",
        "x" * 65: "has a name of 65 letters; 64 are the most.",
        "scans": "It has apple: 0; PNG",
    }
    assert told.keys() == wanted.keys(), "what holds no pictures is nobody's"
    for name, words in wanted.items():
        assert words in told[name]
    assert not told.keys() & (availability.datasets(tmp_path).keys() - DATASETS.keys())
    with pytest.raises(DatasetError, match="few needs two folders or more") as caught:
        availability.dataset("few", tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty"),
        (b"none", "not a picture in a known format"),
        (b"P6 2 2 255 " + bytes(12), "This is a PNM"),
        (b"\xff\xd8\xff" + bytes(10_000_000), "at most 10 MB"),
    ],
)
def test_a_folder_with_what_is_no_picture_names_it(tmp_path: Path, data: bytes, told: str) -> None:
    made_data.own(tmp_path / "fruit", {"apple": 12, "pear": 12})
    path = tmp_path / "fruit" / "pear" / "03.png"
    good = path.read_bytes()
    path.write_bytes(data)
    (passed,) = availability.skipped(tmp_path)
    assert passed.reason.startswith("fruit/pear/03.png cannot be used. ")
    assert told in passed.reason
    path.write_bytes(good)
    assert availability.skipped(tmp_path) == []
    assert availability.datasets(tmp_path)["fruit"].images == 20


def test_what_a_known_data_set_keeps_in_its_folder_is_not_one_s_own(tmp_path: Path) -> None:
    made_data.written(made_data.gtsrb("kaggle"), tmp_path / "gtsrb")
    made_data.own(tmp_path / "gtsrb", {"Meta": 43, "Test": 20})
    assert availability.skipped(tmp_path) == []


def test_a_data_set_that_is_damaged_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"train": 40, "t10k": 20}
    monkeypatch.setattr(mnist_files, "COUNTS", counts)
    made_data.mnist(tmp_path / "mnist", counts)
    cluttered(tmp_path / "cluttered_mnist_40", y_valid=None)
    files = made_data.gtsrb("official")
    picture = "GTSRB/Final_Training/Images/00000/00000_00001.ppm"
    made_data.written(files | {picture: files[picture][:-100]}, tmp_path / "gtsrb")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"<html>")
    entries = availability.datasets(tmp_path)
    faults = {
        "mnist-numbers": "t10k-labels-idx1-ubyte.gz cannot be unpacked",
        "cluttered-40": "clutter.npz has no array y_valid",
        "gtsrb-regions": f"{picture} cannot be read",
    }
    for name, told in faults.items():
        assert not entries[name].available
        assert told in entries[name].fault
        with pytest.raises(DatasetError, match=f"is damaged. .*{told}"):
            availability.dataset(name, tmp_path)
    made_data.mnist(tmp_path / "mnist", counts)
    cluttered(tmp_path / "cluttered_mnist_40")
    # Nor is one that is only half fetched taken for one that is there.
    labels = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    labels.rename(f"{labels}.part")
    assert not availability.datasets(tmp_path)["mnist"].fault
    assert not availability.datasets(tmp_path)["mnist"].available
    Path(f"{labels}.part").rename(labels)
    # Not even a folder's time tells that one of its files is another one.
    (tmp_path / "gtsrb" / picture).write_bytes(files[picture])
    entries = availability.datasets(tmp_path)
    assert all(entries[name].available and not entries[name].fault for name in faults)


@pytest.mark.parametrize("packed", [True, False])
def test_images_that_were_decoded_are_kept_for_as_long_as_their_files(
    tmp_path: Path, packed: bool
) -> None:
    files = made_data.gtsrb("official")
    folder = made_data.written(files, tmp_path / "gtsrb", packed=packed)
    first = load("gtsrb", tmp_path)
    load("gtsrb-regions", tmp_path)
    kept = folder / ".decoded-whole-48"
    assert len(list(folder.glob(".decoded-*"))) == 2
    # What is read is the file's: one that says it was made from the same, of other pixels.
    with safe_open(kept, framework="pt") as file:
        about, pixels = file.metadata(), file.get_tensor("pixels")
    save_file({"pixels": 255 - pixels}, kept, about)
    assert torch.equal(load("gtsrb", tmp_path).train.pixels, 255 - first.train.pixels)
    for damage in (b"", kept.read_bytes()[:-1], b"no safetensors at all"):
        kept.write_bytes(damage)
        assert torch.equal(load("gtsrb", tmp_path).train.pixels, first.train.pixels)
        with safe_open(kept, framework="pt") as file:
            assert torch.equal(file.get_tensor("pixels"), pixels), "made anew"
    picture = "GTSRB/Final_Training/Images/00000/00000_00001.ppm"
    made_data.written(
        files | {picture: made_data.photo(1, 0, "PPM", (40, 50))}, folder, packed=packed
    )
    os.utime(folder / ("archive.zip" if packed else picture), (1, 1))
    again = load("gtsrb", tmp_path)
    assert not all(
        torch.equal(one.pixels, other.pixels)
        for one, other in ((first.train, again.train), (first.held_out, again.held_out))
    )


def test_a_set_that_cannot_be_decoded_or_kept_leaves_nothing(tmp_path: Path) -> None:
    files = made_data.gtsrb("kaggle")
    picture = "Train/0/00000_00001_00000.png"
    folder = made_data.written(files | {picture: b"none"}, tmp_path / "gtsrb")
    with pytest.raises(DatasetError, match="cannot be read"):
        load("gtsrb", tmp_path)
    assert not list(folder.glob(".*"))
    (folder / picture).write_bytes(files[picture])
    folder.chmod(0o555)
    try:
        load("gtsrb", tmp_path)
        assert not list(folder.glob(".*")), "it is only to be read"
    finally:
        folder.chmod(0o755)
    (folder / ".decoded-whole-48.1.part").write_bytes(b"of one that was ended")
    load("gtsrb", tmp_path)
    assert [path.name for path in folder.glob(".*")] == [".decoded-whole-48"]


def test_what_else_lies_in_the_data_folder_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_data.own(tmp_path / "fruit", {"apple": 12, "pear": 12})
    made_data.own(tmp_path / ".hidden", {"apple": 12, "pear": 12})
    made_data.own(tmp_path / "digits", {"apple": 12, "pear": 12})
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a file").write_bytes(b"none")
    (tmp_path / "mnist").mkdir()
    locked = tmp_path / "locked"
    locked.mkdir()
    look = Path.iterdir

    def iterdir(path: Path) -> object:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return look(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    entries = availability.datasets(tmp_path)
    assert set(entries) - set(DATASETS) == {"fruit"}
    reasons = {each.name: each.reason for each in availability.skipped(tmp_path)}
    assert reasons.keys() == {"digits", "locked"}
    assert reasons["locked"] == "locked cannot be looked into: Permission denied."
    assert entries["digits"] == DATASETS["digits"], "a folder takes no name of ours"
