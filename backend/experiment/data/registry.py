"""Data sets that are read from files: one row each. Without torch.

Data sets that the program draws itself are listed in `data.load`, which needs torch.
"""

from collections.abc import Mapping

from stnscope.backend.experiment.data import cluttered, gtsrb, mnist
from stnscope.backend.experiment.data.source import DataSource, RemoteFile

SOURCES: Mapping[str, DataSource] = {
    "mnist": mnist.SOURCE,
    "mnist-sequences": mnist.SOURCE,
    "mnist-addition": mnist.SOURCE,
    "mnist-numbers": mnist.SOURCE,
    "cluttered-40": cluttered.SOURCE,
    "gtsrb": gtsrb.SOURCE,
    "gtsrb-regions": gtsrb.CROPPED_SOURCE,
}
"""Where each data set of the catalog is read from, by its name."""

DOWNLOADS: Mapping[str, tuple[RemoteFile, ...]] = {
    name: source.downloads for name, source in SOURCES.items() if source.downloads
}
"""Files to download, by the name of the data set."""
