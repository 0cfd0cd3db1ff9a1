"""The spatial transformer: it decides where to look, and hands on what it sees there."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models import grid
from models.families import Family


class Warp(NamedTuple):
    """What one transformer did to a batch."""

    theta: Tensor
    """(N, P), the family's numbers."""
    grid: Tensor
    """(N, h, w, 2), where each output pixel's centre lies in the input, normalised."""
    output: Tensor
    """(N, C, h, w), what was sampled there."""


class Prediction(NamedTuple):
    """What a network says about a batch, and where its transformers looked to say it."""

    logits: Tensor
    """(N, K)."""
    warps: tuple[Warp, ...]
    """One for each transformer, in the order in which they act; empty without any."""


class SpatialTransformer(nn.Module):
    """Samples its input on a grid that a localisation network chooses for each image.

    Args:
        name: what frames call it.
        family: what theta means.
        localisation: images (N, C, H, W) -> features (N, F).
        features: F.
        size: height and width of the output in pixels.
    """

    centres: Tensor

    def __init__(
        self,
        name: str,
        family: Family,
        localisation: nn.Module,
        features: int,
        size: tuple[int, int],
    ) -> None:
        super().__init__()
        self.name = name
        self.family = family
        self.size = size
        self.localisation = localisation
        self.regression = nn.Linear(features, family.parameters)
        # It starts by handing on the whole input, and moves only as gradients ask it to.
        nn.init.zeros_(self.regression.weight)
        with torch.no_grad():
            self.regression.bias.copy_(torch.tensor(family.identity))
        self.register_buffer("centres", grid.pixel_centres(*size), persistent=False)

    def forward(self, images: Tensor) -> Warp:
        """Warps images (N, C, H, W)."""
        theta = self.regression(self.localisation(images))  # (N, P)
        points = self.family.warp(theta, self.centres)  # (N, h * w, 2)
        where = points.view(-1, *self.size, 2)  # (N, h, w, 2)
        return Warp(theta, where, grid.sample(images, where))
