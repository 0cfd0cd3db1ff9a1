"""The consistency loss: a transformer should give two distortions of an image the same output."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stnscope.models.transformer import Warp

EPSILON = 1e-4
"""Added to the variance, which is 0 for a uniform output."""


def consistency_loss(warps: Sequence[Warp]) -> Tensor:
    """Return the squared difference of paired outputs, relative to their variance, less the latter.

    The first term is 0 for equal outputs and about 1 for unrelated ones, however dim they are. The
    second rewards a region that closes in on its subject; without it regions grow, since a subject
    of few pixels differs less. The mean over pairs and transformers.

    Args:
        warps: of a batch whose second half has the images of the first, distorted otherwise.
    """
    return torch.stack([_loss(warp.output.float()) for warp in warps]).mean()


def _loss(outputs: Tensor) -> Tensor:
    first, second = outputs.flatten(1).chunk(2)
    difference = (first - second).square().mean(dim=1)
    variance = first.var(dim=1) + second.var(dim=1)
    return (difference / (variance + EPSILON) - variance).mean()
