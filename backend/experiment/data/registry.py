"""Data sets by name. Each is split into images to train on and images that never are."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.data import (
    availability,
    cluttered,
    composed,
    digits,
    gtsrb,
    image_folder,
    mnist,
    signs,
)
from stnscope.backend.experiment.data.images import Dataset, Images

__all__ = ["Dataset", "Images", "load"]

Parts = tuple[Images, Images]
"""To train on, and held out."""

LOADERS: Mapping[str, Callable[[DatasetEntry, Path], Parts]] = {
    "digits": lambda entry, data: digits.load(),
    "signs": lambda entry, data: signs.load(),
    "sequences": lambda entry, data: composed.rows(entry, *digits.load()),
    "addition": lambda entry, data: composed.pairs(entry, *digits.load()),
    "numbers": lambda entry, data: composed.numbers(entry, *digits.load()),
    "mnist": lambda entry, data: mnist.load(data / "mnist"),
    "mnist-sequences": lambda entry, data: composed.rows(entry, *mnist.load(data / "mnist")),
    "mnist-addition": lambda entry, data: composed.pairs(entry, *mnist.load(data / "mnist")),
    "mnist-numbers": lambda entry, data: composed.numbers(entry, *mnist.load(data / "mnist")),
    "cluttered-40": lambda entry, data: cluttered.load(data / "cluttered_mnist_40"),
    "gtsrb": lambda entry, data: gtsrb.load(data / "gtsrb"),
    "gtsrb-regions": lambda entry, data: gtsrb.load(data / "gtsrb", cropped=True),
}
"""Each takes what the catalog says and the folder that data sets are read from."""


def load(name: str, data: Path | None = None) -> Dataset:
    """The data set of that name.

    Args:
        name: as the catalog has it, or of a folder of one's own.
        data: the folder that data sets are read from; those that are part of the program need none.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
        DatasetError: it is not at hand or damaged; names the file and what is wrong.
    """
    entry = availability.entry_of(name, data)
    if name in LOADERS:
        train, held_out = LOADERS[name](entry, data or Path())
    else:
        assert data is not None, "a folder of one's own lies somewhere"
        train, held_out = image_folder.load(entry, data / name)
    return Dataset(replace(entry, images=len(train), held_out=len(held_out)), train, held_out)
