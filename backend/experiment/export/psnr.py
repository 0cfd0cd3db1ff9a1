"""The error of lossy compression: peak signal-to-noise ratio."""

import math

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.export.options import FileInfo


class Psnr:
    """The ratio over all frames, from the mean squared error of their RGB levels."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> None:
        """Add a frame before and after, (H, W, 3)."""
        difference = original.astype(np.int16) - decoded
        self._sum += float(np.square(difference, dtype=np.int32).sum(dtype=np.int64))
        self._count += original.size

    @property
    def decibels(self) -> float:
        """The ratio; infinite if nothing was lost."""
        if not self._sum:
            return math.inf
        return 10 * math.log10(255**2 * self._count / self._sum)

    @property
    def sentence(self) -> str:
        """The ratio as a sentence."""
        if math.isinf(self.decibels):
            return "PSNR: exact."
        return f"PSNR: {self.decibels:.1f} dB."

    @property
    def info(self) -> FileInfo:
        """The ratio as information about a file."""
        return {"psnr": None if math.isinf(self.decibels) else round(self.decibels, 1)}
