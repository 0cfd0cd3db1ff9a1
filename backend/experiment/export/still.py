"""Draw one frame as a PNG: input and outputs of its first probes, with the sampled corners."""

from io import BytesIO

from PIL import Image

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_EXPORT_SCALE


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
    images = sheet.draw_images(frame, probes, layout, is_grey=False)
    overlay = sheet.draw_overlay(frame, probes, layout)
    sheet.draw_captions(overlay, layout)
    covered = overlay != sheet.TRANSPARENT
    images[covered] = sheet.COLOURS[overlay[covered]]
    file = BytesIO()
    Image.fromarray(images).save(file, "PNG")
    return file.getvalue()
