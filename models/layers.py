"""Layers that several networks are made of, beyond those of torch. N images, C channels, H x W."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from stnscope.models import grid
from stnscope.models.receptive_field import Pointwise


class Peaks(nn.Module):
    """Where each map is lit: maps (N, C, H, W) -> the mean x and y of each, (N, 2 C).

    The mean is weighted by a softmax over the map, whose sharpness is learnt for each channel.
    """

    points: Tensor

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.ones(channels, 1))
        self.register_buffer("points", grid.pixel_centres(height, width), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        weights = (maps.flatten(2) * self.sharpness).softmax(dim=2)  # (N, C, H * W)
        return (weights @ self.points).flatten(1)


class GlobalContrast(Pointwise):
    """Takes one mean from all values and divides them by one deviation, those of a data set."""

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.deviation = mean, deviation

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.deviation

    def of_even(self, tone: float) -> float:
        return (tone - self.mean) / self.deviation


class LocalContrast(Pointwise):
    """Takes from each pixel the mean around it, and divides it by the deviation around it.

    Over all channels at once; at the edge over what there is. The SpatialContrastiveNormalization
    of Torch7, after Jarrett et al., 2009. There is nothing to learn in it.

    Args:
        window: weights around a pixel, (k, k) with k odd.
    """

    THRESHOLD = 1e-4
    """Least deviation."""

    window: Tensor

    def __init__(self, window: Tensor) -> None:
        super().__init__()
        self.register_buffer("window", (window / window.sum())[None, None], persistent=False)

    @classmethod
    def gaussian(cls, side: int) -> "LocalContrast":
        """Weights of a Gaussian whose deviation is a quarter of the window's side."""
        ticks = (torch.arange(side) - (side - 1) / 2) / (side / 4)
        line = torch.exp(-ticks.square() / 2)
        return cls(torch.outer(line, line))

    @classmethod
    def box(cls, side: int) -> "LocalContrast":
        """Equal weights."""
        return cls(torch.ones(side, side))

    def forward(self, images: Tensor) -> Tensor:
        there = self._around(torch.ones_like(images[:1, :1]))
        centred = images - self._around(images.mean(dim=1, keepdim=True)) / there
        variance = self._around(centred.square().mean(dim=1, keepdim=True)) / there
        # Held before the root, whose slope at 0 is infinite.
        return centred / variance.clamp(min=self.THRESHOLD**2).sqrt()

    def of_even(self, tone: float) -> float:
        return 0.0

    def _around(self, values: Tensor) -> Tensor:
        """Weighted sums of (N, 1, H, W), zeros outside."""
        return functional.conv2d(values, self.window, padding=self.window.shape[-1] // 2)


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3), which maps -1 and 1 to themselves (LeCun et al., 1998)."""

    def forward(self, values: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(values * (2 / 3))


class Heads(nn.Linear):
    """Features (N, F) -> a class for each of several places, (N, T, K)."""

    def __init__(self, features: int, places: int, classes: int) -> None:
        super().__init__(features, places * classes)
        self.places = places

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features).view(len(features), self.places, -1)


def uniform(layers: nn.Sequential, reach: float) -> nn.Sequential:
    """The layers, their weights drawn evenly from -reach to reach, their biases 0."""
    for each in layers.modules():
        if isinstance(each, nn.Conv2d | nn.Linear):
            nn.init.uniform_(each.weight, -reach, reach)
            nn.init.zeros_(cast("Tensor", each.bias))
    return layers


def he(layers: nn.Sequential) -> nn.Sequential:
    """The layers, their weights drawn as He et al., 2015, draw them for rectifiers."""
    for each in layers.modules():
        if isinstance(each, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(each.weight, nonlinearity="relu")
            nn.init.zeros_(cast("Tensor", each.bias))
    return layers


def convolution(inputs: int, outputs: int, kernel: int, padding: int = 0) -> nn.Sequential:
    """A convolution, a rectifier, and the largest of each 2x2."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2)
    )
