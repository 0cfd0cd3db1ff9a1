"""Writing an animated GIF frame by frame, in the memory of two frames.

Every frame stays a frame, also one that equals the one before, so counts and times are exact; of
each only the rectangle that changed is written, what did not change in it being left clear.
Format: GIF89a specification, CompuServe 1990, w3.org/Graphics/GIF/spec-gif89a.txt.
"""

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import getdata

Indices = NDArray[np.uint8]

LOOP_FOR_EVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
LEAVE_IN_PLACE = 1
LONGEST_DELAY = 65_535


class GifWriter:
    """An animation with one palette for all its frames.

    Args:
        size: (width, height) in pixels.
        colours: (256, 3) uint8, the palette.
        comment: is put into the file, for those who look inside.
    """

    def __init__(self, size: tuple[int, int], colours: Indices, comment: str) -> None:
        whole_table = 0xF7  # a palette of 256 colours of 8 bits
        screen = struct.pack("<HHBBB", *size, whole_table, 0, 0)
        self._parts = [b"GIF89a", screen, colours.tobytes(), LOOP_FOR_EVER, _comment(comment)]
        self._shown: Indices | None = None

    def add(self, indices: Indices, hundredths: int) -> None:
        """Adds a frame.

        Args:
            indices: (height, width), places in the palette.
            hundredths: how long it is shown, in hundredths of a second.
        """
        cut, corner, clear = _difference(self._shown, indices)
        options = {} if clear is None else {"transparency": clear}
        self._parts += getdata(
            Image.fromarray(cut),
            corner,
            duration=10 * min(hundredths, LONGEST_DELAY),
            disposal=LEAVE_IN_PLACE,
            **options,
        )
        self._shown = indices.copy()

    def finish(self) -> bytes:
        """The file."""
        return b"".join([*self._parts, b";"])


def _comment(text: str) -> bytes:
    body = text.encode("ascii", "replace")
    blocks = [body[start : start + 255] for start in range(0, len(body), 255)]
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _difference(
    shown: Indices | None, indices: Indices
) -> tuple[Indices, tuple[int, int], int | None]:
    """The rectangle to write, its top left corner (x, y), and which index in it is clear."""
    if shown is None:
        return indices, (0, 0), None
    changed = shown != indices
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        return indices[:1, :1], (0, 0), None
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    cut, kept = indices[box], ~changed[box]
    corner = int(columns[0]), int(rows[0])
    # Any index that this frame does not need can stand for "as before".
    unused = np.flatnonzero(np.bincount(cut[~kept], minlength=256) == 0)
    if not unused.size or not kept.any():
        return cut, corner, None
    clear = int(unused[-1])
    return np.where(kept, np.uint8(clear), cut), corner, clear
