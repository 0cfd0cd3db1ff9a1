"""Example pictures for each trained network."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "assets" / "examples"

EXAMPLES = {
    "digits": {
        "On paper": _FOLDER / "paper.png",
        "In a corner": _FOLDER / "corner.png",
        "Rotated": _FOLDER / "rotated.png",
    },
    "signs": {
        "Stop": _FOLDER / "stop.png",
        "In the dark": _FOLDER / "dark.png",
        "Tilted": _FOLDER / "tilted.png",
    },
}
"""Paths by title, by the weights that they are for."""
