"""How still a transformer's output stands while its input moves, as one number.

For one probe, over the last `WINDOW` frames: the standard deviation over time divided by that over
space, of the output, and this divided by the same of the input resized to it. Low is good; 1 is no
better than handing the input on as it is. Without torch.

T frames, N probes, (H, W) input size, (h, w) output size, C channels.
"""

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.frames.frame import Array, Frame

WINDOW = 30
TINY = 1e-9

Floats = NDArray[np.float64]


class Stillness:
    """Follows the first transformer of a run, frame by frame."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._inputs, self._outputs = _Window(), _Window()
        self._sound: deque[NDArray[np.bool_]] = deque(maxlen=WINDOW)

    def add(self, frame: Frame) -> float | None:
        """Takes in the next frame, with its input; answers with the mean over the run's own probes.

        Returns:
            None where it is undefined: the frame does not move, fewer than `WINDOW` that do have
            come in a row, there is no transformer, or all probes have collapsed in the meantime.
            A probe that has is left out of the mean.
        """
        if not (frame.info.get("moving") and frame.transformers):
            self._clear()
            return None
        name = frame.transformers[0]
        # Pictures that joined are left out: the number goes on as if they had not.
        output = frame.tensors[f"output.{name}"][: frame.own]
        reasons = frame.info["collapsed"][name][: frame.own]
        self._outputs.add(output.astype(np.float64))
        self._inputs.add(resized(frame.tensors["input"][: frame.own], output.shape[1:3]))
        self._sound.append(np.array([reason is None for reason in reasons]))
        if len(self._sound) < WINDOW:
            return None
        unrest, given = self._outputs.unrest(), self._inputs.unrest()
        sound = np.logical_and.reduce(self._sound) & np.isfinite(unrest) & (given > TINY)
        return float((unrest[sound] / given[sound]).mean()) if sound.any() else None


class _Window:
    """Sums over the last `WINDOW` images (N, h, w, C), of their squares and their variances."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Floats, Floats]] = deque()
        self._sums: list[Floats] = []

    def add(self, images: Floats) -> None:
        now = (images, images.var(axis=(1, 2, 3)))
        self._kept.append(now)
        terms = _terms(*now)
        sums = self._sums or [np.zeros_like(term) for term in terms]
        self._sums = [a + b for a, b in zip(sums, terms, strict=True)]
        if len(self._kept) > WINDOW:
            gone = _terms(*self._kept.popleft())
            self._sums = [a - b for a, b in zip(self._sums, gone, strict=True)]

    def unrest(self) -> Floats:
        """Each probe's deviation over time by that over space, (N,); NaN where all is one tone."""
        mean, square, over_space = (total / len(self._kept) for total in self._sums)
        over_time = (square - mean**2).clip(min=0).mean(axis=(1, 2, 3))
        return np.asarray(np.sqrt(over_time / np.where(over_space > TINY, over_space, np.nan)))


def _terms(images: Floats, variances: Floats) -> tuple[Floats, Floats, Floats]:
    return images, images**2, variances


def resized(images: Array, size: tuple[int, ...]) -> Floats:
    """Images (N, H, W, C) at another size (h, w); each pixel the mean of the area it covers."""
    rows, columns = (_areas(*sides) for sides in zip(images.shape[1:3], size, strict=True))
    return np.asarray(rows @ (images.transpose(0, 3, 1, 2) @ columns.T)).transpose(0, 2, 3, 1)


@cache
def _areas(before: int, after: int) -> Floats:
    """(after, before): what share each pixel before has of each one after."""
    edges = np.arange(after + 1) * (before / after)
    pixels = np.arange(before)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(covered.clip(min=0) * (after / before))
