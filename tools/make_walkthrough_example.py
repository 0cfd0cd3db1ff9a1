"""Write what the walkthrough "How it works" shows without a server.

The frame with which it begins, before the first request to a server; and the networks' inputs that
are made from the digits that ship, of which a published site computes the rest in the browser.

    python -m tools.make_walkthrough_example

A test computes it again.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save

from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.inference.transform import fit_probe, transform
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.cards import cards

ASSETS = Path(__file__).parents[1] / "dashboard" / "assets"
PATH = ASSETS / "walkthrough" / "example.frame"
PICTURE = ASSETS / "examples" / "rotated.png"
PICTURES = ASSETS / "walkthrough" / "pictures.safetensors"
DIGITS = ("upright", "corner", "rotated", "paper", "clutter", "bent")
"""The pictures of digits, as in `dashboard/assets/picture/gallery.js`."""
WEIGHTS = "digits"
VARIATION = {"rotation": -15, "scale": 0.95, "shift_x": 0.3, "shift_y": 0.1}
"""Variation of `dashboard/assets/walkthrough/walkthrough-picture.js`, in later requests."""


def make_frame() -> Frame:
    """Apply the network to the picture, varied."""
    return transform(PICTURE.read_bytes(), shipped(cards()[WEIGHTS]), variation=VARIATION)


def digest(data: bytes) -> str:
    """Return the digest of a file (FNV-1a), as `dashboard/assets/offline/picture-network.js`."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 % 2**32
    return f"{value:08x}"


def make_pictures() -> dict[str, Array]:
    """Return the network inputs (H, W) that the pictures become, by their files' digests."""
    card = cards()[WEIGHTS]
    pictures = {}
    for name in DIGITS:
        data = (ASSETS / "examples" / f"{name}.png").read_bytes()
        fitted = fit_probe(data, card.architecture, card.dataset)
        pictures[digest(data)] = fitted.image[..., 0].astype(np.float32)
    return pictures


def main() -> None:
    PATH.write_bytes(make_frame().encode())
    PICTURES.write_bytes(save(make_pictures()))
    for path in (PATH, PICTURES):
        print(f"Wrote {path.name}, {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
