"""Draw one frame as a PNG: input and outputs of its first probe, with the sampled corners."""

from io import BytesIO

import numpy as np
from PIL import Image

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_EXPORT_SCALE


def draw_png(frame: Frame, scale: float) -> bytes:
    """Return a PNG file of a frame with its input.

    Raises:
        InvalidInput: the scale is out of range.
    """
    if not 0.5 <= scale <= MAX_EXPORT_SCALE:
        raise InvalidInput(
            f"The scale must be 0.5 to {MAX_EXPORT_SCALE:g}, not {scale:g}.", "scale"
        )
    layout = sheet.compute_layout(frame, 1, scale, sheet.overshoot(frame, [0]))
    images = sheet.draw_images(frame, [0], layout, is_grey=False)
    overlay = sheet.draw_overlay(frame, [0], layout)
    sheet.draw_captions(overlay, layout)
    covered = overlay != sheet.TRANSPARENT
    images[covered] = overlay[covered][:, None].astype(np.uint8)
    file = BytesIO()
    Image.fromarray(images).save(file, "PNG")
    return file.getvalue()
