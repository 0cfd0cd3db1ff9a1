"""Layers that torch does not have, shared by several networks. N images, C channels, H x W."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from stnscope.models import grid
from stnscope.models.precision import autocast
from stnscope.models.receptive_field import Pointwise


class SpatialSoftArgmax(nn.Module):
    """Maps (N, C, H, W) -> the expected x and y of each under its spatial softmax, (N, 2 C).

    As in Levine et al., 2016; the softmax's sharpness (inverse temperature) is learnt per channel.
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
    """Standardises all values by a data set's mean and standard deviation."""

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.deviation = mean, deviation

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.deviation

    def constant_response(self, value: float) -> float:
        return (value - self.mean) / self.deviation


class LocalContrast(Pointwise):
    """Subtracts the mean of each pixel's window and divides by the window's standard deviation.

    Over all channels together; at the edges over the part of the window inside the image. The
    SpatialContrastiveNormalization of Torch7, after Jarrett et al., 2009. It has no parameters.

    Args:
        window: weights of a pixel's neighbourhood, (k, k) with k odd.
    """

    THRESHOLD = 1e-4
    """Minimum standard deviation."""

    window: Tensor

    def __init__(self, window: Tensor) -> None:
        super().__init__()
        self.register_buffer("window", (window / window.sum())[None, None], persistent=False)

    @classmethod
    def gaussian(cls, side: int) -> "LocalContrast":
        """Return a layer with Gaussian weights, their deviation a quarter of the window's side."""
        ticks = (torch.arange(side) - (side - 1) / 2) / (side / 4)
        line = torch.exp(-ticks.square() / 2)
        return cls(torch.outer(line, line))

    @classmethod
    def box(cls, side: int) -> "LocalContrast":
        """Return a layer with equal weights."""
        return cls(torch.ones(side, side))

    def forward(self, images: Tensor) -> Tensor:
        # Half precision would leave little of the small differences from the mean.
        with autocast(images.device, is_enabled=False):
            images = images.to(self.window.dtype)
            coverage = self._window_sums(torch.ones_like(images[:1, :1]))
            centred = images - self._window_sums(images.mean(dim=1, keepdim=True)) / coverage
            variance = self._window_sums(centred.square().mean(dim=1, keepdim=True)) / coverage
            # Clamped before the root, whose derivative at 0 is infinite.
            return centred / variance.clamp(min=self.THRESHOLD**2).sqrt()

    def constant_response(self, value: float) -> float:
        return 0.0

    def _window_sums(self, values: Tensor) -> Tensor:
        """Return weighted sums over windows of (N, 1, H, W), zero-padded."""
        return functional.conv2d(values, self.window, padding=self.window.shape[-1] // 2)


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3), which maps -1 and 1 to themselves (LeCun et al., 1998)."""

    def forward(self, values: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(values * (2 / 3))


class SequenceHead(nn.Linear):
    """Features (N, F) -> logits for a sequence of labels, (N, T, K)."""

    def __init__(self, features: int, length: int, classes: int) -> None:
        super().__init__(features, length * classes)
        self.length = length

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features).view(len(features), self.length, -1)


def init_uniform(layers: nn.Sequential, bound: float) -> nn.Sequential:
    """Initialise weights uniformly in [-bound, bound] and biases to 0; return the layers."""
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(cast("Tensor", layer.bias))
    return layers


def init_he(layers: nn.Sequential) -> nn.Sequential:
    """Initialise weights as He et al., 2015, for ReLU, and biases to 0; return the layers."""
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(cast("Tensor", layer.bias))
    return layers


def convolution(inputs: int, outputs: int, kernel: int, padding: int = 0) -> nn.Sequential:
    """Return a convolution, a ReLU and 2x2 max pooling."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2)
    )
