"""The data sets in a folder, in whatever layout, each opened or with the reason why not.

Around each there is one `raising_dataset_errors`, so that none hides another, whatever it contains.
Without torch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.layouts import (
    binary_files,
    hugging_face,
    idx_files,
    image_folder,
    unread_files,
)
from stnscope.backend.experiment.data.layouts.listing import Listing
from stnscope.backend.experiment.data.layouts.stored_images import Open, StoredImages, describe
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.os_errors import display_name

LAYOUTS: tuple[Callable[[Listing], dict[str, Open]], ...] = (
    hugging_face.find,
    idx_files.find,
    binary_files.find,
    image_folder.find,
)
"""Return how to open what is in a folder, by the variant's name ("" if it is the only one); none if
it has another layout. The first one that returns any is used."""
MAX_DEPTH = 5
"""Folders that are searched one in another."""
MAX_FOLDERS = 32
"""Folders in one folder that are searched; one with more has classes one folder too deep."""


@dataclass(frozen=True)
class StoredDataset:
    """A data set in the data folder."""

    entry: DatasetEntry
    images: StoredImages
    folder: Path
    """Folder of the data set."""


@dataclass(frozen=True)
class SkippedFolder:
    """A folder in the data folder that contains images and is not a data set."""

    name: str
    reason: str
    """What is missing or wrong, as a sentence."""


Found = StoredDataset | SkippedFolder


def find_datasets(folder: Path) -> Iterator[Found]:
    """Yield the data sets in a folder of the data folder, and what cannot be used.

    The only one has the folder's name. Several have that name, a hyphen, and the names of the
    folders that they are in or of their variants.
    """
    name = folder.name
    try:
        with raising_dataset_errors(name):
            found = _find(folder, name)
    except DatasetError as error:
        yield SkippedFolder(display_name(name), str(error))
        return
    for each, (place, open_images) in found.items():
        shown = name if len(found) == 1 else each
        try:
            with raising_dataset_errors(shown):
                images = open_images()
                entry = describe(images, shown, place)
        except DatasetError as error:
            yield SkippedFolder(display_name(shown), str(error))
        else:
            yield StoredDataset(entry, images, place)


def _find(folder: Path, name: str, depth: int = 1) -> dict[str, tuple[Path, Open]]:
    listing = Listing(folder)
    for find in LAYOUTS:
        if variants := find(listing):
            return {
                "-".join(filter(None, (name, variant))): (folder, open_images)
                for variant, open_images in variants.items()
            }
    found: dict[str, tuple[Path, Open]] = {}
    if depth < MAX_DEPTH:
        if len(listing.folders) > MAX_FOLDERS:
            return _explain_depth(listing, name)
        found = _find_nested(listing, name, depth)
    if not found and (variants := unread_files.find(listing)):
        return {name: (folder, variants[""])}
    return found


def _find_nested(listing: Listing, name: str, depth: int) -> dict[str, tuple[Path, Open]]:
    """Search the folders in a folder; one that cannot be read hides no other.

    Raises:
        OSError: there is one, and nothing else is found.
    """
    found: dict[str, tuple[Path, Open]] = {}
    errors = []
    for each in listing.folders:
        try:
            found |= _find(listing.folder / each, f"{name}-{each}", depth + 1)
        except OSError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


def _explain_depth(listing: Listing, name: str) -> dict[str, tuple[Path, Open]]:
    """Return a data set that cannot be opened, if the first folder has folders of images."""
    first = listing.folders[0]
    if not image_folder.find(Listing(listing.folder / first)):
        return {}

    def open_images() -> StoredImages:
        raise DatasetError(
            f"{name} has its images one folder too deep, as in {name}/{first}. Move the class "
            f"folders directly into {name}."
        )

    return {name: (listing.folder, open_images)}
