"""A folder of one's own: a folder of pictures for each class, its name the class's."""

from pathlib import Path

KINDS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".ppm"})
FEWEST = 10
"""Pictures of a class, of which one in five is held out."""
MOST_CLASSES = 1000
HELD_OUT = 5


def classes(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, sorted by name; empty where the folder holds fewer than two
    classes that have enough of them."""
    found = {
        each.name: pictures
        for each in sorted(folder.iterdir())
        if each.is_dir() and len(pictures := _pictures(each)) >= FEWEST
    }
    return found if 2 <= len(found) <= MOST_CLASSES else {}


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in KINDS and path.is_file()
    )


def is_held_out(number: int) -> bool:
    """Whether a class's picture of that number is never trained on."""
    return number % HELD_OUT == HELD_OUT - 1
