"""The inverse warp: outputs of transformers pasted back where they were sampled from.

The same as `dashboard/assets/geometry/inverse-warp.js` draws.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIMMED = 0.3
"""The brightness of input pixels that were not sampled."""
AFFINE_TOLERANCE = 1e-3
"""Pixels that a lattice may differ from an affine one, whose cells are pasted all at once."""

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def inverse_warp(image: Pixels, outputs: Sequence[tuple[Pixels, Floats]]) -> Pixels:
    """Paste outputs over a dimmed input (H, W, C).

    Args:
        image: the input.
        outputs: each (h, w, C) with the lattice (n, n, 2) that it was sampled at, in pixels of the
            input; in the order in which they are pasted.
    """
    depth = max(image.shape[2], *(output.shape[2] for output, _ in outputs))
    pasted = np.broadcast_to(image * DIMMED, (*image.shape[:2], depth)).astype(np.uint8)
    for output, lattice in outputs:
        if np.isfinite(lattice).all():
            _paste(pasted, output, lattice.astype(np.float64))
    return pasted


def _paste(pasted: Pixels, output: Pixels, lattice: Floats) -> None:
    end = len(lattice) - 1
    origin, right, down = lattice[0, 0], lattice[0, end], lattice[end, 0]
    shares = np.linspace(0, 1, end + 1)
    affine = (
        origin + shares[None, :, None] * (right - origin) + shares[:, None, None] * (down - origin)
    )
    if np.abs(affine - lattice).max() < AFFINE_TOLERANCE:
        uv = np.array([[0, 0], [1, 0], [0, 1]], np.float64)
        _fill_cell(pasted, output, np.stack([origin, right, down]), uv, is_square=True)
        return
    for row, column in np.ndindex(end, end):
        cell = lattice[row : row + 2, column : column + 2].reshape(4, 2)
        uv = (
            np.array([[column, row], [column + 1, row], [column, row + 1], [column + 1, row + 1]])
            / end
        )
        for corners in ([0, 1, 3], [0, 3, 2]):
            _fill_cell(pasted, output, cell[corners], uv[corners], is_square=False)


def _fill_cell(
    pasted: Pixels, output: Pixels, corners: Floats, uv: Floats, *, is_square: bool
) -> None:
    """Fill the pixels whose centres are in a triangle, or in the parallelogram of its sides."""
    p, q, r = corners
    area = (q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1])
    if area == 0:
        return
    reached = np.vstack([corners, q + r - p]) if is_square else corners
    height, width = pasted.shape[:2]
    low = np.ceil(reached.min(axis=0) - 0.5).clip(0, [width, height]).astype(int)
    high = np.floor(reached.max(axis=0) - 0.5).clip(-1, [width - 1, height - 1]).astype(int)
    y, x = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
    dx, dy = x + 0.5 - p[0], y + 0.5 - p[1]
    a = (dx * (r[1] - p[1]) - (r[0] - p[0]) * dy) / area
    b = ((q[0] - p[0]) * dy - dx * (q[1] - p[1])) / area
    inside = (a >= 0) & (b >= 0) & ((a <= 1) & (b <= 1) if is_square else a + b <= 1)
    a, b = a[inside], b[inside]
    u = uv[0, 0] + a * (uv[1, 0] - uv[0, 0]) + b * (uv[2, 0] - uv[0, 0])
    v = uv[0, 1] + a * (uv[1, 1] - uv[0, 1]) + b * (uv[2, 1] - uv[0, 1])
    pasted[y[inside], x[inside]] = _sample(output, u, v)


def _sample(output: Pixels, u: Floats, v: Floats) -> Pixels:
    """Return the output's values (M, C) at shares of its width and height, bilinearly."""
    height, width = output.shape[:2]
    x, y = (u * width - 0.5).clip(0, width - 1), (v * height - 0.5).clip(0, height - 1)
    left, top = x.astype(int), y.astype(int)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[:, None], (y - top)[:, None]
    pixels = output.astype(np.float64)
    upper = pixels[top, left] + across * (pixels[top, right] - pixels[top, left])
    lower = pixels[below, left] + across * (pixels[below, right] - pixels[below, left])
    blended: Pixels = (upper + down * (lower - upper) + 0.5).astype(np.uint8)
    return blended
