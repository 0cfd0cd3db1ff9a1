"""Families of transformations: what theta means.

A family is defined by one function, `warp`: points of the output -> points of the input. The
sampling grid, the corners and the lattice that is drawn are all warps of their own points, so they
cannot disagree. Conventions are those of `models.grid`. For finite theta all results are finite.

To add a family: its `apply` here, its fit in `models.inverse_fit`, an entry in `IMPLEMENTATIONS`,
and a row in `models.catalog.families`.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from stnscope.models import grid, inverse_fit
from stnscope.models.inverse_fit import HORIZON

MAX_NEWTON_STEPS = 20
TOLERANCE = 1e-9
"""Maximum residual of `Family.unwarp`, in half sides of the input."""
DIFFERENCE = 1e-4
"""Step of the finite differences, in half sides of the output."""


def _identity(points: Tensor) -> Tensor:
    return points


@dataclass(frozen=True)
class Family:
    """A parametrisation of warps by theta (N, P).

    Points are (M, 2) where all images share them, or (N, M, 2).
    """

    name: str
    identity: tuple[float, ...]
    """The theta that samples the whole input upright; the initial value of a transformer."""
    apply: Callable[[Tensor, Tensor, float], Tensor]
    """theta (N, P), the basis of the points, the input's width divided by its height -> points of
    the input (N, M, 2)."""
    fit: Callable[[Tensor, float], Tensor]
    """Target positions (N, 4, 2) of the output's corners in the input, the input's width divided by
    its height -> the theta (N, P) that matches them best; see `models.inverse_fit`."""
    basis: Callable[[Tensor], Tensor] = _identity
    """Points of the output (..., 2) -> the part of the warp that does not depend on theta,
    (..., B)."""

    @property
    def parameters(self) -> int:
        """P, the length of theta."""
        return len(self.identity)

    def warp(self, theta: Tensor, points: Tensor, aspect: float = 1.0) -> Tensor:
        """Map points of the output to points of the input, (N, M, 2).

        Args:
            theta: (N, P).
            points: (M, 2), or (N, M, 2) for separate points per image.
            aspect: the input's width divided by its height.
        """
        return self.apply(theta, self.basis(points), aspect)

    def unwarp(self, theta: Tensor, points: Tensor, aspect: float = 1.0) -> Tensor:
        """Map points (N, M, 2) of the input to points of the output, by Newton's method.

        Where no point of the output maps to a given point, as beyond a horizon or beside a
        degenerate region, the result is finite but otherwise arbitrary.
        """
        theta, points = theta.double(), points.double()
        corners = self.warp(theta, grid.corners().to(theta), aspect)
        affine = inverse_fit.affine(corners, aspect).view(-1, 2, 3)
        found: Tensor = (points - affine[:, None, :, 2]) @ torch.linalg.pinv(affine[:, :, :2]).mT
        for _ in range(MAX_NEWTON_STEPS):
            residual = points - self.warp(theta, found, aspect)
            if residual.abs().max() < TOLERANCE:
                break
            step = torch.linalg.pinv(self._jacobian(theta, found, aspect)) @ residual[..., None]
            found += step[..., 0].clamp(-1, 1)
        return found

    def _jacobian(self, theta: Tensor, points: Tensor, aspect: float) -> Tensor:
        """Return the warp's derivatives at points (N, M, 2): (N, M, 2, 2), output axis last."""
        steps = DIFFERENCE * torch.eye(2, dtype=points.dtype, device=points.device)
        differences = [
            self.warp(theta, points + step, aspect) - self.warp(theta, points - step, aspect)
            for step in steps
        ]
        return torch.stack(differences, dim=-1) / (2 * DIFFERENCE)


def _affine(theta: Tensor, points: Tensor, aspect: float) -> Tensor:
    """Apply theta, a 2x3 matrix row by row: (x, y) -> (a x + b y + c, d x + e y + f)."""
    matrix = theta.view(-1, 2, 3)
    # One product (M, 2) @ (2, 2N) would need its result transposed; baddbmm does not.
    return torch.baddbmm(
        matrix[:, None, :, 2], points.expand(len(theta), -1, -1), matrix[:, :, :2].transpose(1, 2)
    )


def _attention(theta: Tensor, points: Tensor, aspect: float) -> Tensor:
    """Apply theta, (s, tx, ty): (x, y) -> (s x + tx, s y + ty)."""
    return theta[:, None, :1] * points + theta[:, None, 1:]


def _restricted(theta: Tensor, points: Tensor, aspect: float, *, parts: tuple[str, ...]) -> Tensor:
    """Apply theta, which has, as far as present: an angle in radians, clockwise; a scale; tx, ty.

    Rotation comes first, then scale, then translation, as in Moodstocks/gtsrb.torch. The rotation
    is in the input's pixels, so that an image that is not square is not sheared.
    """
    numbers = iter(theta.unbind(1))
    moved = points.expand(len(theta), -1, -1)
    if "rotation" in parts:
        angle = next(numbers)[:, None]
        x, y = moved.unbind(2)
        cosine, sine = angle.cos(), angle.sin()
        moved = torch.stack([cosine * x - sine / aspect * y, sine * aspect * x + cosine * y], dim=2)
    if "scale" in parts:
        moved = next(numbers)[:, None, None] * moved
    if "translation" in parts:
        moved = moved + torch.stack([*numbers], dim=1)[:, None]
    return moved


def _projective(theta: Tensor, points: Tensor, aspect: float) -> Tensor:
    """Apply theta, a 3x3 matrix row by row without its last entry, which is 1.

    Points at the horizon or within `HORIZON` of it are clamped to that distance.
    """
    matrix = torch.cat([theta, torch.ones_like(theta[:, :1])], dim=1).view(-1, 3, 3)
    homogeneous = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1)
    x, y, depth = (homogeneous @ matrix.transpose(1, 2)).unbind(2)
    limit = torch.where(depth < 0, -HORIZON, HORIZON).to(depth.dtype)
    depth = torch.where(depth.abs() < HORIZON, limit, depth)
    return torch.stack([x / depth, y / depth], dim=2)


def _spline_basis(points: Tensor, side: int) -> Tensor:
    """Return the points and their weight for each control point's shift, (..., 2 + side^2).

    The interpolating thin plate spline of Bookstein, 1989, with control points on a regular lattice
    over the output; solved in float64, once for all images.
    """
    controls = grid.lattice(side).double()
    count = len(controls)
    system = torch.zeros(count + 3, count + 3, dtype=torch.float64)
    system[:count, :count] = radial_basis(controls, controls)
    system[:count, count:] = _linear(controls)
    system[count:, :count] = system[:count, count:].T
    solution = torch.linalg.inv(system)[:, :count]
    exact = points.detach().cpu().double()
    weights = torch.cat([radial_basis(exact, controls), _linear(exact)], dim=-1) @ solution
    return torch.cat([points, weights.to(points)], dim=-1)


def radial_basis(points: Tensor, controls: Tensor) -> Tensor:
    """Return r^2 log r^2 for the distances r to the control points, (..., K); 0 at r = 0."""
    squared = (points[..., None, :] - controls).square().sum(dim=-1)
    logarithms: Tensor = torch.special.xlogy(squared, squared)
    return logarithms


def _linear(points: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(points[..., :1]), points], dim=-1)


def _spline(theta: Tensor, basis: Tensor, aspect: float, *, side: int) -> Tensor:
    """Apply theta, the positions of the control points in the input, (x, y) row by row.

    Points move by the control points' shifts from the lattice, so that the identity theta gives
    exactly the identity.
    """
    points, weights = basis[..., :2], basis[..., 2:]
    shifts = theta.view(len(theta), -1, 2) - grid.lattice(side).to(theta)
    return points + weights @ shifts


RESTRICTIONS = {"rotation": (0.0,), "scale": (1.0,), "translation": (0.0, 0.0)}
"""The parts of the restricted families in the order they are applied, with their identities."""
SPLINE_SIDES = (3, 4, 5)
"""Control points along a side of the lattice; the paper uses four."""


def _restricted_family(parts: tuple[str, ...]) -> Family:
    return Family(
        "-".join(parts),
        tuple(itertools.chain.from_iterable(RESTRICTIONS[part] for part in parts)),
        partial(_restricted, parts=parts),
        partial(inverse_fit.restricted, parts=parts),
    )


def _spline_family(side: int) -> Family:
    return Family(
        f"spline-{side}",
        tuple(grid.lattice(side).flatten().tolist()),
        partial(_spline, side=side),
        partial(inverse_fit.spline, side=side),
        partial(_spline_basis, side=side),
    )


IMPLEMENTATIONS = {
    family.name: family
    for family in (
        Family("affine", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), _affine, inverse_fit.affine),
        Family("attention", (1.0, 0.0, 0.0), _attention, inverse_fit.attention),
        *(
            _restricted_family(parts)
            for count in range(1, len(RESTRICTIONS) + 1)
            for parts in itertools.combinations(RESTRICTIONS, count)
        ),
        Family(
            "projective",
            (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
            _projective,
            inverse_fit.projective,
        ),
        *map(_spline_family, SPLINE_SIDES),
    )
}


def get(name: str) -> Family:
    """Return the family with this name.

    Raises:
        KeyError: there is none; the message lists the names.
    """
    if name not in IMPLEMENTATIONS:
        names = ", ".join(IMPLEMENTATIONS)
        raise KeyError(f"There is no family {name!r}; there are {names}.")
    return IMPLEMENTATIONS[name]
