"""One palette of 256 colours for a whole animation, some of them exact.

There is one palette for all frames, and no dithering, so that unchanged pixels do not flicker.

(H, W) size of a frame, M pixels, K colours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = 256

Pixels = NDArray[np.uint8]


class Palette:
    """Colours that approximate images, and exact grey levels.

    Args:
        pixels: (M, 3), pixels of the images; None if all are grey: then all levels are exact.
        levels: grey levels of the overlay.
    """

    def __init__(self, pixels: Pixels | None, levels: Sequence[int]) -> None:
        greys = np.arange(COLOURS, dtype=np.uint8)
        self.colours: Pixels = greys[:, None].repeat(3, axis=1)
        """(256, 3), the palette."""
        self._level_indices = greys
        self._image_palette: Image.Image | None = None
        if pixels is None:
            return
        count = COLOURS - len(levels)
        colours = _quantise(pixels, count)
        self._image_palette = _palette_image(colours)
        self.colours[: len(colours)] = colours
        self.colours[count:] = np.array(levels)[:, None]
        self._level_indices = np.zeros(COLOURS, dtype=np.uint8)
        self._level_indices[list(levels)] = np.arange(count, COLOURS)

    def indices(
        self, images: Pixels, overlay: NDArray[np.int16], is_overlay: NDArray[np.bool]
    ) -> Pixels:
        """Combine the layers of a frame; return indices into the palette, (H, W).

        Args:
            images: (H, W) if all are grey, else (H, W, 3).
            overlay: (H, W) grey levels.
            is_overlay: (H, W), whether the overlay covers the images.
        """
        indices = (
            images.copy() if self._image_palette is None else _nearest(images, self._image_palette)
        )
        indices[is_overlay] = self._level_indices[overlay[is_overlay]]
        return indices


def _quantise(pixels: Pixels, count: int) -> Pixels:
    """Return at most `count` colours (K, 3) that approximate pixels (M, 3)."""
    # Rounded colours are clustered faster; the means of the exact colours are computed below.
    rounded = Image.fromarray((pixels & 0xF8 | 4)[None]).quantize(count)
    centres = np.array(rounded.getpalette(), dtype=np.uint8).reshape(-1, 3)[:count]
    nearest = _nearest(pixels[None], _palette_image(centres))[0]
    counts = np.bincount(nearest, minlength=len(centres))
    is_used = counts > 0
    sums = [np.bincount(nearest, band, minlength=len(centres))[is_used] for band in pixels.T]
    return np.rint(np.stack(sums, axis=1) / counts[is_used, None]).astype(np.uint8)


def _palette_image(colours: Pixels) -> Image.Image:
    """Return an image with a palette, the form in which Pillow takes palettes."""
    image = Image.new("P", (1, 1))
    image.putpalette(colours.tobytes())
    return image


def _nearest(pixels: Pixels, palette: Image.Image) -> Pixels:
    """Return the indices (H, W) of the palette's colours nearest to pixels (H, W, 3)."""
    quantised = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
    return np.array(quantised)
