"""Data sets by name. Each is split into images to train on and images that never are."""

from backend.experiment.datasets import digits
from backend.experiment.datasets.dataset import Dataset
from backend.experiment.errors import InvalidInput

__all__ = ["Dataset", "load"]

LOADERS = {"digits": digits.load}


def load(name: str) -> Dataset:
    """The data set of that name.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
    """
    if name not in LOADERS:
        raise InvalidInput(
            f"There is no data set {name!r}; there are {', '.join(LOADERS)}.", field="dataset"
        )
    return LOADERS[name]()
