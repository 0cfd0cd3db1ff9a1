"""Stillness: how much a transformer's output changes over time relative to its input.

For one probe it is computed over the last `WINDOW` frames: the ratio of the output's standard
deviation over time to that over space, divided by the same ratio of the input, resized to the
output. Low is good; the identity has 1. Without torch.

T frames, N probes, (H, W) input size, (h, w) output size, C channels.
"""

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.frames.frame import Array, Frame

WINDOW = 30
"""Frames."""
EPSILON = 1e-9

Floats = NDArray[np.float64]


class Stillness:
    """Computes the stillness of a run's first transformer, frame by frame."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._inputs, self._outputs = _Window(), _Window()
        self._valid: deque[NDArray[np.bool_]] = deque(maxlen=WINDOW)

    def add(self, frame: Frame) -> float | None:
        """Add the next frame, with its input; return the mean over the initial probes.

        Returns:
            None if it is undefined: the probes do not move, have moved for fewer than `WINDOW`
            consecutive frames, there is no transformer, or the regions of all probes collapsed in
            one of them. The mean excludes probes whose region collapsed.
        """
        if not (frame.info.get("moving") and frame.transformers):
            self._clear()
            return None
        name = frame.transformers[0]
        # Adding a picture must not change the stillness.
        output = frame.tensors[f"output.{name}"][: frame.initial_probes]
        reasons = frame.info["collapsed"][name][: frame.initial_probes]
        self._outputs.add(output.astype(np.float64))
        self._inputs.add(resize(frame.tensors["input"][: frame.initial_probes], output.shape[1:3]))
        self._valid.append(np.array([reason is None for reason in reasons]))
        if len(self._valid) < WINDOW:
            return None
        output_ratio = self._outputs.temporal_ratio()
        input_ratio = self._inputs.temporal_ratio()
        valid = np.logical_and.reduce(self._valid) & np.isfinite(output_ratio)
        valid &= input_ratio > EPSILON
        return float((output_ratio[valid] / input_ratio[valid]).mean()) if valid.any() else None


class _Window:
    """Sums of the last `WINDOW` images (N, h, w, C), of their squares and their variances."""

    def __init__(self) -> None:
        self._images: deque[tuple[Floats, Floats]] = deque()
        """Images and their variances."""
        self._sums: list[Floats] = []

    def add(self, images: Floats) -> None:
        latest = (images, images.var(axis=(1, 2, 3)))
        self._images.append(latest)
        added = _summands(*latest)
        sums = self._sums or [np.zeros_like(summand) for summand in added]
        self._sums = [total + summand for total, summand in zip(sums, added, strict=True)]
        if len(self._images) > WINDOW:
            removed = _summands(*self._images.popleft())
            self._sums = [
                total - summand for total, summand in zip(self._sums, removed, strict=True)
            ]

    def temporal_ratio(self) -> Floats:
        """Return standard deviation over time / that over space, (N,); NaN for uniform images."""
        mean, mean_square, spatial = (total / len(self._images) for total in self._sums)
        temporal = (mean_square - mean**2).clip(min=0).mean(axis=(1, 2, 3))
        return np.asarray(np.sqrt(temporal / np.where(spatial > EPSILON, spatial, np.nan)))


def _summands(images: Floats, variances: Floats) -> tuple[Floats, Floats, Floats]:
    return images, images**2, variances


def resize(images: Array, size: tuple[int, ...]) -> Floats:
    """Resize images (N, H, W, C) to (h, w); each pixel is the mean of the area it covers."""
    rows, columns = (_area_weights(*sides) for sides in zip(images.shape[1:3], size, strict=True))
    return np.asarray(rows @ (images.transpose(0, 3, 1, 2) @ columns.T)).transpose(0, 2, 3, 1)


@cache
def _area_weights(old_side: int, new_side: int) -> Floats:
    """Return the weight of each old pixel in each new one, (new_side, old_side)."""
    edges = np.arange(new_side + 1) * (old_side / new_side)
    pixels = np.arange(old_side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(overlap.clip(min=0) * (new_side / old_side))
