"""Files of data sets in formats that are not read, and what to do instead. Without torch."""

import re
from collections.abc import Sequence
from typing import NoReturn

from stnscope.backend.experiment.data.layouts.listing import Listing
from stnscope.backend.experiment.data.layouts.stored_images import Open
from stnscope.backend.experiment.errors import DatasetError

PICKLED = "{name} has pickled files, as {file}, and unpickling runs code that is in them."
INSTEAD: Sequence[tuple[tuple[str, ...], str]] = (
    (
        (r"data_batch_\d",),
        f"{PICKLED} Unpack the binary version of CIFAR-10, cifar-10-binary.tar.gz, in its place.",
    ),
    (
        ("train", "meta"),
        f"{PICKLED} Unpack the binary version of CIFAR-100, cifar-100-binary.tar.gz, in its place.",
    ),
    (
        (r".*\.(pkl|pickle|pt|pth)",),
        f"{PICKLED} Save its images as files, in one folder per class.",
    ),
    (
        (r"(train|test|extra)_32x32\.mat",),
        "{name} has MATLAB files, as {file}, which are not read. Use SVHN's parquet files of "
        "Hugging Face, or save its images as files, in one folder per class.",
    ),
)
"""Patterns of the names of files, each of which one has, and what is wrong with them."""


def find(listing: Listing) -> dict[str, Open]:
    """Return a data set that cannot be opened, if the folder has such files."""
    names = [file for file in listing.files if "/" not in file]
    for patterns, text in INSTEAD:
        found = [[name for name in names if re.fullmatch(each, name)] for each in patterns]
        if all(found):
            return {"": _refuse(text.format(name=listing.folder.name, file=found[0][0]))}
    return {}


def _refuse(reason: str) -> Open:
    def open_images() -> NoReturn:
        raise DatasetError(reason)

    return open_images
