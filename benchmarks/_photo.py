"""Synthetic pictures that are as hard to decode and encode as photographs."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def photo(height: int, width: int, softness: float = 1.0) -> Pixels:
    """Return colour noise (H, W, 3) with the spectrum of photographs, amplitude 1 / frequency.

    Args:
        softness: the exponent of the frequency; above 1 there is less detail than in photographs.
    """
    generator = np.random.default_rng(0)
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    amplitude = 1 / np.maximum(np.hypot(down, across), 1 / min(height, width)) ** softness
    return np.stack([_band(generator, amplitude, (height, width)) for _ in range(3)], axis=2)


def _band(
    generator: np.random.Generator, amplitude: NDArray[np.floating], size: tuple[int, int]
) -> Pixels:
    noise = np.fft.rfft2(generator.normal(size=size)) * amplitude
    shaped = np.fft.irfft2(noise, s=size)
    low, high = np.quantile(shaped, [0.01, 0.99])
    return np.asarray(np.clip((shaped - low) / (high - low), 0, 1) * 255, dtype=np.uint8)
