"""Inverse fits: the theta whose region best matches four given corners.

Each function takes targets (N, 4, 2), the target positions of the output's corners in the input,
normalised and clockwise from the output's top left, and the input's width divided by its height; it
returns theta (N, P). Where a family cannot match the corners exactly, the sum of squared distances
over the corners, in pixels, is minimal. Conventions are those of `models.grid`; the meaning of each
theta is in `models.families`.
"""

import torch
from torch import Tensor

from stnscope.models import grid

HORIZON = 1e-3
"""Minimum absolute third coordinate of a projective point, to keep it at a finite distance."""


def affine(targets: Tensor, aspect: float) -> Tensor:
    """Fit a parallelogram to the four corners."""
    # The corners' coordinates are orthogonal to each other and to 1: no solver is needed.
    linear = targets.transpose(1, 2) @ _corners(targets) / 4  # (N, 2, 2)
    return torch.cat([linear, targets.mean(dim=1)[..., None]], dim=2).flatten(1)


def attention(targets: Tensor, aspect: float) -> Tensor:
    """Fit an upright region with the input's aspect ratio."""
    return restricted(targets, aspect, parts=("scale", "translation"))


def restricted(targets: Tensor, aspect: float, *, parts: tuple[str, ...]) -> Tensor:
    """Fit a similarity restricted to the named parts, after Umeyama, 1991.

    The output's corners are centred on the origin, so the translation does not affect rotation and
    scale, and each can be solved by itself.
    """
    pixels = targets.new_tensor([aspect, 1.0])
    source, target = _corners(targets) * pixels, targets * pixels
    along = (source * target).sum(dim=(1, 2))
    across = (source[:, 0] * target[..., 1] - source[:, 1] * target[..., 0]).sum(dim=1)
    numbers = []
    if "rotation" in parts:
        numbers.append(torch.atan2(across, along))
        along = torch.hypot(along, across)
    if "scale" in parts:
        numbers.append(along / source.square().sum())
    if "translation" in parts:
        numbers += targets.mean(dim=1).unbind(1)
    return torch.stack(numbers, dim=1)


def projective(targets: Tensor, aspect: float) -> Tensor:
    """Solve for the homography through all four corners; affine where they are not convex.

    A homography through other corners would place part of the region beyond the horizon.
    """
    fallback = affine(targets, aspect)
    fallback = torch.cat([fallback, torch.zeros_like(fallback[:, :2])], dim=1)
    exact, info = torch.linalg.solve_ex(*_homography(targets))
    depths = exact[:, 6:] @ _corners(targets).T + 1  # (N, 4)
    is_valid = (info == 0) & (depths > HORIZON).all(dim=1)
    return torch.where(is_valid[:, None], exact, fallback)


def spline(targets: Tensor, aspect: float, *, side: int) -> Tensor:
    """Interpolate the control points bilinearly between the corners."""
    controls = grid.lattice(side).to(targets)
    weights = (1 + _corners(targets)[:, None] * controls).prod(dim=2) / 4  # (4, K)
    return torch.einsum("nci,ck->nki", targets, weights).flatten(1)


def _corners(like: Tensor) -> Tensor:
    return grid.corners().to(like)


def _homography(targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the linear system of a homography's eight parameters, (N, 8, 8) and (N, 8)."""
    corners = _corners(targets).expand(len(targets), -1, -1)
    plane = torch.cat([corners, torch.ones_like(corners[..., :1])], dim=2)  # (N, 4, 3)
    zeros = torch.zeros_like(plane)
    rows = [
        torch.cat([*sides, -targets[..., axis, None] * corners], dim=2)
        for axis, sides in enumerate(((plane, zeros), (zeros, plane)))
    ]
    return torch.cat(rows, dim=1), torch.cat([targets[..., 0], targets[..., 1]], dim=1)
