"""All known data sets, one row each. Without torch; `load` loads them.

Each row is defined in a module of its own or of its kind, which has the description, the files, and
how they are checked and read.
"""

from collections.abc import Mapping

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data import cluttered, digits, gtsrb, mnist, signs
from stnscope.backend.experiment.data.source import DataSource, Definition, RemoteFile

_TABLE = (
    digits.SINGLE_DIGITS,
    signs.DRAWN_SIGNS,
    digits.SEQUENCES,
    digits.ADDITION,
    digits.NUMBERS,
    mnist.SINGLE_DIGITS,
    mnist.SEQUENCES,
    mnist.ADDITION,
    mnist.NUMBERS,
    cluttered.CLUTTERED_40,
    gtsrb.PHOTOS,
    gtsrb.CROPPED_PHOTOS,
)

DEFINITIONS: Mapping[str, Definition] = {each.entry.name: each for each in _TABLE}
"""All data sets by name."""
DATASETS: dict[str, DatasetEntry] = {name: each.entry for name, each in DEFINITIONS.items()}
"""Descriptions of the data sets, including those that are not available."""
SOURCES: Mapping[str, DataSource] = {
    name: each.source for name, each in DEFINITIONS.items() if each.source
}
"""What each data set is read from that is not part of the program."""
DOWNLOADS: Mapping[str, tuple[RemoteFile, ...]] = {
    name: source.downloads for name, source in SOURCES.items() if source.downloads
}
"""Files to download, by the data set's name."""
