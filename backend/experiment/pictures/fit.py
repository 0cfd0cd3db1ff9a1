"""A picture fitted to what a network takes in: whole, letterboxed, light on dark where it must be.

Letters: H, W the network's input size, C its channels, h and w what the picture fills of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.pictures.decode import Picture

FAINT = 0.04
"""Contrast, of 1, below which a picture counts as uniform: paper grain is not stretched."""

INK = 0.35
"""From here on a stroke counts as ink, where strokes are measured."""
MUCH = 1.2
"""How much larger than usual, what a network looks for may be before it gets a margin."""

SOFTNESS = 0.36
"""Standard deviation of the softening, in grains: measured to serve strange handwriting best."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a network is shown of a picture."""

    image: Floats
    """(H, W, C) in [0, 1]."""
    notes: tuple[str, ...]
    """What was done to the picture, as sentences."""
    inverted: bool
    """Whether dark became light."""


def fit(
    picture: Picture,
    size: tuple[int, int],
    channels: int,
    light_on_dark: bool,
    subject: int | None = None,
    grain: float = 0.0,
) -> Fitted:
    """Fits a picture whole and antialiased into a network's input.

    Args:
        picture: what was decoded. One that has the input's very size is neither made smaller nor
            softened.
        size: (H, W) of the input.
        channels: 1 or 3.
        light_on_dark: whether the network knows light strokes on black only. Then the ground is
            taken away, dark strokes on light ground are inverted and contrast is stretched.
        subject: how large, in pixels, what the network looks for usually is. Strokes that are much
            larger, as when a digit fills the picture, get the margin that the network knows.
        grain: how far details are apart, in pixels, in the images that the network knows. Strokes
            are softened to that.
    """
    content = _resized(picture, size, channels)
    if not light_on_dark:
        return _placed(content, size, np.median(_rim(content), axis=0), picture.notes, False)
    if picture.size == size[::-1]:
        subject, grain = None, 0.0
    softness = SOFTNESS * grain
    strokes, inverted, done = _strokes(_softened(content, softness))
    largest = _largest_side(strokes.mean(axis=2) > INK)
    if subject is not None and largest > MUCH * subject:
        tall, wide = (max(1, round(side * subject / largest)) for side in size)
        content = _resized(picture, (tall, wide), channels)
        strokes, inverted, done = _strokes(_softened(content, softness))
        done.append("It was made smaller, to leave the margin that the network knows.")
    return _placed(strokes, size, np.zeros(channels), (*picture.notes, *done), inverted)


def _placed(
    content: Floats,
    size: tuple[int, int],
    margin: NDArray[np.floating],
    notes: tuple[str, ...],
    inverted: bool,
) -> Fitted:
    """Content (h, w, C) in the middle of (H, W), the rest in the margin's colour."""
    image = np.empty((*size, content.shape[2]), dtype=np.float32)
    image[:] = margin
    (height, width), (tall, wide) = size, content.shape[:2]
    top, left = (height - tall) // 2, (width - wide) // 2
    image[top : top + tall, left : left + wide] = content
    if (tall, wide) != size:
        sides = "around it"
        if wide == width:
            sides = "above and below"
        elif tall == height:
            sides = "left and right"
        notes = (*notes, f"It was fitted whole, with margins {sides}.")
    return Fitted(image, notes, inverted)


def _resized(picture: Picture, size: tuple[int, int], channels: int) -> Floats:
    """The picture as (h, w, C) in [0, 1], as large as fits into (H, W)."""
    tall, wide = picture.pixels.shape[:2]
    scale = min(size[0] / tall, size[1] / wide)
    inner = max(1, round(wide * scale)), max(1, round(tall * scale))
    image = Image.fromarray(picture.pixels)
    bands = image.convert("L").split() if channels == 1 else image.split()
    # In floating point, so that a thin stroke made faint by the reduction keeps its shades.
    fitted = [band.convert("F").resize(inner, Image.Resampling.BICUBIC) for band in bands]
    stack = np.stack([np.asarray(band) for band in fitted], axis=2)
    return np.clip(stack / np.float32(255), 0, 1)


def _softened(content: Floats, spread: float) -> Floats:
    """(h, w, C) under a Gaussian of that standard deviation in pixels; the rim goes on outside."""
    if spread == 0:
        return content
    reach = int(np.ceil(3 * spread))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        beside = [(reach, reach) if axis == other else (0, 0) for other in range(3)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(content, beside, mode="edge"), len(weights), axis=axis
        )
        content = (windows @ weights).astype(np.float32)
    return content


def _strokes(content: Floats) -> tuple[Floats, bool, list[str]]:
    """Light strokes on black from (h, w, C): without ground, stretched to [0, 1].

    Returns:
        The strokes, whether they were dark before, and what was done.
    """
    above = content - _ground(content)
    inverted = bool((np.minimum(above, 0) ** 2).sum() > (np.maximum(above, 0) ** 2).sum())
    strokes = np.maximum(-above if inverted else above, 0)
    grain = 3 * 1.4826 * float(np.median(np.abs(_rim(above))))
    strokes = np.maximum(strokes - min(grain, 0.15 * float(strokes.max())), 0)
    strong = strokes[strokes > 0]
    peak = float(np.quantile(strong, 0.98)) if strong.size else 0.0
    if peak < FAINT:
        return strokes, False, ["It is almost uniform: there is little to see in it."]
    notes = []
    if inverted:
        notes.append("Dark strokes on light ground were inverted: the network knows light on dark.")
    stretched = np.clip(strokes / peak, 0, 1)
    expected = 1 - content if inverted else content
    if float(np.abs(stretched - expected).mean()) > 0.01:
        notes.append("Its ground was taken away and its contrast stretched.")
    return stretched.astype(np.float32), inverted, notes


def _ground(content: Floats) -> Floats:
    """The ground under (h, w, C): a plane through the rim, since light seldom falls evenly.

    What touches the rim and stands out from it is left out of the fit.
    """
    tall, wide = content.shape[:2]
    down, across = np.meshgrid(
        np.linspace(-1, 1, tall), np.linspace(-1, 1, wide), indexing="ij", copy=False
    )
    plane = np.stack([np.ones_like(down), down, across], axis=2)
    places, values = _rim(plane), _rim(content).astype(np.float64)
    kept = np.ones(len(values), dtype=bool)
    slope = np.zeros((3, content.shape[2]))
    slope[0] = np.median(values, axis=0)
    for _ in range(4):
        away = np.abs(values - places @ slope).max(axis=1)
        kept = away <= 2.5 * 1.4826 * np.median(away) + 0.02
        slope = np.linalg.lstsq(places[kept], values[kept], rcond=None)[0]
    return np.clip(plane @ slope, 0, 1).astype(np.float32)


def _rim(image: NDArray[np.floating]) -> NDArray[np.floating]:
    """The outermost twelfth of (h, w, C) on every side, as (points, C)."""
    tall, wide = image.shape[:2]
    band = max(1, min(tall, wide) // 12)
    inside = np.zeros((tall, wide), dtype=bool)
    inside[band : tall - band, band : wide - band] = True
    return image[~inside]


def _largest_side(ink: NDArray[np.bool]) -> int:
    """The longer side of the largest connected piece of ink (h, w), in pixels."""
    tall, wide = ink.shape
    # Every pixel takes the highest number around it, until pieces have one number each.
    numbers = np.zeros((tall + 2, wide + 2), dtype=np.int64)
    inside = numbers[1:-1, 1:-1]
    inside[ink] = np.arange(1, np.count_nonzero(ink) + 1)
    while True:
        across = np.maximum(np.maximum(numbers[:, :-2], numbers[:, 1:-1]), numbers[:, 2:])
        spread = np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:]) * ink
        if (spread == inside).all():
            break
        inside[:] = spread
    pieces, counts = np.unique(inside[ink], return_counts=True)
    if not pieces.size:
        return 0
    rows, columns = np.nonzero(inside == pieces[counts.argmax()])
    return int(max(np.ptp(rows), np.ptp(columns))) + 1
