"""Fit a picture into a network's input: letterboxed, and light strokes on black where required.

Letters: H and W are the size of the network's input, C its channels; h and w are the size of the
picture in it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.pictures.decode import Picture

MIN_CONTRAST = 0.04
"""Contrast below which a picture counts as uniform, so that the grain of paper is not amplified."""
INK_THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45)
"""Values from which a pixel belongs to a stroke; strokes are measured with each of them, since a
file's compression may connect or part two strokes at one."""
MAX_SUBJECT_RATIO = 1.1
"""An object larger than usual by more than this factor is reduced, to leave a margin."""
REDUCTION_SLOPE = 1 / 3
"""How fast, above that factor, a larger object is reduced to the usual size: not at once, so that
two files of one photo, which differ a little, are fitted at nearly one size."""
BLUR_PER_DETAIL = 0.36
"""Standard deviation of the blur per pixel between details; the best of those tried on
handwriting from other sources."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A picture as a network's input."""

    image: Floats
    """(H, W, C) in [0, 1]."""
    notes: tuple[str, ...]
    """What was changed, as sentences."""
    inverted: bool
    """Whether dark strokes were made light."""


class Target(NamedTuple):
    """What a picture is fitted to: the arguments of `fit` besides the picture."""

    size: tuple[int, int]
    channels: int
    light_on_dark: bool
    subject: int | None = None
    detail_spacing: float = 0.0


def fit(
    picture: Picture,
    size: tuple[int, int],
    channels: int,
    light_on_dark: bool,
    subject: int | None = None,
    detail_spacing: float = 0.0,
) -> Fitted:
    """Fit a whole picture into a network's input, with antialiasing.

    Args:
        picture: a decoded picture. If it has the input's size, it is neither reduced nor blurred.
        size: (H, W) of the input.
        channels: 1 or 3.
        light_on_dark: whether the network was trained on light strokes on black. The background is
            then subtracted, dark strokes are inverted, and the contrast is stretched.
        subject: usual size in pixels of the object that the network classifies. A much larger one,
            such as a digit that fills the picture, is reduced to leave the usual margin.
        detail_spacing: distance in pixels between details of the training images. Strokes are
            blurred accordingly.
    """
    content = _resize(picture, size, channels)
    if not light_on_dark:
        margin = np.median(_border(content), axis=0)
        return _letterbox(content, size, margin, picture.notes, inverted=False)
    if picture.size == size[::-1]:
        subject, detail_spacing = None, 0.0
    deviation = BLUR_PER_DETAIL * detail_spacing
    strokes, inverted, changes = _extract_strokes(_blur(content, deviation))
    ratio = 0.0 if subject is None else _subject_extent(strokes) / subject
    if ratio > MAX_SUBJECT_RATIO:
        reduced = max(1.0, MAX_SUBJECT_RATIO - (ratio - MAX_SUBJECT_RATIO) * REDUCTION_SLOPE)
        height, width = (max(1, round(side * reduced / ratio)) for side in size)
        content = _resize(picture, (height, width), channels)
        strokes, inverted, changes = _extract_strokes(_blur(content, deviation))
        changes.append("It was made smaller, to leave a margin as in the training images.")
    return _letterbox(strokes, size, np.zeros(channels), (*picture.notes, *changes), inverted)


def _letterbox(
    content: Floats,
    size: tuple[int, int],
    margin: NDArray[np.floating],
    notes: tuple[str, ...],
    inverted: bool,
) -> Fitted:
    """Centre content (h, w, C) in (H, W), with a margin of one colour."""
    image = np.empty((*size, content.shape[2]), dtype=np.float32)
    image[:] = margin
    (full_height, full_width), (height, width) = size, content.shape[:2]
    top, left = (full_height - height) // 2, (full_width - width) // 2
    image[top : top + height, left : left + width] = content
    if (height, width) != size:
        sides = "around it"
        if width == full_width:
            sides = "above and below"
        elif height == full_height:
            sides = "left and right"
        notes = (*notes, f"It was fitted whole, with margins {sides}.")
    return Fitted(image, notes, inverted)


def _resize(picture: Picture, size: tuple[int, int], channels: int) -> Floats:
    """Resize a picture to (h, w, C) in [0, 1], as large as fits into (H, W)."""
    height, width = picture.pixels.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    target = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(picture.pixels)
    bands = image.convert("L").split() if channels == 1 else image.split()
    # In floating point, so that a thin stroke that is faint after the reduction keeps its shades.
    resized = [band.convert("F").resize(target, Image.Resampling.BICUBIC) for band in bands]
    stacked = np.stack([np.asarray(band) for band in resized], axis=2)
    return np.clip(stacked / np.float32(255), 0, 1)


def _blur(content: Floats, deviation: float) -> Floats:
    """Blur (h, w, C) with a Gaussian of that standard deviation in pixels, repeating the edge."""
    if deviation == 0:
        return content
    radius = int(np.ceil(3 * deviation))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padding = [(radius, radius) if axis == other else (0, 0) for other in range(3)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(content, padding, mode="edge"), len(weights), axis=axis
        )
        content = (windows @ weights).astype(np.float32)
    return content


def _extract_strokes(content: Floats) -> tuple[Floats, bool, list[str]]:
    """Turn (h, w, C) into light strokes on black, stretched to [0, 1].

    Returns:
        The strokes, whether they were dark before, and notes on what was changed.
    """
    difference = content - _fit_background(content)
    dark, light = np.minimum(difference, 0), np.maximum(difference, 0)
    inverted = bool((dark**2).sum() > (light**2).sum())
    strokes = np.maximum(-difference if inverted else difference, 0)
    # Three standard deviations of the border's noise, estimated from its median.
    noise = 3 * 1.4826 * float(np.median(np.abs(_border(difference))))
    strokes = np.maximum(strokes - min(noise, 0.15 * float(strokes.max())), 0)
    positive = strokes[strokes > 0]
    peak = float(np.quantile(positive, 0.98)) if positive.size else 0.0
    if peak < MIN_CONTRAST:
        return strokes, False, ["It is almost uniform: there is little to see in it."]
    notes = []
    if inverted:
        notes.append(
            "Dark strokes on a light background were inverted: the network was trained on light "
            "strokes."
        )
    stretched = np.clip(strokes / peak, 0, 1)
    unchanged = 1 - content if inverted else content
    if float(np.abs(stretched - unchanged).mean()) > 0.01:
        notes.append("Its background was subtracted and its contrast stretched.")
    return stretched.astype(np.float32), inverted, notes


def _fit_background(content: Floats) -> Floats:
    """Estimate the background of (h, w, C): a plane fitted to the border, as light is uneven.

    Pixels that deviate, such as strokes that touch the border, are left out of the fit.
    """
    height, width = content.shape[:2]
    y, x = np.meshgrid(
        np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij", copy=False
    )
    basis = np.stack([np.ones_like(y), y, x], axis=2)
    border_basis, values = _border(basis), _border(content).astype(np.float64)
    coefficients = np.zeros((3, content.shape[2]))
    coefficients[0] = np.median(values, axis=0)
    for _ in range(4):
        residuals = np.abs(values - border_basis @ coefficients).max(axis=1)
        inliers = residuals <= 2.5 * 1.4826 * np.median(residuals) + 0.02
        coefficients = np.linalg.lstsq(border_basis[inliers], values[inliers], rcond=None)[0]
    return np.clip(basis @ coefficients, 0, 1).astype(np.float32)


def _border(image: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the outermost twelfth of (h, w, C) on every side, as (points, C)."""
    height, width = image.shape[:2]
    thickness = max(1, min(height, width) // 12)
    is_inside = np.zeros((height, width), dtype=bool)
    is_inside[thickness : height - thickness, thickness : width - thickness] = True
    return image[~is_inside]


def _subject_extent(strokes: Floats) -> float:
    """Return the longer side of the largest object drawn by strokes (h, w, C), in pixels."""
    values = strokes.mean(axis=2)
    return float(np.mean([_largest_extent(values > threshold) for threshold in INK_THRESHOLDS]))


def _largest_extent(ink: NDArray[np.bool]) -> int:
    """Return the longer side of the largest connected component of ink (h, w), in pixels."""
    height, width = ink.shape
    # Each pixel takes the largest number among its neighbours until components have one number.
    padded = np.zeros((height + 2, width + 2), dtype=np.int64)
    numbers = padded[1:-1, 1:-1]
    numbers[ink] = np.arange(1, np.count_nonzero(ink) + 1)
    while True:
        rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
        spread = np.maximum(np.maximum(rows[:-2], rows[1:-1]), rows[2:]) * ink
        if (spread == numbers).all():
            break
        numbers[:] = spread
    components, counts = np.unique(numbers[ink], return_counts=True)
    if not components.size:
        return 0
    ys, xs = np.nonzero(numbers == components[counts.argmax()])
    return int(max(np.ptp(ys), np.ptp(xs))) + 1
