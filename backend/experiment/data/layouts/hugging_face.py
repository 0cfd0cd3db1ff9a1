"""Data sets of Hugging Face: parquet files of a clone or of the cache, and `save_to_disk`.

The files are arranged as `datasets` writes them: a part is known by the word in its file's or
folder's name, and several configurations are folders. Without torch; pyarrow is imported only where
there are such files.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.file_tree import FileState
from stnscope.backend.experiment.data.layouts import tables
from stnscope.backend.experiment.data.layouts.features import (
    MAX_CARD_BYTES,
    DatasetColumns,
    Features,
    parse_card,
    parse_features,
    select_columns,
)
from stnscope.backend.experiment.data.layouts.listing import Listing
from stnscope.backend.experiment.data.layouts.splits import PARTS, Part, find_part
from stnscope.backend.experiment.data.layouts.stored_images import (
    ImageReader,
    Labels,
    Mask,
    Open,
    Pixels,
    Size,
    StoredImages,
    check_labels,
    count_parts,
    held_out_mask,
    naming_image,
)
from stnscope.backend.experiment.errors import DatasetError, PictureError
from stnscope.backend.experiment.limits import MAX_CLASSES, MAX_PICTURE_BYTES
from stnscope.backend.experiment.pictures.file_format import check_file_size

SUFFIXES = (".parquet", ".arrow")
INFO, STATE, SPLITS = "dataset_info.json", "state.json", "dataset_dict.json"
"""Files that `save_to_disk` writes: the features, a part's files, and the parts."""
CARD = "README.md"
MAX_FILES = 4_000
"""Maximum number of files of a data set."""

Files = tuple[Path, ...]


@dataclass(frozen=True)
class _Contents:
    """What the files of a data set have."""

    columns: DatasetColumns
    classes: tuple[str, ...]
    labels: tuple[Labels, ...]
    """The labels of each part."""


def find(listing: Listing) -> dict[str, Open]:
    """Return how to open the data sets whose files are in the folder, by configuration."""
    listing = _newest_snapshot(listing)
    found: dict[str, dict[Part | None, list[str]]] = {}
    for file in listing.files:
        if file.endswith(SUFFIXES):
            configuration, part = _place(file, listing)
            found.setdefault(configuration, {}).setdefault(part, []).append(file)
    return {
        configuration: partial(_open, listing, configuration, parts)
        for configuration, parts in found.items()
    }


def _newest_snapshot(listing: Listing) -> Listing:
    """Return the folder of the newest snapshot if this is a folder of the hub's cache."""
    if not {"snapshots", "blobs"} <= {*listing.folders}:
        return listing
    snapshots = listing.folder / "snapshots"
    folders = [path for path in snapshots.iterdir() if path.is_dir()]
    if not folders:
        return listing
    return Listing(max(folders, key=lambda path: (path.stat().st_mtime_ns, path.name)), listing.top)


def _place(file: str, listing: Listing) -> tuple[str, Part | None]:
    """Return the configuration of a file, and its part."""
    path = PurePosixPath(file)
    part = find_part(path.stem)
    folders = list(path.parts[:-1])
    above = "/".join((*folders[:-1], SPLITS)) if folders else ""
    if folders and (above in listing.files or (part is None and find_part(folders[-1]))):
        # In `save_to_disk`, and in the parquet files that the hub converts, a part is a folder.
        part = find_part(folders.pop())
    return "-".join(folder for folder in folders if folder != "data"), part


def _open(
    listing: Listing, configuration: str, found: Mapping[Part | None, Sequence[str]]
) -> StoredImages:
    name = listing.top.name
    tables.require_pyarrow(name)
    # A file without the name of a part has training images, unless others are named so.
    first = next(part for part in ("train", None, *PARTS[1:]) if part in found)
    second = next((part for part in PARTS[1:] if part in found and part != first), None)
    parts = tuple(
        _list_files(listing, found[part]) for part in ((first, second) if second else (first,))
    )
    if sum(len(files) for files in parts) > MAX_FILES:
        raise DatasetError(f"{name} has more than {MAX_FILES:,} files. Use a part of them.")
    related = [listing.path(file) for file in listing.files if _is_description(file)]
    states = tuple(_state(file) for file in (*(file for part in parts for file in part), *related))
    contents = _inspect(listing.top, listing.folder, configuration, parts, states)
    counts = [len(labels) for labels in contents.labels]
    train, held_out = count_parts(counts)
    column, label = contents.columns

    def read_labels() -> tuple[Labels, Mask]:
        return np.concatenate(contents.labels), held_out_mask(counts)

    def read_pixels(reader: ImageReader, size: Size, channels: int) -> Iterator[Pixels]:
        for file in (file for part in parts for file in part):
            for index, cell in enumerate(tables.read_images(file, column)):
                with naming_image(f"{file.name}: image {index}"):
                    yield reader.decode(_image_of(cell, file, listing.top), size, channels)

    return StoredImages(
        contents.classes,
        (train, held_out),
        f"{train:,} images of Hugging Face's columns {column} and {label}, and {held_out:,} held "
        "out.",
        repr(states),
        read_labels,
        read_pixels,
    )


def _is_description(file: str) -> bool:
    return file.rpartition("/")[2] in (INFO, STATE, CARD)


def _state(file: Path) -> FileState:
    stat = file.stat()
    return str(file), stat.st_size, stat.st_mtime_ns


def _list_files(listing: Listing, found: Sequence[str]) -> Files:
    """Return the files of a part, in order: those that its `state.json` names, if it has one.

    Others may lie beside them, which `datasets` keeps for filters and orders.
    """
    folder = found[0].rpartition("/")[0]
    state = f"{folder}/{STATE}" if folder else STATE
    if state not in listing.files:
        kept = [file for file in found if not file.rpartition("/")[2].startswith(("cache-", "tmp"))]
        return tuple(listing.path(file) for file in kept or found)
    with raising_dataset_errors(state):
        content = _read_json(listing.path(state))
        names = [str(each["filename"]) for each in content["_data_files"]]
        files = [f"{folder}/{name}" if folder else name for name in names]
    if missing := [file for file in files if file not in listing.files]:
        raise DatasetError(f"{state} names {missing[0]}, which is not in the folder.")
    if not files:
        raise DatasetError(f"{state} names no files.")
    return tuple(listing.path(file) for file in files)


def _read_json(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        data = file.read(MAX_CARD_BYTES + 1)
    if len(data) > MAX_CARD_BYTES:
        raise ValueError(f"it has more than {MAX_CARD_BYTES:,} bytes")
    content = json.loads(data)
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    return content


@lru_cache(maxsize=32)
def _inspect(
    top: Path,
    folder: Path,
    configuration: str,
    parts: tuple[Files, ...],
    states: tuple[FileState, ...],
) -> _Contents:
    """Find the columns and the classes, and read the labels; the states detect changes."""
    first = parts[0][0]
    with raising_dataset_errors(first.name):
        schema = tables.read_schema(first)
    features = _find_features(schema, first, folder, configuration)
    columns = select_columns(features, schema.types, top.name)
    read = [tables.read_labels(files, columns.label) for files in parts]
    classes = features[columns.label].names if columns.label in features else None
    if classes is None:
        classes = _classes_of(read)
    indices = {name: index for index, name in enumerate(classes)}
    labels = []
    for files, values in zip(parts, read, strict=True):
        if values.dtype == object:
            unknown = next((value for value in values if value not in indices), None)
            if unknown is not None:
                raise DatasetError(f"{files[0].name}: {str(unknown)[:40]!r} is not a class.")
            values = np.array([indices[value] for value in values], dtype=np.int64)
        check_labels(f"{files[0].name}: {columns.label}", values, classes)
        labels.append(values.astype(np.int64))
    return _Contents(columns, classes, tuple(labels))


def _classes_of(parts: Sequence[tables.Values]) -> tuple[str, ...]:
    """Return the names of classes that only their labels name: texts, or numbers from 0 on."""
    if parts[0].dtype == object:
        return tuple(sorted({str(value) for values in parts for value in values}))
    largest = max((int(values.max()) for values in parts if values.size), default=0)
    return tuple(str(number) for number in range(min(largest, MAX_CLASSES) + 1))


def _find_features(
    schema: tables.TableSchema, file: Path, folder: Path, configuration: str
) -> Features:
    """Return the features from the file, from the file beside it or from the data set's card.

    The first that names the classes is used, else the first that there is.
    """
    features = parse_features(schema.metadata)
    if any(feature.names for feature in features.values()):
        return features
    info = file.with_name(INFO)
    if info.is_file():
        with raising_dataset_errors(info.name):
            features = parse_features({"info": _read_json(info)}) or features
    card = folder / CARD
    if not any(feature.names for feature in features.values()) and card.is_file():
        with raising_dataset_errors(card.name):
            features = parse_card(card, configuration) or features
    return features


def _image_of(cell: tables.Cell, file: Path, top: Path) -> bytes:
    """Return an image's file, which is in the cell or lies in the data set's folder.

    Raises:
        DatasetError: it is missing or lies elsewhere.
        PictureError, TooLarge: it is empty or too large.
    """
    if cell.data is not None:
        check_file_size(len(cell.data))
        return cell.data
    if cell.path is None:
        raise PictureError("It is missing.")
    path = (file.parent / cell.path).resolve()
    if not path.is_relative_to(top.resolve()):
        raise PictureError(f"It is {cell.path[:80]}, which does not lie in the data set's folder.")
    if not path.is_file():
        raise PictureError(f"It is {cell.path[:80]}, which is missing.")
    with path.open("rb") as image:
        data = image.read(MAX_PICTURE_BYTES + 1)
    check_file_size(len(data))
    return data
