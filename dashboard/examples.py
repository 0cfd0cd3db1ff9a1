"""Pictures to try the network with, before one has any of one's own."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "assets" / "examples"

EXAMPLES = {
    "On paper": _FOLDER / "paper.png",
    "In a corner": _FOLDER / "corner.png",
    "Turned": _FOLDER / "turned.png",
}
