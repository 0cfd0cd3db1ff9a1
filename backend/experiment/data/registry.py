"""The data sets that are read from files, one row each. Without torch.

Data sets that are part of the program are listed in `data.load`, which needs torch.
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
"""What each data set is read from, by its name in the catalog."""

DOWNLOADS: Mapping[str, tuple[RemoteFile, ...]] = {
    name: source.downloads for name, source in SOURCES.items() if source.downloads
}
"""Files to download, by the data set's name in the catalog."""
