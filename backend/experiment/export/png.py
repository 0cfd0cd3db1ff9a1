"""Write one PNG: a single frame, or all frames of an animation side by side."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import draw_frame, draw_frames
from stnscope.backend.experiment.export.metadata import Metadata, describe
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.limits import MAX_PICTURE_PIXELS

Pixels = NDArray[np.uint8]


def write_png(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write a PNG; arguments and errors as those of `export`."""
    chosen = plan(recording, options)
    if options.still == "poster":
        pixels = draw_frame(recording, chosen, len(chosen.frames) - 1).flatten()
        if progress is not None:
            progress(1, 1)
    else:
        pixels = _draw_sheet(recording, chosen, progress)
    info = PngInfo()
    for kind, data in png_texts(describe(recording.summary(), chosen, options)):
        info.add(kind, data)
    Image.fromarray(pixels).save(target, "PNG", pnginfo=info)


def png_texts(described: Metadata) -> list[tuple[bytes, bytes]]:
    """Return the chunks of text of a PNG, each its type and data."""
    return [
        (b"iTXt", key.encode() + b"\0\0\0\0\0" + value.encode())
        for key, value in described.entries().items()
    ]


def sheet_size(chosen: Plan) -> tuple[int, int]:
    """Return (width, height) of the sheet of all frames of a plan."""
    width, height = chosen.size
    columns = _columns(chosen)
    return columns * width, -(-len(chosen.frames) // columns) * height


def _columns(chosen: Plan) -> int:
    width, height = chosen.size
    count = len(chosen.frames)
    columns = math.ceil(math.sqrt(count * sheet.ASPECT_RATIO * height / width))
    # As few as fill the same number of rows.
    return -(-count // -(-count // min(columns, count)))


def _draw_sheet(recording: ReadableRecording, chosen: Plan, progress: Progress | None) -> Pixels:
    width, height = sheet_size(chosen)
    if width * height > MAX_PICTURE_PIXELS:
        raise InvalidInput(
            f"The sheet would have {width} x {height} pixels; at most "
            f"{MAX_PICTURE_PIXELS // 10**6} million are allowed. Choose a smaller scale or fewer "
            "frames.",
            "frames",
        )
    pixels = np.full((height, width, 3), sheet.BACKGROUND, np.uint8)
    columns, (tile_width, tile_height) = _columns(chosen), chosen.size
    for number, layers in enumerate(draw_frames(recording, chosen, progress)):
        row, column = divmod(number, columns)
        top, left = row * tile_height, column * tile_width
        pixels[top : top + tile_height, left : left + tile_width] = layers.flatten()
    return pixels
