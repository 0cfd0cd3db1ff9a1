"""Families of transformations: what theta means.

A family is one function, `warp`: points of the output -> points of the input. The sampling grid,
the corners and the lattice that is drawn are all warps of their own points, so they cannot
disagree. Conventions are those of `models.grid`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Warp = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Family:
    """theta (N, P) of one kind, and what it does to points (M, 2)."""

    name: str
    identity: tuple[float, ...]
    """The theta that samples the whole input upright; a transformer starts there."""
    warp: Warp
    """theta (N, P), points of the output (M, 2) -> points of the input (N, M, 2)."""

    @property
    def parameters(self) -> int:
        """P, the numbers in theta."""
        return len(self.identity)


def warp_affine(theta: Tensor, points: Tensor) -> Tensor:
    """theta is a 2x3 matrix row by row: (x, y) -> (a x + b y + c, d x + e y + f)."""
    matrix = theta.view(-1, 2, 3)
    # addmm over (N, 2, 3) as one product: (M, 2) @ (2, 2N) would reorder memory, this does not.
    return torch.baddbmm(
        matrix[:, None, :, 2], points.expand(len(theta), -1, -1), matrix[:, :, :2].transpose(1, 2)
    )


def warp_attention(theta: Tensor, points: Tensor) -> Tensor:
    """theta is (s, tx, ty): (x, y) -> (s x + tx, s y + ty)."""
    return theta[:, None, :1] * points + theta[:, None, 1:]


FAMILIES = {
    family.name: family
    for family in (
        Family("affine", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), warp_affine),
        Family("attention", (1.0, 0.0, 0.0), warp_attention),
    )
}


def get(name: str) -> Family:
    """The family of that name.

    Raises:
        KeyError: there is none; the text lists those that exist.
    """
    if name not in FAMILIES:
        raise KeyError(f"There is no family {name!r}; there are {', '.join(FAMILIES)}.")
    return FAMILIES[name]
