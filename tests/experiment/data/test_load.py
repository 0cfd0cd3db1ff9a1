"""Every data set of the catalog can be loaded, and is as the catalog describes it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stnscope.backend.experiment.catalog import ARCHITECTURES, check_distortion, fits
from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data import mnist
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import BUNDLED, COMPOSITIONS, load
from stnscope.backend.experiment.data.registry import DATASETS, DEFINITIONS, SOURCES
from stnscope.backend.experiment.errors import DatasetError, InvalidInput
from tests.experiment import sample_data
from tests.experiment.sample_data import REAL_DATA

FOR_EACH_DATASET = pytest.mark.parametrize("entry", DATASETS.values(), ids=lambda entry: entry.name)


def check(dataset: Dataset, entry: DatasetEntry) -> None:
    """Check a loaded data set's shapes, values, labels and counts against the catalog."""
    assert replace(dataset.entry, instructions=entry.instructions) == entry
    for count, images in ((entry.images, dataset.train), (entry.held_out, dataset.held_out)):
        assert len(images) == count
        pixels = images.take(torch.arange(0, count, max(1, count // 200)))
        assert pixels.shape[1:] == (entry.channels, entry.height, entry.width)
        assert pixels.dtype == torch.float32
        assert 0 <= pixels.min() < 0.05
        assert 0.95 < pixels.max() <= 1
        shape = (entry.labels,) if entry.labels > 1 else ()
        assert images.labels.shape == (count, *shape)
        assert images.labels.dtype == torch.int64
        assert set(images.labels.flatten().tolist()) <= set(range(len(entry.classes)))
    classes = set(dataset.train.labels.flatten().tolist())
    assert set(dataset.held_out.labels.flatten().tolist()) <= classes
    assert len(classes) == (34 if entry.name == "signs" else len(entry.classes))


def test_every_data_set_has_one_place_to_load_it_from() -> None:
    for definition in DEFINITIONS.values():
        assert (definition.source is None) != (definition.images is None)
    assert {each.images for each in DEFINITIONS.values()} == {*BUNDLED, None}
    assert {each.composition for each in DEFINITIONS.values()} == {*COMPOSITIONS, None}


@FOR_EACH_DATASET
def test_defaults_of_a_data_set_fit_it(entry: DatasetEntry) -> None:
    assert fits(ARCHITECTURES[entry.architecture], entry)
    check_distortion(entry.distortion)


@pytest.mark.seconds
@pytest.mark.parametrize(
    "entry",
    # Cropped signs come from the same files and take seconds; generated ones are tested instead.
    [entry for entry in DATASETS.values() if entry.name != "gtsrb-regions"],
    ids=lambda entry: entry.name,
)
def test_load_gives_what_the_catalog_describes(entry: DatasetEntry, real_data: Path) -> None:
    if entry.name in SOURCES and not real_data.exists():
        pytest.skip("the real data are not available; generated ones are tested below")
    check(load(entry.name, real_data), entry)


def test_load_reads_generated_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"train": 40, "t10k": 20}
    monkeypatch.setattr(mnist, "COUNTS", counts)
    sample_data.write_mnist(tmp_path / "mnist", counts)
    dataset = load("mnist", tmp_path)
    check(dataset, replace(DATASETS["mnist"], images=40, held_out=20))


def test_load_reads_generated_cluttered_digits(tmp_path: Path) -> None:
    sample_data.write_cluttered(tmp_path / "cluttered_mnist_40")
    dataset = load("cluttered-40", tmp_path)
    check(dataset, replace(DATASETS["cluttered-40"], images=30, held_out=20))


def test_load_counts_the_images_of_an_incomplete_copy(tmp_path: Path) -> None:
    files = sample_data.make_gtsrb("kaggle", classes=2, tracks=10, frames=2)
    sample_data.write_files(files, tmp_path / "gtsrb", zipped=True)
    dataset = load("gtsrb", tmp_path)
    assert (dataset.entry.images, dataset.entry.held_out) == (36, 4)
    assert (len(dataset.train), len(dataset.held_out)) == (36, 4)


def test_load_lists_the_data_sets_for_an_unknown_name() -> None:
    for data in (None, REAL_DATA):
        with pytest.raises(InvalidInput, match="digits") as caught:
            load("../digits", data)
        assert caught.value.field == "dataset"


def test_load_explains_how_to_get_a_missing_data_set(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"MNIST is not available\. Put its four idx files"
    ) as caught:
        load("mnist", tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(DatasetError, match="not available"):
        load("gtsrb")
