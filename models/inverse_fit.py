"""The theta whose region comes closest to four given corners: a family's warp the other way round.

Each function takes targets (N, 4, 2), where in the input the output's corners are to lie, clockwise
from its top left and normalised, and the input's width by its height; it answers with theta (N, P).
What cannot be met is missed by the least sum of squares over the corners, in pixels. Conventions
are those of `models.grid`, the meaning of each theta is in `models.families`.
"""

import torch
from torch import Tensor

from stnscope.models import grid

HORIZON = 1e-3
"""Least third coordinate of a projective point, which would else lie infinitely far away."""


def affine(targets: Tensor, aspect: float) -> Tensor:
    """Three corners of a parallelogram say where the fourth is; four are met as well as can be."""
    # The output's corners are orthogonal to each other and to one: least squares needs no solver.
    linear = targets.transpose(1, 2) @ _corners(targets) / 4  # (N, 2, 2)
    return torch.cat([linear, targets.mean(dim=1)[..., None]], dim=2).flatten(1)


def attention(targets: Tensor, aspect: float) -> Tensor:
    """Its square corners, upright."""
    return restricted(targets, aspect, parts=("scale", "translation"))


def restricted(targets: Tensor, aspect: float, *, parts: tuple[str, ...]) -> Tensor:
    """The similarity of Umeyama, 1991, in the plane, as far as it is allowed.

    About the output's middle the shift has no part in turn and scale, so each is found alone.
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
    """The homography through all four; where they are no convex quadrilateral, the affine map.

    Through others, part of the region would lie beyond the horizon.
    """
    flat = affine(targets, aspect)
    flat = torch.cat([flat, torch.zeros_like(flat[:, :2])], dim=1)
    through, info = torch.linalg.solve_ex(*_homography(targets))
    depths = through[:, 6:] @ _corners(targets).T + 1  # (N, 4)
    seen = (info == 0) & (depths > HORIZON).all(dim=1)
    return torch.where(seen[:, None], through, flat)


def spline(targets: Tensor, aspect: float, *, side: int) -> Tensor:
    """Control points spread evenly between the corners."""
    controls = grid.lattice(side).to(targets)
    shares = (1 + _corners(targets)[:, None] * controls).prod(dim=2) / 4  # (4, K)
    return torch.einsum("nci,ck->nki", targets, shares).flatten(1)


def _corners(like: Tensor) -> Tensor:
    return grid.corners().to(like)


def _homography(targets: Tensor) -> tuple[Tensor, Tensor]:
    """The equations of a homography's eight numbers, (N, 8, 8) and (N, 8)."""
    corners = _corners(targets).expand(len(targets), -1, -1)
    plane = torch.cat([corners, torch.ones_like(corners[..., :1])], dim=2)  # (N, 4, 3)
    nothing = torch.zeros_like(plane)
    rows = [
        torch.cat([*sides, -targets[..., axis, None] * corners], dim=2)
        for axis, sides in enumerate(((plane, nothing), (nothing, plane)))
    ]
    return torch.cat(rows, dim=1), torch.cat([targets[..., 0], targets[..., 1]], dim=1)
