"""Data sets as they are in a folder: which are there, and how many images each has."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from backend.experiment.catalog.datasets import DATASETS, OWN, DatasetEntry
from backend.experiment.errors import DatasetError, InvalidInput
from backend.experiment.sources import gtsrb, own

LONGEST_NAME = 64
"""Of a data set, as a configuration takes it."""
Counts = tuple[int, int]
"""Images to train on, and images held out."""
Stamp = tuple[tuple[str, int, int], ...]
"""Files, when each was written and how large it is: as long as it is the same, so are they."""


TAKEN = frozenset(DATASETS) | {
    pattern.partition("/")[0]
    for entry in DATASETS.values()
    for group in entry.needs
    for pattern in group
}
"""Names that no folder of one's own can have."""


def datasets(data: Path) -> dict[str, DatasetEntry]:
    """All data sets: those that are known, at hand or not, and folders of one's own.

    Args:
        data: the folder that data sets are read from; it need not be there.
    """
    known = [replace(entry, available=entry.at_hand(data)) for entry in DATASETS.values()]
    return {entry.name: entry for entry in known} | _own(data)


def dataset(name: str, data: Path | None) -> DatasetEntry:
    """A data set by its name, as it is, its images counted.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
        DatasetError: it is not at hand, or what lists its images is damaged.
    """
    # Folders of one's own are looked into only for a name that is none of ours.
    entries = datasets(data) if data is not None and name not in DATASETS else DATASETS
    if name not in entries:
        raise InvalidInput(
            f"There is no dataset {name!r}; there are {', '.join(entries)}.", "dataset"
        )
    entry = entries[name]
    if entry.needs and (data is None or not entry.at_hand(data)):
        where = f" That folder is {data}." if data else ""
        raise DatasetError(f"{entry.title} is not at hand. {entry.how}{where}")
    if data is not None and name in COUNTERS:
        images, held_out = _counted(name, data, _stamp(entry, data))
        return replace(entry, images=images, held_out=held_out)
    return entry


def _own(data: Path) -> dict[str, DatasetEntry]:
    if not data.is_dir():
        return {}
    found = {}
    for folder in sorted(data.iterdir()):
        if folder.name in TAKEN or folder.name.startswith(".") or len(folder.name) > LONGEST_NAME:
            continue
        # What cannot be looked into is nobody's data set, and hides no other.
        with suppress(OSError):
            pictures = own.classes(folder) if folder.is_dir() else {}
            if pictures:
                found[folder.name] = _entry(folder, pictures)
    return found


def _entry(folder: Path, pictures: dict[str, list[Path]]) -> DatasetEntry:
    counts = [len(each) for each in pictures.values()]
    held_out = sum(count // own.HELD_OUT for count in counts)
    return replace(
        OWN,
        name=folder.name,
        title=folder.name,
        description=f"Pictures of your own: {sum(counts):,} in {len(counts)} folders.",
        classes=tuple(pictures),
        images=sum(counts) - held_out,
        held_out=held_out,
        how=f"It lies in {folder}.",
    )


def _stamp(entry: DatasetEntry, data: Path) -> Stamp:
    files = {path for group in entry.needs for pattern in group for path in data.glob(pattern)}
    stats = {path: path.stat() for path in sorted(files)}
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats.items())


@lru_cache(maxsize=16)
def _counted(name: str, data: Path, stamp: Stamp) -> Counts:
    return COUNTERS[name](data)


def _count_gtsrb(data: Path) -> Counts:
    with gtsrb.listed(data / "gtsrb") as (_, rows):
        held_out = int(gtsrb.held_out(rows).sum())
        return len(rows) - held_out, held_out


COUNTERS: dict[str, Callable[[Path], Counts]] = {
    "gtsrb": _count_gtsrb,
    "gtsrb-regions": _count_gtsrb,
}
"""Of those data sets whose images differ from one copy to another."""
