"""Data sets as they are in a folder: which are there and whole, and how many images each has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from stnscope.backend.experiment.catalog.datasets import DATASETS, OWN, DatasetEntry
from stnscope.backend.experiment.data import (
    cluttered_files,
    gtsrb_files,
    image_folder_files,
    mnist_files,
)
from stnscope.backend.experiment.errors import DatasetError, InvalidInput

LONGEST_NAME = 64
"""Of a data set, as a configuration takes it."""
Counts = tuple[int, int]
"""Images to train on, and images held out."""
Look = Callable[[Path], Counts | None]
"""Looks into a data set's folder, and raises what is wrong with it; counts its images where they
differ from one copy to another."""
Stamp = tuple[tuple[str, int, int], ...]
"""Files, when each was written and how large it is: as long as it is the same, so are they."""

LOOKS: dict[str, Look] = {
    "mnist": mnist_files.check,
    "gtsrb": gtsrb_files.count,
    "cluttered_mnist_40": cluttered_files.check,
}
"""By the folder in the data folder."""


@dataclass(frozen=True)
class SkippedFolder:
    """A folder in the data folder that holds pictures and is no data set."""

    name: str
    reason: str
    """What is missing, as a sentence."""


def datasets(data: Path) -> dict[str, DatasetEntry]:
    """All data sets: those that are known, at hand or not, and folders of one's own.

    Args:
        data: the folder that data sets are read from; it need not be there.
    """
    known = {name: _as_it_is(entry, data) for name, entry in DATASETS.items()}
    own_ones = (_own(folder, known) for folder in _folders(data))
    return known | {each.name: each for each in own_ones if isinstance(each, DatasetEntry)}


def skipped(data: Path) -> list[SkippedFolder]:
    """The folders that hold pictures and are no data set, and why."""
    known = {name: _as_it_is(entry, data) for name, entry in DATASETS.items()}
    found = (_own(folder, known) for folder in _folders(data))
    return [each for each in found if isinstance(each, SkippedFolder)]


def dataset(name: str, data: Path | None) -> DatasetEntry:
    """A data set by its name, as it is: looked into, its images counted.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
        DatasetError: it is not at hand, or damaged as far as that shows from outside.
    """
    entry = entry_of(name, data)
    if data is None or not entry.needs:
        return entry
    seen = _as_it_is(entry, data)
    if not seen.available:
        raise _absent(seen, data)
    return seen


def entry_of(name: str, data: Path | None) -> DatasetEntry:
    """A data set by its name, for one who reads all of it anyway: its files are not looked into.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
        DatasetError: it is not at hand.
    """
    if name in DATASETS:
        entry = DATASETS[name]
        if entry.needs and (data is None or not entry.at_hand(data)):
            raise _absent(entry, data)
        return entry
    # Folders of one's own are looked into only for a name that is none of ours.
    folder = next((each for each in _folders(data) if each.name == name), None) if data else None
    found = _own(folder, {}) if folder else None
    if isinstance(found, DatasetEntry):
        return found
    if found is not None:
        raise DatasetError(f"{found.reason} The data folder is {data}.")
    names = ", ".join(datasets(data) if data else DATASETS)
    where = f" A folder of your own of that name belongs into {data}." if data else ""
    raise InvalidInput(f"There is no data set {name!r}; there are {names}.{where}", "dataset")


def _absent(entry: DatasetEntry, data: Path | None) -> DatasetError:
    why = f"is damaged. {entry.fault}" if entry.fault else "is not at hand."
    where = f" The data folder is {data}." if data else ""
    return DatasetError(f"{entry.title} {why} {entry.how}{where}")


def _as_it_is(entry: DatasetEntry, data: Path) -> DatasetEntry:
    """A known data set as it lies in the folder."""
    if not entry.needs:
        return entry
    if not entry.at_hand(data):
        return replace(entry, available=False)
    folder = folder_of(entry)
    try:
        counts = _looked(LOOKS[folder], data / folder, tuple(_stamps(entry, data)))
    except DatasetError as error:
        return replace(entry, available=False, fault=str(error))
    except OSError as error:
        return replace(entry, available=False, fault=f"{error.filename}: {error.strerror}.")
    return replace(entry, images=counts[0], held_out=counts[1]) if counts else entry


@lru_cache(maxsize=16)
def _looked(look: Look, folder: Path, stamp: Stamp) -> Counts | None:
    """What was found in a folder of that stamp. What is wrong is not remembered: not all of what
    mends it shows in a stamp."""
    return look(folder)


def _stamps(entry: DatasetEntry, data: Path) -> Iterator[tuple[str, int, int]]:
    files = {path for group in entry.needs for pattern in group for path in data.glob(pattern)}
    folders = {folder for path in files for folder in gtsrb_files.image_folders(path)}
    for path in sorted(files | folders):
        stat = path.stat()
        # A folder is another one as soon as a file in it comes or goes.
        yield str(path), stat.st_mtime_ns, stat.st_size


def folder_of(entry: DatasetEntry) -> str:
    """The folder in the data folder that a known data set is read from."""
    return entry.needs[0][0].partition("/")[0]


def _folders(data: Path) -> list[Path]:
    """The folders that may be one's own."""
    if not data.is_dir():
        return []
    found = (each for each in data.iterdir() if not each.name.startswith("."))
    return sorted(each for each in found if each.is_dir())


def _own(folder: Path, known: dict[str, DatasetEntry]) -> DatasetEntry | SkippedFolder | None:
    """A folder as a data set, or why it is none; None if it is nobody's, or a known one's."""
    name = folder.name
    if any(
        entry.needs and entry.available and folder_of(entry) == name for entry in known.values()
    ):
        return None
    try:
        found = image_folder_files.look(folder)
    except DatasetError as error:
        return None if name in TAKEN else SkippedFolder(name, str(error))
    # What cannot be looked into hides no other.
    except OSError as error:
        return SkippedFolder(name, f"{name} cannot be looked into: {error.strerror}.")
    if found is None:
        return None
    if name in TAKEN:
        return SkippedFolder(
            name, f"The folder {name} has the name of one of the program's data sets. Rename it."
        )
    if len(name) > LONGEST_NAME:
        return SkippedFolder(
            name,
            f"The folder {name} has a name of {len(name)} letters; {LONGEST_NAME} are the most.",
        )
    return _entry(folder, found)


TAKEN = frozenset(DATASETS) | frozenset(LOOKS)
"""Names that no folder of one's own can have."""


def _entry(folder: Path, found: image_folder_files.Found) -> DatasetEntry:
    counts = [len(each) for each in found.classes.values()]
    held_out = sum(count // image_folder_files.HELD_OUT for count in counts)
    description = f"Pictures of your own: {sum(counts):,} in {len(counts)} folders."
    if found.left_out:
        left_out = image_folder_files.in_words(found.left_out)
        description += f" Left out, with fewer than {image_folder_files.FEWEST}: {left_out}."
    return replace(
        OWN,
        name=folder.name,
        title=folder.name,
        description=description,
        classes=tuple(found.classes),
        images=sum(counts) - held_out,
        held_out=held_out,
        how=f"It lies in {folder}.",
    )
