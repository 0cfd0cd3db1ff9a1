"""Write the frame with which the walk "How it works" begins, before a server is asked.

    python -m tools.make_walk_example

A test computes it again.
"""

from pathlib import Path

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inference.transform import transform
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.cards import cards

ASSETS = Path(__file__).parents[1] / "dashboard" / "assets"
PATH = ASSETS / "walk" / "example.frame"
PICTURE = ASSETS / "examples" / "rotated.png"
WEIGHTS = "digits"
VARIATION = {"rotation": -15, "scale": 0.95, "shift_x": 0.3, "shift_y": 0.1}
"""As in `dashboard/assets/walk/walk-picture.js`, for the requests that follow."""


def make_frame() -> Frame:
    """Apply the network to the picture, varied."""
    return transform(PICTURE.read_bytes(), shipped(cards()[WEIGHTS]), variation=VARIATION)


def main() -> None:
    PATH.write_bytes(make_frame().encode())
    print(f"Wrote {PATH.name}, {PATH.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
