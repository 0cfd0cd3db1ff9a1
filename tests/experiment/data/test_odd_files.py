"""Whatever a data set's files do, its fault names them; other data sets stay available."""

import gzip
import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.catalog import validate, with_defaults
from stnscope.backend.experiment.config import ProbesConfig, RunConfig
from stnscope.backend.experiment.data import availability, gtsrb, mnist
from stnscope.backend.experiment.data.file_tree import ZipTree
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import DatasetError, InvalidInput
from tests.experiment import sample_data
from tests.experiment.data.mutations import MNIST_COUNTS, mutate, read_all, write_data_sets

CASES = Path(__file__).parents[4] / "shared" / "cases"
MUTATIONS = 60
TABLE = "GTSRB/Final_Training/Images/00000/GT-00000.csv"
IMAGE = "GTSRB/Final_Training/Images/00000/00000_00000.ppm"


@pytest.fixture
def _small_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "COUNTS", MNIST_COUNTS)


def fault_of(name: str, data: Path) -> str:
    """Return a data set's fault, after checking that everything else is listed."""
    entries = availability.list_datasets(data)
    skipped = availability.list_all(data)[1]
    json.dumps([asdict(entry) for entry in entries.values()], ensure_ascii=False).encode()
    json.dumps([asdict(folder) for folder in skipped], ensure_ascii=False).encode()
    assert entries.keys() >= DATASETS.keys()
    assert entries["digits"].available
    assert entries[name].available == (not entries[name].fault)
    if not entries[name].available:
        with pytest.raises(DatasetError):
            availability.inspect_dataset(name, data)
    return entries[name].fault


def write_zip(data: Path, change: Callable[[bytearray, str], None], member: str = TABLE) -> None:
    """Write the benchmark as a zip, after `change` of its bytes for one member."""
    folder = data / "gtsrb"
    folder.mkdir(parents=True)
    content = bytearray(sample_data.make_zip(sample_data.make_gtsrb("official"), deflated=True))
    change(content, member)
    (folder / "a.zip").write_bytes(content)


def change_headers(offset: int, value: int) -> Callable[[bytearray, str], None]:
    """Return a change of two bytes in both headers of a member; by their offset in the local one.

    The central header has two more bytes before them.
    """

    def change(content: bytearray, member: str) -> None:
        at = content.index(member.encode())
        struct.pack_into("<H", content, at - 30 + offset, value)
        at = content.rindex(member.encode())
        struct.pack_into("<H", content, at - 46 + offset + 2, value)

    return change


def flip_stream(content: bytearray, member: str) -> None:
    at = content.index(member.encode()) + len(member)
    for index in range(at, at + 40):
        content[index] ^= 0xFF


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_headers(6, 1), "it is encrypted"),
        (change_headers(8, 9), "it is packed with a method that cannot be unpacked"),
        (change_headers(8, 77), "it is packed with a method that cannot be unpacked"),
        (flip_stream, "it is damaged"),
    ],
)
def test_zip_that_cannot_be_unpacked_is_named(
    tmp_path: Path, change: Callable[[bytearray, str], None], reason: str
) -> None:
    write_zip(tmp_path, change)
    fault = fault_of("gtsrb", tmp_path)
    assert fault.startswith("a.zip: ")
    assert f"{TABLE} cannot be read: {reason}" in fault
    shutil.rmtree(tmp_path / "gtsrb")
    write_zip(tmp_path, change, IMAGE)
    assert fault_of("gtsrb", tmp_path) == ""
    with pytest.raises(DatasetError, match=rf"a\.zip: .*line 2: {IMAGE} cannot be read: {reason}"):
        load("gtsrb", tmp_path)


def test_damaged_zip_is_passed_over_for_a_complete_folder(tmp_path: Path) -> None:
    sample_data.write_files(sample_data.make_gtsrb("official"), tmp_path / "gtsrb")
    (tmp_path / "gtsrb" / "a.zip").write_bytes(b"PK\x03\x04")
    assert fault_of("gtsrb", tmp_path) == ""
    assert len(load("gtsrb", tmp_path).train) == 8


def test_member_that_declares_gigabytes_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zip(tmp_path, lambda *_: None)
    monkeypatch.setattr("stnscope.backend.experiment.data.file_tree.MAX_FILE_BYTES", 10)
    monkeypatch.setattr(ZipTree, "open", lambda *_: pytest.fail("it was unpacked"))
    assert "and at most 10 are read" in fault_of("gtsrb", tmp_path)


def rewrite_table(text: str, rewrite: str) -> bytes:
    match rewrite:
        case "cr":
            return text.replace("\r\n", "\r").encode()
        case "utf-16":
            return text.encode("utf-16")
        case "bom":
            return text.encode("utf-8-sig")
        case "other delimiter":
            swapped = text.translate({ord(";"): ",", ord(","): ";"})
            return swapped.encode()
        case "tabs and spaces":
            return text.replace(";", " \t").replace(",", " \t").encode()
        case "quotes":
            return "\r\n".join(
                ";".join(f'"{field}"' for field in line.replace(",", ";").split(";"))
                for line in text.splitlines()
            ).encode()
    raise AssertionError(rewrite)


@pytest.mark.parametrize("layout", ["official", "kaggle"])
@pytest.mark.parametrize(
    "rewrite", ["cr", "utf-16", "bom", "other delimiter", "tabs and spaces", "quotes"]
)
def test_tables_of_other_programs_are_read(tmp_path: Path, layout: str, rewrite: str) -> None:
    files = sample_data.make_gtsrb(layout)
    tables = {
        name: rewrite_table(data.decode(), rewrite)
        for name, data in files.items()
        if name.endswith(".csv")
    }
    folder = sample_data.write_files(files | tables, tmp_path / "gtsrb")
    assert gtsrb.inspect(folder) == (8, 4)
    assert len(gtsrb.load(folder)[0].labels) == 8


@pytest.mark.parametrize("content", [b"\0" * 300, b"\xff\xfe\xff", b'"' + b"x" * 200_000, b""])
def test_table_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    sample_data.write_files(sample_data.make_gtsrb("official"), tmp_path / "gtsrb")
    (tmp_path / "gtsrb" / TABLE).write_bytes(content)
    assert TABLE in fault_of("gtsrb", tmp_path)


@pytest.mark.parametrize("prefix", ["GTSRB/Training", "Training", "gtsrb/GTSRB/Training"])
def test_layouts_of_torchvision_are_read(tmp_path: Path, prefix: str) -> None:
    files = {
        name.replace("GTSRB/Final_Training/Images", prefix): data
        for name, data in sample_data.make_gtsrb("official").items()
    }
    sample_data.write_files(files, tmp_path / "gtsrb")
    assert fault_of("gtsrb", tmp_path) == ""
    assert len(load("gtsrb", tmp_path).train) == 8
    # A class that is added is detected.
    added = files[f"{prefix}/00001/GT-00001.csv"].decode().splitlines()[:3]
    (tmp_path / "gtsrb" / prefix / "00001" / "GT-00001.csv").write_text("\n".join(added))
    assert availability.inspect_dataset("gtsrb", tmp_path).images < 8


def place_mnist(data: Path, layout: str) -> None:
    """Write MNIST as another program leaves it."""
    files = {
        path.name: path.read_bytes()
        for path in sample_data.write_mnist(data / "written", MNIST_COUNTS, gzipped=False).iterdir()
    }
    shutil.rmtree(data / "written")
    packed = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    match layout:
        case "torchvision":
            files = {f"MNIST/raw/{name}": content for name, content in (files | packed).items()}
        case "lower case":
            files = {f"mnist/raw/{name}": content for name, content in files.items()}
        case "torchvision below":
            files = {f"mnist/MNIST/raw/{name}": content for name, content in packed.items()}
        case "kaggle":
            files = {f"mnist/{name}/{name}": content for name, content in files.items()}
        case "kaggle with dots":
            names = {name: name.replace("-idx", ".idx") for name in files}
            files = {f"mnist/{names[name]}": content for name, content in files.items()}
        case "unpacked by a browser":
            files = {f"mnist/{name}.gz": content for name, content in files.items()}
        case "packed without a suffix":
            files = {f"mnist/{name[:-3]}": content for name, content in packed.items()}
        case "copies of a browser":
            files = {f"mnist/{name[:-3]} (1).gz": content for name, content in packed.items()}
        case "other names":
            files = {f"mnist/file{i}.bin": content for i, content in enumerate(packed.values())}
        case "zip":
            files = {"mnist/archive.zip": sample_data.make_zip(files)}
    sample_data.write_files(files, data)


@pytest.mark.usefixtures("_small_mnist")
@pytest.mark.parametrize(
    "layout",
    [
        *("torchvision", "lower case", "torchvision below", "kaggle", "kaggle with dots", "zip"),
        *("unpacked by a browser", "packed without a suffix", "copies of a browser"),
        "other names",
    ],
)
def test_layouts_of_mnist_are_read(tmp_path: Path, layout: str) -> None:
    place_mnist(tmp_path, layout)
    assert fault_of("mnist", tmp_path) == ""
    source = mnist.SOURCE.path(tmp_path)
    train, held_out = mnist.load(source)
    assert (train.pixels.shape, held_out.pixels.shape) == ((30, 1, 28, 28), (20, 1, 28, 28))
    assert train.labels.tolist() == [number % 10 for number in range(30)]
    # A file that changes is detected.
    damaged = max(source.rglob("*"), key=lambda path: path.is_file() and path.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    if layout != "torchvision":  # which has each file twice
        assert fault_of("mnist", tmp_path)


@pytest.mark.usefixtures("_small_mnist")
def test_what_lies_in_place_of_a_data_set_is_named(tmp_path: Path) -> None:
    for name, file in (("mnist", "mnist_train.csv"), ("cluttered_mnist_40", "a.mat")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(b"1,2")
    (tmp_path / "gtsrb" / "Meta").mkdir(parents=True)
    faults = {"mnist": "mnist_train.csv", "cluttered-40": "a.mat", "gtsrb": "Meta"}
    for name, found in faults.items():
        assert f" has {found}, but not all that is needed." in fault_of(name, tmp_path)


def test_names_that_are_not_utf_8_are_named_and_left_out(tmp_path: Path) -> None:
    folder = sample_data.write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    odd = os.fsencode(folder) + b"/k\xe4se"
    os.mkdir(odd)
    shutil.copy(os.fsencode(folder) + b"/pear/00.png", odd)
    os.rename(os.fsencode(folder) + b"/apple/00.png", os.fsencode(folder) + b"/apple/\xe4.png")
    os.rename(
        os.fsencode(sample_data.write_image_folder(tmp_path / "x", {"a": 12, "b": 12})),
        os.fsencode(tmp_path) + b"/\xe4",
    )
    sample_data.write_files(sample_data.make_gtsrb("official"), tmp_path / "gtsrb")
    with open(os.fsencode(tmp_path / "gtsrb") + b"/\xe4", "wb"):
        pass
    assert fault_of("gtsrb", tmp_path) == ""
    entry = availability.list_datasets(tmp_path)["fruit"]
    assert (entry.classes, entry.images + entry.held_out) == (("apple", "pear"), 23)
    assert r"Not read: k\xe4se, apple/\xe4.png." in entry.description
    assert len(load("fruit", tmp_path).train) == entry.images
    assert len(load("gtsrb", tmp_path).train) == 8
    (skipped,) = availability.list_all(tmp_path)[1]
    assert (skipped.name, "not UTF-8" in skipped.reason) == (r"\xe4", True)


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".pjpeg", ".jpg_large", ""])
def test_images_are_recognised_by_content(tmp_path: Path, suffix: str) -> None:
    for name in ("apple", "pear"):
        folder = tmp_path / "fruit" / name
        folder.mkdir(parents=True)
        for index in range(12):
            # Half of them have a usual name.
            end = ".jpg" if index % 2 else suffix
            Image.new("RGB", (20, 20), (20 * index, 0, 0)).save(folder / f"{index}{end}", "JPEG")
        (folder / "notes.txt").write_text("not an image")
        (folder / "scan.tif").write_bytes(b"II*\0")
    entry = availability.list_datasets(tmp_path)["fruit"]
    assert entry.images + entry.held_out == 24
    assert "Not read: apple/scan.tif, pear/scan.tif." in entry.description
    assert len(load("fruit", tmp_path).train) == entry.images


@pytest.mark.usefixtures("_small_mnist")
def test_pipes_and_dangling_links_are_not_opened(tmp_path: Path) -> None:
    folder = sample_data.write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    sample_data.write_files(sample_data.make_gtsrb("official"), tmp_path / "gtsrb")
    place_mnist(tmp_path, "kaggle")
    (tmp_path / "cluttered_mnist_40").mkdir()
    for path in (
        folder / "apple" / "pipe.png",
        folder / "pipe",
        tmp_path / "gtsrb" / "pipe.zip",
        tmp_path / "mnist" / "train-images-idx3-ubyte.gz",
        tmp_path / "cluttered_mnist_40" / "pipe.npz",
        tmp_path / "pipe",
    ):
        os.mkfifo(path)
        path.with_name(f"{path.stem}-link{path.suffix}").symlink_to("missing")
    for name in ("gtsrb", "mnist"):
        assert fault_of(name, tmp_path) == ""
    assert "pipe.npz" in fault_of("cluttered-40", tmp_path)
    assert availability.list_datasets(tmp_path)["fruit"].images == 20
    assert len(load("gtsrb", tmp_path).train) == 8


def test_defaults_give_way_to_a_small_data_set_and_requests_are_refused(tmp_path: Path) -> None:
    sample_data.write_image_folder(tmp_path / "small", {"apple": 10, "pear": 10})
    entry = availability.inspect_dataset("small", tmp_path)
    config = with_defaults(RunConfig(dataset="small", probes=ProbesConfig(moving=True)), entry)
    assert (config.probes, config.batch_size) == (ProbesConfig(count=4, moving=True), 64)
    validate(config, entry)
    tiny = with_defaults(
        RunConfig(dataset="small"), entry.__class__(**asdict(entry) | {"images": 4})
    )
    assert tiny.batch_size == 16
    requested = RunConfig(dataset="small", probes=ProbesConfig(count=12), batch_size=65)
    with pytest.raises(InvalidInput, match="4 held-out images, fewer than the requested 12"):
        validate(with_defaults(requested, entry), entry)


def test_help_lists_image_folders_whatever_else_lies_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_zip(tmp_path, change_headers(6, 1))
    sample_data.write_image_folder(tmp_path / "fruit", {"apple": 12, "pear": 12})
    with pytest.raises(SystemExit):
        main(["train", "--data", str(tmp_path), "--help"])
    assert "fruit" in capsys.readouterr().out


@pytest.mark.usefixtures("_small_mnist")
@pytest.mark.seconds
def test_randomly_damaged_data_sets_raise_nothing_but_our_errors(tmp_path: Path) -> None:
    """`python -m tests.experiment.data.mutations` runs this for as long as one likes."""
    generator = random.Random(14)
    outcomes = {"read": 0, "refused": 0}
    write_data_sets(tmp_path / "whole")
    for _ in range(MUTATIONS):
        mutate(tmp_path / "whole", tmp_path / "data", generator)
        for outcome in read_all(tmp_path / "data"):
            outcomes[outcome] += 1
    assert min(outcomes.values()) > MUTATIONS / 10, outcomes


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not available")
@pytest.mark.parametrize(
    ("case", "name", "fault"),
    [
        ("zip-encrypted", "gtsrb", r"a\.zip: .*encrypted"),
        ("zip-deflate64", "gtsrb", r"a\.zip: .*method"),
        ("zip-damaged-csv", "gtsrb", r"a\.zip: .*damaged"),
        ("gtsrb-csv-cr-only", "gtsrb", None),
        ("gtsrb-torchvision-layout", "gtsrb", None),
        ("jfif", "jf", None),
        ("smallest-own-set", "small", None),
    ],
)
def test_shared_cases_are_read_or_named(case: str, name: str, fault: str | None) -> None:
    data = CASES / case / "data"
    if fault is None:
        assert fault_of(name, data) == ""
        assert isinstance(load(name, data).train.labels.numpy(), np.ndarray)
    else:
        with pytest.raises(DatasetError, match=fault):
            availability.inspect_dataset(name, data)
