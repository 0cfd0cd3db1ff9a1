"""Draws the pictures of signs that the page offers to try, into `dashboard/assets/examples/`.

python -m tools.make_sign_examples
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter

from stnscope.backend.experiment.data import signs
from stnscope.backend.experiment.data.sign_drawing import sign

FOLDER = Path(__file__).parents[1] / "dashboard" / "assets" / "examples"
SIZE = 240, 220


class InputPipeline(NamedTuple):
    """Which sign stands where, and in which light."""

    number: int
    side: int
    at: tuple[int, int]
    turn: float
    light: float
    seed: int


SCENES = {
    "stop": InputPipeline(14, 140, (78, 30), 4, 1.0, 3),
    "dark": InputPipeline(38, 130, (22, 64), -3, 0.32, 5),
    "tilted": InputPipeline(2, 125, (40, 14), 24, 0.9, 8),
}


def draw(scene: InputPipeline) -> Image.Image:
    """One picture."""
    ground = signs._grounds(1, torch.Generator().manual_seed(scene.seed))[0].permute(1, 2, 0)
    picture = Image.fromarray((ground * 255).byte().numpy()).resize(SIZE, Image.Resampling.BICUBIC)
    drawn = Image.fromarray((sign(scene.number, scene.side) * 255).astype(np.uint8), "RGBA")
    turned = drawn.rotate(-scene.turn, Image.Resampling.BICUBIC, expand=True)
    picture.paste(turned, scene.at, turned)
    lit = ImageEnhance.Brightness(picture.filter(ImageFilter.GaussianBlur(0.8)))
    return lit.enhance(scene.light)


def main() -> None:
    """Draws all, as PNG of few colours: small, and nothing that the eye would miss."""
    for name, scene in SCENES.items():
        path = FOLDER / f"{name}.png"
        draw(scene).quantize(128).save(path, optimize=True)
        print(f"Wrote {path.name}, {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
