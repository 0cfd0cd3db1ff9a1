"""The spatial transformer: predicts theta from its input and samples the input on that grid."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stnscope.models import grid
from stnscope.models.families import Family
from stnscope.models.precision import autocast


class Warp(NamedTuple):
    """The result of one transformer on a batch."""

    theta: Tensor
    """(N, P), the family's parameters."""
    grid: Tensor
    """(N, h, w, 2), the position of each output pixel's centre in the input, normalised."""
    output: Tensor
    """(N, C, h, w), the sampled values."""
    samples: Tensor
    """(N, k h, k w, 2), the sampled points: `grid`, or k x k around each of its points."""


class Sampler(nn.Module):
    """Samples its input on the grid that theta describes.

    Args:
        name: of the transformer, as in frames.
        family: defines what theta means.
        size: height and width of the output in pixels.
        padding: what is sampled outside the input.
        supersampling: samples along each side of an output pixel; more than one prevents aliasing
            where the output is much smaller than its region.
    """

    basis: Tensor
    fine_basis: Tensor

    def __init__(
        self,
        name: str,
        family: Family,
        size: tuple[int, int],
        *,
        padding: grid.Padding = 0.0,
        supersampling: int = 1,
    ) -> None:
        super().__init__()
        self.name = name
        self.family = family
        self.size = size
        self.padding = padding
        self.image_padding = padding
        """The padding in the values of the network's input, which `resample` uses."""
        self.supersampling = supersampling
        # Computed once. They follow from the arguments, so they are not saved with the weights.
        self.register_buffer("basis", self._compute_basis(1), persistent=False)
        self.register_buffer("fine_basis", self._compute_basis(supersampling), persistent=False)

    def _compute_basis(self, supersampling: int) -> Tensor:
        """Return the family's basis at the output's (sub)pixel centres."""
        return self.family.basis(grid.pixel_centres(*(supersampling * side for side in self.size)))

    def configure_sampling(
        self,
        *,
        padding: grid.Padding | None = None,
        image_padding: grid.Padding | None = None,
        supersampling: int | None = None,
    ) -> None:
        """Change how this transformer samples; None leaves a setting as it is.

        Args:
            padding: outside its input.
            image_padding: the same in the values of the network's input; differs from `padding`
                behind layers that normalise.
            supersampling: samples along each side of an output pixel.
        """
        if padding is not None:
            self.padding = padding
        if image_padding is not None:
            self.image_padding = image_padding
        if supersampling is not None:
            self.supersampling = supersampling
            self.fine_basis = self._compute_basis(supersampling).to(self.fine_basis)

    def warp(self, images: Tensor, theta: Tensor) -> Warp:
        """Warp images (N, C, H, W) by theta (N, P)."""
        # In half precision the grid could not resolve neighbouring pixels.
        with autocast(images.device, is_enabled=False):
            theta = theta if theta.dtype == torch.float64 else theta.float()
            points = samples = self._compute_grid(theta, self.basis, images, 1)
            if self.supersampling > 1:
                samples = self._compute_grid(theta, self.fine_basis, images, self.supersampling)
            return Warp(theta, points, self._sample(images, samples, self.padding), samples)

    def resample(self, images: Tensor, warp: Warp) -> Tensor:
        """Apply an existing warp of this transformer to other images (N, C, H, W)."""
        return self._sample(images, warp.samples, self.image_padding)

    def _sample(self, images: Tensor, points: Tensor, padding: grid.Padding) -> Tensor:
        samples = grid.sample(images.to(points.dtype), points, padding=padding)
        return grid.average(samples, self.supersampling).to(images.dtype)

    def _compute_grid(
        self, theta: Tensor, basis: Tensor, images: Tensor, supersampling: int
    ) -> Tensor:
        """Return the basis points' positions in the input, (N, k h, k w, 2), k supersampling."""
        height, width = images.shape[-2:]
        points = self.family.apply(theta, basis, width / height)
        return points.view(-1, supersampling * self.size[0], supersampling * self.size[1], 2)


class Regression(nn.Linear):
    """Features (N, F) -> theta (N, P), initialised to the identity.

    So an untrained transformer outputs its whole input, as in Jaderberg et al., 2015.
    """

    def __init__(self, features: int, family: Family) -> None:
        super().__init__(features, family.parameters)
        nn.init.zeros_(self.weight)
        with torch.no_grad():
            self.bias.copy_(torch.tensor(family.identity))


class SpatialTransformer(Sampler):
    """Samples its input on a grid that a localisation network predicts for each image.

    Jaderberg et al., 2015 (arXiv 1506.02025), sec. 3.

    Args:
        name, family, size, padding, supersampling: as for `Sampler`.
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
        padding: grid.Padding = 0.0,
        supersampling: int = 1,
    ) -> None:
        super().__init__(name, family, size, padding=padding, supersampling=supersampling)
        self.localisation = localisation
        self.regression = Regression(features, family)

    def predict(self, images: Tensor) -> Tensor:
        """Return theta (N, P) for images (N, C, H, W), in single precision under autocast too."""
        features = self.localisation(images)
        with autocast(images.device, is_enabled=False):
            theta: Tensor = self.regression(features.to(self.regression.weight.dtype))
        return theta

    def forward(self, images: Tensor, theta: Tensor | None = None) -> Warp:
        """Warp images (N, C, H, W) by the predicted theta, or by the given one (N, P)."""
        if theta is None:
            theta = self.predict(images)
        return self.warp(images, theta)
