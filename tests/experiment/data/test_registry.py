"""A data set that is read from files needs a source, an entry in the catalog, and a row each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS, DOWNLOADS, SOURCES
from stnscope.backend.experiment.data.source import Arrays, ArraySplit, Counts, DataSource
from stnscope.backend.experiment.errors import DatasetError


def read_arrays(folder: Path) -> ArraySplit:
    pixels = np.load(folder / "pixels.npy")
    arrays = Arrays(pixels[:, None], np.arange(len(pixels), dtype=np.int64))
    return arrays, Arrays(arrays.pixels[:2], arrays.labels[:2])


def count_images(folder: Path) -> Counts:
    if (folder / "pixels.npy").stat().st_size < 100:
        raise DatasetError("pixels.npy is truncated.")
    return 3, 2


TINY = DataSource(
    folder="tiny-files",
    required_files=(("pixels.npy", "pixels.npz"), ("*.txt",)),
    instructions="Ask the author.",
    inspect=count_images,
    load=read_arrays,
)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(DATASETS["mnist"], name="tiny", title="Tiny", images=0, held_out=0)
    monkeypatch.setitem(DATASETS, "tiny", entry)
    monkeypatch.setitem(SOURCES, "tiny", TINY)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny-files"
    folder.mkdir()
    np.save(folder / "pixels.npy", np.zeros((3, 28, 28), np.uint8))
    return tmp_path


def test_registered_source_needs_a_file_of_each_group(data: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"Tiny is not available\. .*has pixels\.npy, but.* Ask the author\."
    ):
        load("tiny", data)
    (data / "tiny-files" / "licence.txt").touch()
    assert availability.list_datasets(data)["tiny"].available


def test_registered_source_is_inspected_and_loaded(data: Path) -> None:
    (data / "tiny-files" / "licence.txt").touch()
    entry = availability.inspect_dataset("tiny", data)
    assert (entry.images, entry.held_out, entry.instructions) == (3, 2, "Ask the author.")
    dataset = load("tiny", data)
    assert dataset.entry == entry
    assert dataset.train.pixels.shape == (3, 1, 28, 28)
    assert dataset.held_out.labels.tolist() == [0, 1]


def test_registered_source_is_inspected_again_after_a_change(data: Path) -> None:
    (data / "tiny-files" / "licence.txt").touch()
    assert availability.list_datasets(data)["tiny"].available
    (data / "tiny-files" / "pixels.npy").write_bytes(b"")
    entry = availability.list_datasets(data)["tiny"]
    assert (entry.available, entry.fault) == (False, "pixels.npy is truncated.")


def test_downloads_are_stored_in_the_folder_that_is_read() -> None:
    for name, files in DOWNLOADS.items():
        for file in files:
            assert file.path.startswith(f"{SOURCES[name].folder}/")
            assert file.md5 or file.required_member
