"""A folder of one's own: a folder of pictures for each class, its name the class's."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from stnscope.backend.experiment.errors import DatasetError, StnscopeError
from stnscope.backend.experiment.pictures.file_format import ACCEPTED, HEAD, check_bytes, kind_of

KINDS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})
OTHER_KINDS = frozenset({".avif", ".heic", ".pgm", ".ppm", ".svg", ".tif", ".tiff"})
"""Of pictures that are not read here, but meant to be."""
FEWEST = 10
"""Pictures of a class, of which one in five is held out."""
MOST_CLASSES = 1000
HELD_OUT = 5
NAMED = 5
"""Class folders that a message names; there may be a thousand."""

Classes = dict[str, list[Path]]


@dataclass(frozen=True)
class Found:
    """What a folder of one's own holds."""

    classes: Classes
    """The pictures of each class, sorted by name."""
    left_out: dict[str, int]
    """Class folders with too few pictures, and how many each has."""


def look(folder: Path) -> Found | None:
    """A folder as a data set; None where it holds no pictures, and so is nobody's.

    Raises:
        DatasetError: it is meant as a data set and is none; says what is missing.
        OSError: it cannot be looked into.
    """
    inside = {each.name: _pictures(each) for each in _folders(folder)}
    enough = {name: pictures for name, pictures in inside.items() if len(pictures) >= FEWEST}
    if 2 <= len(enough) <= MOST_CLASSES:
        _check_heads(folder, enough)
        few = {name: len(inside[name]) for name in inside.keys() - enough.keys()}
        return Found(enough, dict(sorted(few.items())))
    if missing := _missing(folder, inside, enough):
        raise DatasetError(missing)
    return None


def _missing(folder: Path, inside: Classes, enough: Classes) -> str | None:
    """What a folder lacks to be a data set; None if it holds no pictures at all."""
    name = folder.name
    if len(enough) > MOST_CLASSES:
        return f"{name} has {len(enough):,} folders of pictures; {MOST_CLASSES:,} are the most."
    if any(inside.values()) or any(_holds_pictures(each) for each in _folders(folder)):
        counts = in_words({each: len(pictures) for each, pictures in inside.items()})
        return (
            f"{name} needs two folders or more with at least {FEWEST} pictures each, one for each "
            f"class. It has {counts}; {ACCEPTED} count."
        )
    if _holds_pictures(folder):
        return (
            f"{name} has pictures, but no folders. Put them into a folder for each class, at least "
            f"{FEWEST} into each."
        )
    for each in _folders(folder):
        if any(_holds_pictures(deeper) for deeper in _folders(each)):
            return (
                f"{name} has its pictures one folder too deep, as in {name}/{each.name}. A class's "
                f"folder lies directly in {name}."
            )
    return None


def in_words(counts: Mapping[str, int]) -> str:
    """Class folders and how many pictures each has; the first few of many."""
    told = [f"{name}: {count}" for name, count in list(counts.items())[:NAMED]]
    more = len(counts) - NAMED
    return ", ".join(told) + (f" and {more} folders more" if more > 0 else "")


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if _is_seen(each) and each.is_dir())


def _pictures(folder: Path) -> list[Path]:
    found = (each for each in folder.iterdir() if each.suffix.lower() in KINDS)
    return sorted(each for each in found if _is_seen(each) and each.is_file())


def _holds_pictures(folder: Path) -> bool:
    """Whether there is a picture of any kind directly in a folder."""
    wanted = KINDS | OTHER_KINDS
    return any(each.suffix.lower() in wanted and _is_seen(each) for each in folder.iterdir())


def _is_seen(path: Path) -> bool:
    return not path.name.startswith(".")


def _check_heads(folder: Path, classes: Classes) -> None:
    """Sees that every file's size and first bytes are those of a picture.

    Raises:
        DatasetError: one's are not; names it.
    """
    digest = hashlib.blake2b(digest_size=16)
    for pictures in classes.values():
        for path in pictures:
            stat = path.stat()
            digest.update(f"{path}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    if fault := _first_fault(folder, tuple(classes), digest.hexdigest()):
        raise DatasetError(fault)


@lru_cache(maxsize=64)
def _first_fault(folder: Path, names: tuple[str, ...], stamp: str) -> str | None:
    """What is wrong with the first picture that is none; a folder of another stamp is looked at
    anew."""
    for name in names:
        for path in _pictures(folder / name):
            try:
                with path.open("rb") as file:
                    check_bytes(os.fstat(file.fileno()).st_size)
                    kind_of(file.read(HEAD))
            except StnscopeError as error:
                return f"{folder.name}/{name}/{path.name} cannot be used. {error}"
            except OSError as error:
                return f"{folder.name}/{name}/{path.name} cannot be read: {error.strerror}."
    return None


def is_held_out(number: int) -> bool:
    """Whether a class's picture of that number is never trained on."""
    return number % HELD_OUT == HELD_OUT - 1
