"""The consistency loss: two distortions of an image shall give the same output of a transformer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stnscope.models.transformer import Warp

EPSILON = 1e-4
"""Added to the variance, which is 0 for a uniform output."""


def consistency_loss(warps: Sequence[Warp]) -> Tensor:
    """Return the squared difference of paired outputs in units of their variance.

    0 for equal outputs, about 1 for unrelated ones; the mean over pairs and transformers. Relative
    to the variance, because a region that grows or leaves its subject lowers both.

    Args:
        warps: of a batch whose second half has the images of the first, distorted otherwise.
    """
    return torch.stack([_relative_difference(warp.output) for warp in warps]).mean()


def _relative_difference(outputs: Tensor) -> Tensor:
    first, second = outputs.float().flatten(1).chunk(2)
    difference = (first - second).square().mean(dim=1)
    variance = first.var(dim=1) + second.var(dim=1) + EPSILON
    return (difference / variance).mean()
