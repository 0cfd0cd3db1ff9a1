"""Draw one frame as a PNG: input and outputs of its first probes, with the sampled corners."""

from io import BytesIO

import numpy as np
from PIL import Image

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import Layers
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_EXPORT_SCALE

THUMBNAIL_SCALE = 0.75
THUMBNAIL_INK = 120
"""Grey level of text, legible on white and on black."""


def draw_png(frame: Frame, scale: float, rows: int = 1) -> bytes:
    """Return a PNG file of a frame.

    Args:
        frame: with its input.
        scale: of the picture.
        rows: how many probes are drawn at most, below each other.

    Raises:
        InvalidInput: the scale is out of range.
    """
    if not 0.5 <= scale <= MAX_EXPORT_SCALE:
        raise InvalidInput(
            f"The scale must be 0.5 to {MAX_EXPORT_SCALE:g}, not {scale:g}.", "scale"
        )
    probes = range(min(rows, len(frame.tensors["input"])))
    layout = sheet.compute_layout(frame, len(probes), scale, sheet.overshoot(frame, probes))
    layers = _draw(frame, probes, layout)
    sheet.draw_captions(layers.overlay, layout)
    return layers.to_png()


def draw_thumbnail(frame: Frame) -> bytes:
    """Return a small PNG file of a frame's first probe: no captions, and hardly a margin.

    It has no background, since it is shown on light and on dark pages; text is grey.

    Args:
        frame: with its input.
    """
    layout = sheet.compute_layout(frame, 1, THUMBNAIL_SCALE, overshoot=0)
    layers = _draw(frame, range(1), layout)
    is_image = np.zeros(layers.overlay.shape, dtype=bool)
    is_image[layout.input_box(0)] = True
    for index, _ in enumerate(frame.transformers):
        is_image[layout.output_box(0, index)] = True
    # Background is the lightest shade of text.
    is_text = ~is_image & np.isin(layers.overlay, sheet.SHADES)
    pixels = np.dstack([layers.flatten(), np.full(is_image.shape, 255, dtype=np.uint8)])
    opacity = (sheet.BACKGROUND - layers.overlay[is_text]) / (sheet.BACKGROUND - sheet.INK)
    pixels[is_text, :3] = THUMBNAIL_INK
    pixels[is_text, 3] = np.rint(255 * opacity)
    file = BytesIO()
    Image.fromarray(pixels[: -layout.footer]).save(file, "PNG")
    return file.getvalue()


def _draw(frame: Frame, probes: range, layout: sheet.Layout) -> Layers:
    images = sheet.draw_images(frame, probes, layout, is_grey=False)
    return Layers(images, sheet.draw_overlay(frame, probes, layout))
