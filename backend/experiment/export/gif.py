"""Write an animated GIF frame by frame, with two frames in memory.

Only the rectangle that changed is written; unchanged pixels in it are transparent. A frame that
equals the previous one is written too, so that the number and duration of frames are exact.
Format: GIF89a specification, CompuServe 1990, w3.org/Graphics/GIF/spec-gif89a.txt.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import getdata

from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import draw_frame, draw_frames
from stnscope.backend.experiment.export.metadata import describe
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.palette import Palette
from stnscope.backend.experiment.export.plan import Plan, plan

Indices = NDArray[np.uint8]

LOOP_FOREVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
DO_NOT_DISPOSE = 1
MAX_DELAY = 65_535
"""Hundredths of a second."""
PALETTE_FRAMES = 12
PALETTE_PIXELS = 60_000
"""Number of frames and pixels from which a palette is computed."""


def write_gif(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write an animated GIF; arguments and errors as those of `export`."""
    target.write_bytes(encode_gif(recording, plan(recording, options), options, progress))


def encode_gif(
    recording: ReadableRecording,
    chosen: Plan,
    options: ExportOptions,
    progress: Progress | None = None,
) -> bytes:
    """Return the bytes of the animation of a plan, with its provenance as a comment."""
    comment = describe(recording.summary(), chosen, options).text
    palette = Palette(None if chosen.is_grey else _sample_pixels(recording, chosen), chosen.colours)
    writer = GifWriter(chosen.size, palette.colours, comment)
    drawn = draw_frames(recording, chosen, progress)
    for (images, overlay), delay in zip(drawn, chosen.delays, strict=True):
        writer.add(palette.indices(images, overlay, overlay != sheet.TRANSPARENT), delay)
    return writer.finish()


def _sample_pixels(recording: ReadableRecording, chosen: Plan) -> Indices:
    """Return pixels of images from all parts of the animation, (M, 3)."""
    count = len(chosen.frames)
    indices = np.linspace(0, count - 1, min(PALETTE_FRAMES, count)).round().astype(int)
    samples = []
    for index in indices.tolist():
        images, overlay = draw_frame(recording, chosen, index)
        samples.append(images[overlay == sheet.TRANSPARENT])
    pixels = np.concatenate(samples)
    return pixels[:: max(1, len(pixels) // PALETTE_PIXELS)]


class GifWriter:
    """An animation with one palette for all its frames.

    Args:
        size: (width, height) in pixels.
        colours: (256, 3) uint8, the palette.
        comment: text stored in the file.
    """

    def __init__(self, size: tuple[int, int], colours: Indices, comment: str) -> None:
        flags = 0xF7  # a global palette of 256 colours, 8 bits each
        screen = struct.pack("<HHBBB", *size, flags, 0, 0)
        self._parts = [b"GIF89a", screen, colours.tobytes(), LOOP_FOREVER, _comment(comment)]
        self._previous: Indices | None = None

    def add(self, indices: Indices, hundredths: int) -> None:
        """Add a frame.

        Args:
            indices: (height, width), indices into the palette.
            hundredths: its duration in hundredths of a second.
        """
        changed, corner, transparent = _difference(self._previous, indices)
        options = {} if transparent is None else {"transparency": transparent}
        self._parts += getdata(
            Image.fromarray(changed),
            corner,
            duration=10 * min(hundredths, MAX_DELAY),
            disposal=DO_NOT_DISPOSE,
            **options,
        )
        self._previous = indices.copy()

    def finish(self) -> bytes:
        """Return the bytes of the file."""
        return b"".join([*self._parts, b";"])


def _comment(text: str) -> bytes:
    body = text.encode("ascii", "replace")
    blocks = [body[start : start + 255] for start in range(0, len(body), 255)]
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _difference(
    previous: Indices | None, indices: Indices
) -> tuple[Indices, tuple[int, int], int | None]:
    """Return the rectangle to write, its top left corner (x, y), and its transparent index."""
    if previous is None:
        return indices, (0, 0), None
    changed = previous != indices
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        return indices[:1, :1], (0, 0), None
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    rectangle, unchanged = indices[box], ~changed[box]
    corner = int(columns[0]), int(rows[0])
    # Any index that this frame does not use can be the transparent one.
    unused = np.flatnonzero(np.bincount(rectangle[~unchanged], minlength=256) == 0)
    if not unused.size or not unchanged.any():
        return rectangle, corner, None
    transparent = int(unused[-1])
    return np.where(unchanged, np.uint8(transparent), rectangle), corner, transparent
