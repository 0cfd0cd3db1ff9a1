"""The spatial transformer: it decides where to look, and hands on what it sees there."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stnscope.models import grid
from stnscope.models.families import Family


class Warp(NamedTuple):
    """What one transformer did to a batch."""

    theta: Tensor
    """(N, P), the family's numbers."""
    grid: Tensor
    """(N, h, w, 2), where each output pixel's centre lies in the input, normalised."""
    output: Tensor
    """(N, C, h, w), what was sampled there."""


class Sampler(nn.Module):
    """Samples its input where it is told to.

    Args:
        name: what frames call it.
        family: what theta means.
        size: height and width of the output in pixels.
        outside: what there is outside the input.
        samples: along each side of an output pixel; more than one where the output is much smaller
            than its region, which would else alias.
    """

    centres: Tensor
    fine: Tensor

    def __init__(
        self,
        name: str,
        family: Family,
        size: tuple[int, int],
        *,
        outside: grid.Outside = 0.0,
        samples: int = 1,
    ) -> None:
        super().__init__()
        self.name = name
        self.family = family
        self.size = size
        self.outside = outside
        self.outside_shown = outside
        """What there is outside a picture that it shows, in that picture's tones."""
        self.samples = samples
        # Made once; they follow from the rest, so they are no part of the weights.
        self.register_buffer("centres", self._basis(1), persistent=False)
        self.register_buffer("fine", self._basis(samples), persistent=False)

    def _basis(self, samples: int) -> Tensor:
        """Of the output's pixel centres, or of so many points along each pixel's sides."""
        return self.family.basis(grid.pixel_centres(*(samples * side for side in self.size)))

    def sample_with(
        self,
        *,
        outside: grid.Outside | None = None,
        outside_shown: grid.Outside | None = None,
        samples: int | None = None,
    ) -> None:
        """Changes how it samples; what is None stays as it is.

        Args:
            outside: what there is outside its input.
            outside_shown: the same outside a picture that it shows, which has tones of its own.
            samples: along each side of an output pixel.
        """
        if outside is not None:
            self.outside = outside
        if outside_shown is not None:
            self.outside_shown = outside_shown
        if samples is not None:
            self.samples = samples
            self.fine = self._basis(samples).to(self.fine)

    def warp(self, images: Tensor, theta: Tensor) -> Warp:
        """Warps images (N, C, H, W) by theta (N, P)."""
        # In half precision a grid could not tell neighbouring pixels apart.
        with torch.autocast(images.device.type, enabled=False):
            theta = theta if theta.dtype == torch.float64 else theta.float()
            where = self._grid(theta, self.centres, images, 1)
            return Warp(theta, where, self._read(images, theta, where, self.outside))

    def show(self, images: Tensor, warp: Warp) -> Tensor:
        """What a warp of this transformer shows of images (N, C, H, W) other than its own."""
        return self._read(images, warp.theta, warp.grid, self.outside_shown)

    def _read(self, images: Tensor, theta: Tensor, where: Tensor, outside: grid.Outside) -> Tensor:
        if self.samples > 1:
            where = self._grid(theta, self.fine, images, self.samples)
        read = grid.sample(images.to(where.dtype), where, outside=outside)
        return grid.average(read, self.samples).to(images.dtype)

    def _grid(self, theta: Tensor, basis: Tensor, images: Tensor, samples: int) -> Tensor:
        """(N, samples h, samples w, 2), where in the input the points of a basis lie."""
        height, width = images.shape[-2:]
        points = self.family.apply(theta, basis, width / height)
        return points.view(-1, samples * self.size[0], samples * self.size[1], 2)


class Regression(nn.Linear):
    """Features (N, F) -> theta (N, P), by numbers that start as the identity's.

    So a transformer starts by handing on the whole input, and moves only as gradients ask it to.
    """

    def __init__(self, features: int, family: Family) -> None:
        super().__init__(features, family.parameters)
        nn.init.zeros_(self.weight)
        with torch.no_grad():
            self.bias.copy_(torch.tensor(family.identity))


class SpatialTransformer(Sampler):
    """Samples its input on a grid that a localisation network chooses for each image.

    Args:
        name, family, size, outside, samples: as of `Sampler`.
        localisation: images (N, C, H, W) -> features (N, F).
        features: F.
    """

    def __init__(
        self,
        name: str,
        family: Family,
        localisation: nn.Module,
        features: int,
        size: tuple[int, int],
        *,
        outside: grid.Outside = 0.0,
        samples: int = 1,
    ) -> None:
        super().__init__(name, family, size, outside=outside, samples=samples)
        self.localisation = localisation
        self.regression = Regression(features, family)

    def forward(self, images: Tensor, theta: Tensor | None = None) -> Warp:
        """Warps images (N, C, H, W), by theta (N, P) in place of what it would choose itself."""
        if theta is None:
            theta = self.regression(self.localisation(images))
        return self.warp(images, theta)
