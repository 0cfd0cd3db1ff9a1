"""One palette of 256 colours for a whole animation, those of the overlay exact.

There is one palette for all frames, and no dithering, so that unchanged pixels do not flicker.

(H, W) size of a frame, M pixels, K colours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.export import sheet

COLOUR_COUNT = 256
REPLACED = 1
"""The first of the grey levels, nearly black and every second one, whose indices the colours of a
grey animation have."""

Pixels = NDArray[np.uint8]


class Palette:
    """Colours that approximate images, and the exact ones of the overlay.

    Args:
        pixels: (M, 3), pixels of the images; None if all are grey: then all levels but one for each
            colour are exact.
        colours: the values of an overlay that are colours.
    """

    def __init__(self, pixels: Pixels | None, colours: Sequence[int] = (sheet.FIRST,)) -> None:
        colours = list(colours)
        greys = np.arange(COLOUR_COUNT, dtype=np.uint8)
        self.colours: Pixels = greys[:, None].repeat(3, axis=1)
        """(256, 3), the palette."""
        self._overlay_indices = np.append(
            greys, np.zeros(len(sheet.COLOURS) - COLOUR_COUNT, np.uint8)
        )
        self._image_palette: Image.Image | None = None
        self._levels: Pixels = greys
        if pixels is None:
            replaced = REPLACED + 2 * np.arange(len(colours))
            self.colours[replaced] = sheet.COLOURS[colours]
            self._overlay_indices[colours] = replaced
            self._levels = greys.copy()
            self._levels[replaced] -= 1
            return
        values = [*sheet.LEVELS, *colours]
        count = COLOUR_COUNT - len(values)
        quantised = _quantise(pixels, count)
        self._image_palette = _palette_image(quantised)
        self.colours[: len(quantised)] = quantised
        self.colours[count:] = sheet.COLOURS[values]
        self._overlay_indices[values] = np.arange(count, COLOUR_COUNT)

    def indices(
        self, images: Pixels, overlay: NDArray[np.int16], is_overlay: NDArray[np.bool]
    ) -> Pixels:
        """Combine the layers of a frame; return indices into the palette, (H, W).

        Args:
            images: (H, W) if all are grey, else (H, W, 3).
            overlay: (H, W), as of `sheet.draw_overlay`.
            is_overlay: (H, W), whether the overlay covers the images.
        """
        if self._image_palette is None:
            indices = self._levels[images]
        else:
            indices = _nearest(images, self._image_palette)
        indices[is_overlay] = self._overlay_indices[overlay[is_overlay]]
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
