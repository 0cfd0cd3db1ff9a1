"""256 colours for a whole animation, some of them exact.

One palette for all pictures and no dither: unchanged pixels keep their colours and do not flicker.

Letters: H, W a picture's height and width, M pixels, K colours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = 256

Pixels = NDArray[np.uint8]


class Palette:
    """Colours chosen for images, and exact grey levels.

    Args:
        pixels: (M, 3) of the images, to choose from; None if all are grey, which is exact.
        levels: grey levels that are drawn over the images.
    """

    def __init__(self, pixels: Pixels | None, levels: Sequence[int]) -> None:
        greys = np.arange(COLOURS, dtype=np.uint8)
        self.colours: Pixels = greys[:, None].repeat(3, axis=1)
        """(256, 3)."""
        self._level_indices = greys
        self._image_palette: Image.Image | None = None
        if pixels is None:
            return
        count = COLOURS - len(levels)
        chosen = _choose(pixels, count)
        self._image_palette = _as_image(chosen)
        self.colours[: len(chosen)] = chosen
        self.colours[count:] = np.array(levels)[:, None]
        self._level_indices = np.zeros(COLOURS, dtype=np.uint8)
        self._level_indices[list(levels)] = np.arange(count, COLOURS)

    def indices(
        self, images: Pixels, overlay: NDArray[np.int16], drawn: NDArray[np.bool]
    ) -> Pixels:
        """Return a picture as indices into the palette, (H, W).

        Args:
            images: (H, W) if all are grey, else (H, W, 3).
            overlay: (H, W) grey levels.
            drawn: (H, W), where the overlay covers the images.
        """
        indices = (
            images.copy() if self._image_palette is None else _nearest(images, self._image_palette)
        )
        indices[drawn] = self._level_indices[overlay[drawn]]
        return indices


def _choose(pixels: Pixels, count: int) -> Pixels:
    """Return at most `count` colours that approximate pixels (M, 3), as (K, 3)."""
    # Coarse colours are clustered faster; the means of the exact colours are computed below.
    coarse = Image.fromarray((pixels & 0xF8 | 4)[None]).quantize(count)
    first = np.array(coarse.getpalette(), dtype=np.uint8).reshape(-1, 3)[:count]
    nearest = _nearest(pixels[None], _as_image(first))[0]
    members = np.bincount(nearest, minlength=len(first))
    used = members > 0
    sums = [np.bincount(nearest, band, minlength=len(first))[used] for band in pixels.T]
    return np.rint(np.stack(sums, axis=1) / members[used, None]).astype(np.uint8)


def _as_image(colours: Pixels) -> Image.Image:
    image = Image.new("P", (1, 1))
    image.putpalette(colours.tobytes())
    return image


def _nearest(pixels: Pixels, palette: Image.Image) -> Pixels:
    """Return the palette indices (H, W) nearest to pixels (H, W, 3)."""
    quantised = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
    return np.array(quantised)
