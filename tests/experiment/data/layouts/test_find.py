"""Where data sets are found in the data folder, what limits them, and that they can be trained."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.catalog import steps_per_epoch, validate, with_defaults
from stnscope.backend.experiment.config import ProbesConfig, RunConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.layouts import listing, stored_images
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import create
from stnscope.backend.experiment.runs.session import record
from tests.experiment.sample_data import write_image_folder
from tests.experiment.scripted import Script
from tests.experiment.stored_data import (
    found,
    labels_of,
    make_table,
    reasons,
    save_to_disk,
    write_cifar,
    write_idx,
    write_parquet,
)

KINDS: dict[str, Callable[[Path], object]] = {
    "idx": lambda folder: write_idx(folder, "train", labels_of(40, 10)),
    "binary": write_cifar,
    "parquet": lambda folder: write_parquet(folder / "train.parquet", make_table(labels_of(40))),
    "arrow": lambda folder: save_to_disk(folder, make_table(labels_of(40))),
    "parts": lambda folder: write_image_folder(folder / "train", {"apple": 20, "pear": 20}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_trained(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "data" / "mine")
    entry = availability.inspect_dataset("mine", tmp_path / "data")
    config = RunConfig(dataset="mine", epochs=1, batch_size=4, probes=ProbesConfig(count=2))
    config = with_defaults(config, entry)
    validate(config, entry)
    path = tmp_path / "run.stnscope"
    create(path, config=config, steps_per_epoch=steps_per_epoch(config, entry))
    script = Script(1, {"action": "stop"})
    assert record(path, script, data=tmp_path / "data") == "stopped"
    with Recording.open(path) as opened:
        frame = opened.frame(1)
    assert frame.info["classes"] == list(entry.classes)
    assert frame.tensors["input"].shape[-1] == (1 if kind == "idx" else 3)
    assert np.ptp(frame.tensors["input"]) > 100 or kind == "binary"


def test_data_sets_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """A folder of many data sets, as `root` of torchvision's, has one for each."""
    root = tmp_path / "root"
    write_idx(root / "KMNIST" / "raw", "train", labels_of(30, 10))
    write_image_folder(root / "eurosat" / "2750", {"Forest": 12, "River": 12})
    write_parquet(root / "hub" / "fruit" / "data" / "train.parquet", make_table(labels_of(20)))
    (root / "hub" / "damaged.parquet").mkdir()
    (root / "pickled").mkdir()
    (root / "pickled" / "data_batch_1").write_bytes(b"\x80")
    write_image_folder(tmp_path / "alone" / "deep" / "deeper", {"apple": 10, "pear": 10})
    assert found(tmp_path) == {
        "alone": (16, 4),
        "root-KMNIST": (24, 6),
        "root-eurosat-2750": (20, 4),
        "root-hub-fruit": (16, 4),
    }
    assert reasons(tmp_path).keys() == {"root-pickled"}
    assert len(load("root-eurosat-2750", tmp_path).train) == 20
    entry = availability.inspect_dataset("alone", tmp_path)
    assert str(tmp_path / "alone" / "deep" / "deeper") in entry.instructions


def test_second_data_set_of_a_name_is_skipped(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "fruit-b", {"apple": 10, "pear": 10})
    for name in ("a", "b"):
        write_image_folder(tmp_path / "fruit" / name, {"apple": 15, "pear": 15})
    assert found(tmp_path) == {"fruit-a": (24, 6), "fruit-b": (16, 4)}
    assert "fruit has a data set whose name would be fruit-b" in reasons(tmp_path)["fruit-b"]
    assert len(load("fruit-b", tmp_path).train) == 16


def test_too_many_images_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, write in KINDS.items():
        write(tmp_path / kind)
    monkeypatch.setattr(stored_images, "MAX_DATASET_BYTES", 30 * 28 * 28)
    assert found(tmp_path) == {}
    texts = reasons(tmp_path)
    assert texts["idx"] == (
        "idx has 40 images; at most 30 of 28x28 pixels are read. Use a part of them."
    )
    assert texts.keys() == KINDS.keys()


def test_decoded_images_of_large_data_sets_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_images, "MIN_CACHED", 20)
    folder = tmp_path / "fruit"
    write_parquet(folder / "train.parquet", make_table(labels_of(40)))
    first = load("fruit", tmp_path)
    assert [path.name for path in folder.glob(".decoded*")] == [".decoded-fruit-48x48x3"]
    with monkeypatch.context() as patch:
        patch.setattr(
            "stnscope.backend.experiment.data.load.decode", lambda _: pytest.fail("decoded again")
        )
        second = load("fruit", tmp_path)
    assert (first.train.pixels == second.train.pixels).all()
    write_parquet(folder / "train.parquet", make_table(labels_of(45)))
    assert len(load("fruit", tmp_path).train) == 36


def test_an_epoch_shows_few_images_several_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cifar(tmp_path / "things")
    assert availability.inspect_dataset("things", tmp_path).repeats > 1
    monkeypatch.setattr(stored_images, "MAX_REPEATED", 50)
    assert availability.inspect_dataset("things", tmp_path).repeats == 1


def test_listing_of_names_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b", "c/d/e/f"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(9):
            (tmp_path / folder / f"{number}.bin").touch()
    (tmp_path / "top.bin").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    monkeypatch.setattr(listing, "MAX_ENTRIES", 5)
    monkeypatch.setattr(listing, "MAX_LISTED", 14)
    files = listing.Listing(tmp_path).files
    assert "top.bin" in files
    assert len([file for file in files if file.startswith("a/")]) == 5
    assert len(files) < 14


def test_listing_without_tables_imports_neither_torch_nor_pyarrow(tmp_path: Path) -> None:
    KINDS["idx"](tmp_path / "mine")
    code = (
        "import sys; from pathlib import Path;"
        "from stnscope.backend.experiment.data import availability as a;"
        f"assert 'mine' in a.list_datasets(Path({str(tmp_path)!r}));"
        "assert not {'torch', 'pyarrow', 'yaml', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
