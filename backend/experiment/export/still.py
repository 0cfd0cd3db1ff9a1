"""Draw one frame as a PNG: input and outputs of its first probes, with the sampled corners."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_EXPORT_SCALE

Pixels = NDArray[np.uint8]
THUMBNAIL_SCALE = 0.75


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
    images, overlay = _draw(frame, probes, layout)
    sheet.draw_captions(overlay, layout)
    return _encode(images, overlay)


def draw_thumbnail(frame: Frame) -> bytes:
    """Return a small PNG file of a frame's first probe: no captions, and hardly a margin.

    Args:
        frame: with its input.
    """
    probes = range(1)
    layout = sheet.compute_layout(frame, 1, THUMBNAIL_SCALE, overshoot=0)
    images, overlay = _draw(frame, probes, layout)
    return _encode(images[: -layout.footer], overlay[: -layout.footer])


def _draw(frame: Frame, probes: range, layout: sheet.Layout) -> tuple[Pixels, sheet.Overlay]:
    """Return the pixels of the images, and what is drawn over them."""
    images = sheet.draw_images(frame, probes, layout, is_grey=False)
    return images, sheet.draw_overlay(frame, probes, layout)


def _encode(images: Pixels, overlay: sheet.Overlay) -> bytes:
    covered = overlay != sheet.TRANSPARENT
    images[covered] = sheet.COLOURS[overlay[covered]]
    file = BytesIO()
    Image.fromarray(images).save(file, "PNG")
    return file.getvalue()
