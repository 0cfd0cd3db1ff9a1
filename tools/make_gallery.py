"""Draw the pictures that the page's gallery offers, `dashboard/assets/examples/`.

    python -m tools.make_gallery

`paper` is a photo and is not drawn here. Digits are held-out ones of the bundled data set.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from stnscope.backend.experiment.catalog import ARCHITECTURES
from stnscope.backend.experiment.config import DistortionConfig
from stnscope.backend.experiment.data import sign_images
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.sign_drawing import draw_sign
from stnscope.backend.experiment.inputs.pipeline import InputPipeline

FOLDER = Path(__file__).parents[1] / "dashboard" / "assets" / "examples"
SIZE = 240, 220
DIGIT_SIDE = 192


class Sign(NamedTuple):
    """Which sign is drawn, where, and in which light."""

    number: int
    side: int
    position: tuple[int, int]
    degrees: float
    brightness: float
    seed: int
    aspect: float = 1.0
    """Its width as a share of its height, as seen from the side."""
    pole: int = 0
    """Width in pixels of a pole before it."""


SIGNS = {
    "stop": Sign(14, 140, (78, 30), 4, 1.0, 3),
    "dark": Sign(38, 130, (22, 64), -3, 0.32, 5),
    "tilted": Sign(2, 125, (40, 14), 24, 0.9, 8),
    "far": Sign(13, 64, (146, 24), -6, 1.0, 11),
    "behind": Sign(17, 138, (48, 44), 3, 0.95, 12, pole=26),
    "oblique": Sign(12, 150, (70, 34), -8, 1.0, 14, aspect=0.6),
}


class Digit(NamedTuple):
    """Which held-out digit is distorted, and how."""

    number: int
    distortion: str
    strength: float
    seed: int


DIGITS = {
    "upright": Digit(24, "centred", 1.0, 0),
    "clutter": Digit(12, "scattered", 1.0, 5),
    "bent": Digit(13, "E", 1.0, 13),
}


def draw_sign_picture(sign: Sign) -> Image.Image:
    """Draw a sign before a background."""
    generator = torch.Generator().manual_seed(sign.seed)
    background = sign_images.draw_backgrounds(1, generator)[0].permute(1, 2, 0)
    pixels = (background * 255).byte().numpy()
    picture = Image.fromarray(pixels).resize(SIZE, Image.Resampling.BICUBIC)
    pixels = (draw_sign(sign.number, sign.side) * 255).astype(np.uint8)
    drawn = Image.fromarray(pixels, "RGBA")
    if sign.aspect != 1:
        drawn = drawn.resize((round(sign.side * sign.aspect), sign.side), Image.Resampling.BICUBIC)
    drawn = drawn.rotate(-sign.degrees, Image.Resampling.BICUBIC, expand=True)
    picture.paste(drawn, sign.position, drawn)
    if sign.pole:
        middle = sign.position[0] + drawn.width // 2
        box = (middle - sign.pole // 2, 0, middle + sign.pole // 2, SIZE[1])
        ImageDraw.Draw(picture).rectangle(box, fill=(92, 84, 72))
    blurred = picture.filter(ImageFilter.GaussianBlur(0.8))
    return ImageEnhance.Brightness(blurred).enhance(sign.brightness).quantize(128)


def draw_digit_picture(digit: Digit) -> Image.Image:
    """Distort a digit onto the canvas that networks for digits have as their input."""
    dataset = load("digits")
    config = DistortionConfig(name=digit.distortion, strength=digit.strength)
    architecture = ARCHITECTURES["digits"]
    pipeline = InputPipeline.for_dataset(dataset.entry, config, architecture, dataset.held_out)
    image = dataset.held_out.pixels[digit.number][None].float()
    image = image / 255 if image.max() > 1 else image
    canvas = pipeline.apply_random(image, torch.Generator().manual_seed(digit.seed))
    pixels = (canvas[0, 0] * 255).round().byte().numpy()
    return Image.fromarray(pixels).resize((DIGIT_SIDE, DIGIT_SIDE), Image.Resampling.BICUBIC)


def main() -> None:
    """Draw all pictures as PNG with few colours, to keep them small."""
    pictures = {name: draw_sign_picture(sign) for name, sign in SIGNS.items()}
    pictures |= {name: draw_digit_picture(digit) for name, digit in DIGITS.items()}
    for name, picture in pictures.items():
        path = FOLDER / f"{name}.png"
        picture.save(path, optimize=True)
        print(f"Wrote {path.name}, {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
