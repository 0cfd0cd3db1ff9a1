"""256 colours for a whole animation, some of them exact.

One palette for all pictures and no dither: what stands still keeps its colours and never flickers.

Letters: H, W a picture's height and width, M pixels, K colours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = 256

Pixels = NDArray[np.uint8]


class Palette:
    """Colours chosen for images, and grey levels that are kept exactly.

    Args:
        pixels: (M, 3) of the images, to choose from; None where all is grey, which loses nothing.
        levels: grey levels that are drawn over the images.
    """

    def __init__(self, pixels: Pixels | None, levels: Sequence[int]) -> None:
        greys = np.arange(COLOURS, dtype=np.uint8)
        self.colours: Pixels = greys[:, None].repeat(3, axis=1)
        """(256, 3)."""
        self._places = greys
        self._chosen: Image.Image | None = None
        if pixels is None:
            return
        room = COLOURS - len(levels)
        chosen = _choose(pixels, room)
        self._chosen = _as_image(chosen)
        self.colours[: len(chosen)] = chosen
        self.colours[room:] = np.array(levels)[:, None]
        self._places = np.zeros(COLOURS, dtype=np.uint8)
        self._places[list(levels)] = np.arange(room, COLOURS)

    def indices(
        self, images: Pixels, overlay: NDArray[np.int16], drawn: NDArray[np.bool]
    ) -> Pixels:
        """A picture in places of the palette, (H, W).

        Args:
            images: (H, W) where all is grey, else (H, W, 3).
            overlay: (H, W) grey levels.
            drawn: (H, W), where the overlay covers the images.
        """
        places = images.copy() if self._chosen is None else _nearest(images, self._chosen)
        places[drawn] = self._places[overlay[drawn]]
        return places


def _choose(pixels: Pixels, count: int) -> Pixels:
    """At most `count` colours that stand for these pixels (M, 3), as (K, 3)."""
    # Coarse shades are sorted sooner and serve as well, since the means of the fine ones follow.
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
    """Places (H, W) in the palette for pixels (H, W, 3)."""
    quantised = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
    return np.array(quantised)
