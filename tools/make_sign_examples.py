"""Draw the pictures of signs that the page offers as examples, `dashboard/assets/examples/`.

python -m tools.make_sign_examples
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter

from stnscope.backend.experiment.data import sign_images
from stnscope.backend.experiment.data.sign_drawing import draw_sign

FOLDER = Path(__file__).parents[1] / "dashboard" / "assets" / "examples"
SIZE = 240, 220


class Example(NamedTuple):
    """Which sign is drawn, where, and in which light."""

    number: int
    side: int
    position: tuple[int, int]
    degrees: float
    brightness: float
    seed: int


EXAMPLES = {
    "stop": Example(14, 140, (78, 30), 4, 1.0, 3),
    "dark": Example(38, 130, (22, 64), -3, 0.32, 5),
    "tilted": Example(2, 125, (40, 14), 24, 0.9, 8),
}


def draw(example: Example) -> Image.Image:
    """Draw one picture."""
    generator = torch.Generator().manual_seed(example.seed)
    background = sign_images.draw_backgrounds(1, generator)[0].permute(1, 2, 0)
    pixels = (background * 255).byte().numpy()
    picture = Image.fromarray(pixels).resize(SIZE, Image.Resampling.BICUBIC)
    pixels = (draw_sign(example.number, example.side) * 255).astype(np.uint8)
    sign = Image.fromarray(pixels, "RGBA")
    sign = sign.rotate(-example.degrees, Image.Resampling.BICUBIC, expand=True)
    picture.paste(sign, example.position, sign)
    blurred = picture.filter(ImageFilter.GaussianBlur(0.8))
    return ImageEnhance.Brightness(blurred).enhance(example.brightness)


def main() -> None:
    """Draw all examples as PNG with few colours, to keep them small."""
    for name, example in EXAMPLES.items():
        path = FOLDER / f"{name}.png"
        draw(example).quantize(128).save(path, optimize=True)
        print(f"Wrote {path.name}, {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
