"""Draw one frame as a PNG: input and outputs of its first probes, with the sampled corners."""

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import Layers
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_EXPORT_SCALE

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
    layers = _draw(frame, probes, layout)
    sheet.draw_captions(layers.overlay, layout)
    return layers.to_png()


def draw_thumbnail(frame: Frame) -> bytes:
    """Return a small PNG file of a frame's first probe: no captions, and hardly a margin.

    Args:
        frame: with its input.
    """
    probes = range(1)
    layout = sheet.compute_layout(frame, 1, THUMBNAIL_SCALE, overshoot=0)
    images, overlay = _draw(frame, probes, layout)
    return Layers(images[: -layout.footer], overlay[: -layout.footer]).to_png()


def _draw(frame: Frame, probes: range, layout: sheet.Layout) -> Layers:
    images = sheet.draw_images(frame, probes, layout, is_grey=False)
    return Layers(images, sheet.draw_overlay(frame, probes, layout))
