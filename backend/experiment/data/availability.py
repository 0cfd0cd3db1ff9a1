"""Which data sets are available in a data folder, and how many images they have. Without torch.

Known data sets are those of the catalog. Besides them, each folder in the data folder that has
labelled images, in a layout of `data.layouts`, is a data set, or is skipped for a reason.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.layouts.find import (
    Found,
    SkippedFolder,
    StoredDataset,
    find_datasets,
)
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.data.source import Counts, DataSource
from stnscope.backend.experiment.errors import DatasetError, InvalidInput
from stnscope.backend.experiment.limits import MAX_NAME_LENGTH
from stnscope.backend.experiment.os_errors import display_name

RESERVED_NAMES = frozenset(DATASETS) | {source.folder for source in SOURCES.values()}
"""Names that no other data set can have."""

Fingerprint = tuple[tuple[str, int, int], ...]
"""Path, modification time in ns and size of each watched path."""


def list_datasets(data: Path) -> dict[str, DatasetEntry]:
    """Return all known data sets, available or not, and those in the data folder, by name.

    Args:
        data: the data folder; it need not exist.
    """
    return list_all(data)[0]


def list_all(data: Path) -> tuple[dict[str, DatasetEntry], list[SkippedFolder]]:
    """Return what `list_datasets` does, and the folders of images that are no data set."""
    entries = _inspect_catalog(data)
    found = list(_unique(_find_folders(data), entries))
    skipped = [each for each in found if isinstance(each, SkippedFolder)]
    try:
        with raising_dataset_errors(f"The data folder {data}"):
            if data.exists():
                next(data.iterdir(), None)
    except DatasetError as error:
        skipped.append(SkippedFolder(display_name(data.name), str(error)))
    stored = (each.entry for each in found if isinstance(each, StoredDataset))
    return entries | {entry.name: entry for entry in stored}, skipped


def inspect_dataset(name: str, data: Path | None) -> DatasetEntry:
    """Find a data set by name, check its files and count its images.

    Raises:
        InvalidInput: there is none of that name; the text lists those that exist.
        DatasetError: it is not available, or its files are damaged as far as `inspect` detects.
    """
    entry = find_dataset(name, data)
    if data is None or name not in SOURCES:
        return entry
    inspected = _inspect(entry, data)
    if not inspected.available:
        raise _unavailable(inspected, data, is_damaged=True)
    return inspected


def find_dataset(name: str, data: Path | None) -> DatasetEntry:
    """Find a data set by name without checking its files, for a caller that will read all of them.

    Raises:
        InvalidInput: there is none of that name; the text lists those that exist.
        DatasetError: it is not available.
    """
    if name in DATASETS:
        entry = _with_instructions(DATASETS[name])
        if name in SOURCES:
            source = SOURCES[name]
            with raising_dataset_errors(entry.title):
                if data is None:
                    raise _unavailable(entry, data)
                if not source.is_present(data):
                    fault = source.explain_missing(data)
                    raise _unavailable(replace(entry, fault=fault), data)
        return entry
    return find_stored(name, data).entry


def find_stored(name: str, data: Path | None) -> StoredDataset:
    """Find a data set in the data folder.

    Raises:
        InvalidInput: there is none of that name; the text lists those that exist.
        DatasetError: it cannot be used.
    """
    # Others are not opened: one folder may have several data sets, whose names begin with its own.
    folders = [
        path
        for path in _find_folders(data)
        if name == path.name or name.startswith(f"{path.name}-")
    ]
    matches = [found for found in _unique(folders, {}) if _name(found) == name]
    match = next((each for each in matches if isinstance(each, StoredDataset)), None)
    if match is not None:
        return match
    if skipped := [found for found in matches if isinstance(found, SkippedFolder)]:
        raise DatasetError(f"{skipped[0].reason} The data folder is {data}.")
    names = ", ".join(list_datasets(data) if data else DATASETS)
    where = f" A folder of that name with images is to be in {data}." if data else ""
    raise InvalidInput(f"There is no data set {name!r}; there are {names}.{where}", "dataset")


def _unavailable(
    entry: DatasetEntry, data: Path | None, *, is_damaged: bool = False
) -> DatasetError:
    reason = "is damaged." if is_damaged else "is not available."
    fault = f" {entry.fault}" if entry.fault else ""
    where = f" The data folder is {data}." if data else ""
    return DatasetError(f"{entry.title} {reason}{fault} {entry.instructions}{where}")


def _with_instructions(entry: DatasetEntry) -> DatasetEntry:
    source = SOURCES.get(entry.name)
    return replace(entry, instructions=source.instructions) if source else entry


def _inspect_catalog(data: Path) -> dict[str, DatasetEntry]:
    return {name: _inspect(_with_instructions(entry), data) for name, entry in DATASETS.items()}


def _inspect(entry: DatasetEntry, data: Path) -> DatasetEntry:
    """Return a known data set's entry with its availability and counts in the data folder."""
    source = SOURCES.get(entry.name)
    if source is None:
        return entry
    # Errors are caught for each data set, so that one with broken files does not hide the others.
    try:
        with raising_dataset_errors(str(data / source.folder)):
            if not source.is_present(data):
                return replace(entry, available=False, fault=source.explain_missing(data))
            fingerprint = _fingerprint(source, data)
            counts = _inspect_once(source.inspect, source.path(data), fingerprint)
    except DatasetError as error:
        return replace(entry, available=False, fault=str(error))
    return replace(entry, images=counts[0], held_out=counts[1]) if counts else entry


@lru_cache(maxsize=16)
def _inspect_once(
    inspect: Callable[[Path], Counts | None], folder: Path, fingerprint: Fingerprint
) -> Counts | None:
    """Inspect a folder's files, once per fingerprint.

    Errors are not cached: some repairs do not change the fingerprint.
    """
    return inspect(folder)


def _fingerprint(source: DataSource, data: Path) -> Fingerprint:
    # A folder's modification time changes as soon as a file in it is added or removed.
    stats = ((path, path.stat()) for path in source.watched_paths(data))
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats)


def _find_folders(data: Path | None) -> list[Path]:
    """Return the folders in the data folder that may have images, sorted."""
    if data is None:
        return []
    with suppress(OSError):  # reported by `list_all`
        return sorted(
            path for path in data.iterdir() if not path.name.startswith(".") and path.is_dir()
        )
    return []


def _unique(folders: Sequence[Path], catalog_entries: dict[str, DatasetEntry]) -> Iterator[Found]:
    """Yield the data sets of folders; names are unique over all folders."""
    names = {folder.name for folder in folders}
    for folder in folders:
        for found in _inspect_folder(folder, catalog_entries):
            name = _name(found)
            if name == display_name(folder.name):
                yield found
            elif name in names:
                reason = f"{folder.name} has a data set whose name would be {name}, and there is"
                yield SkippedFolder(name, f"{reason} one already. Rename one of them.")
            else:
                names.add(name)
                yield found


def _name(found: Found) -> str:
    return found.entry.name if isinstance(found, StoredDataset) else found.name


def _inspect_folder(folder: Path, catalog_entries: dict[str, DatasetEntry]) -> Iterator[Found]:
    """Yield a folder's data sets, and what cannot be used.

    None if it has no images, or a known data set that is available.
    """
    sources = [name for name, source in SOURCES.items() if source.path(folder.parent) == folder]
    if any(catalog_entries[name].available for name in sources if name in catalog_entries):
        return
    is_reserved = bool(sources) or folder.name in RESERVED_NAMES
    for found in find_datasets(folder):
        if isinstance(found, StoredDataset) and (reason := _find_name_error(found.entry.name)):
            yield SkippedFolder(display_name(found.entry.name), reason)
        elif not is_reserved:
            yield found


def _find_name_error(name: str) -> str | None:
    """Return why no data set can have the name of a folder; None if one can."""
    shown = display_name(name)
    if shown != name:
        return f"The folder {shown} has a name that is not UTF-8. Rename it."
    if name in RESERVED_NAMES:
        return f"The folder {name} has the name of one of the program's data sets. Rename it."
    if len(name) > MAX_NAME_LENGTH:
        return (
            f"The folder {name} has a name of {len(name)} characters; at most {MAX_NAME_LENGTH} "
            "are accepted."
        )
    return None
