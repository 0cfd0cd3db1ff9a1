"""Pictures to try each network with, before one has any of one's own."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "assets" / "examples"

EXAMPLES = {
    "digits": {
        "On paper": _FOLDER / "paper.png",
        "In a corner": _FOLDER / "corner.png",
        "Turned": _FOLDER / "turned.png",
    },
    "signs": {
        "Stop": _FOLDER / "stop.png",
        "In the dark": _FOLDER / "dark.png",
        "Tilted": _FOLDER / "tilted.png",
    },
}
"""By the weights that they are for."""
