"""Families of transformations: what theta means.

A family is one function, `warp`: points of the output -> points of the input. The sampling grid,
the corners and the lattice that is drawn are all warps of their own points, so they cannot
disagree. Conventions are those of `models.grid`. Whatever theta is, what comes out is finite as
long as theta is.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from stnscope.models import grid, inverse_fit
from stnscope.models.inverse_fit import HORIZON

NEWTON_STEPS = 20
FOUND = 1e-9
"""How near, in half sides of the input, a point that is looked for must be."""
STEP = 1e-4
"""Over which slopes are measured, in half sides of the output."""


def _themselves(points: Tensor) -> Tensor:
    return points


@dataclass(frozen=True)
class Family:
    """theta (N, P) of one kind, and what it does to points: M for all images, (M, 2), or M for each
    of them, (N, M, 2)."""

    name: str
    identity: tuple[float, ...]
    """The theta that samples the whole input upright; a transformer starts there."""
    apply: Callable[[Tensor, Tensor, float], Tensor]
    """theta (N, P), the basis of points, the input's width by its height -> points of the input
    (N, M, 2)."""
    closest: Callable[[Tensor, float], Tensor]
    """Where in the input the output's corners are to lie (N, 4, 2), its width by its height ->
    the theta (N, P) whose warp comes closest, as told in `models.inverse_fit`."""
    basis: Callable[[Tensor], Tensor] = _themselves
    """Points of the output (..., 2) -> all of them that does not depend on theta, (..., B)."""

    @property
    def parameters(self) -> int:
        """P, the numbers in theta."""
        return len(self.identity)

    def warp(self, theta: Tensor, points: Tensor, aspect: float = 1.0) -> Tensor:
        """Where points of the output lie in the input, (N, M, 2).

        Args:
            theta: (N, P).
            points: (M, 2), or (N, M, 2) where each image has points of its own.
            aspect: the input's width divided by its height.
        """
        return self.apply(theta, self.basis(points), aspect)

    def unwarp(self, theta: Tensor, points: Tensor, aspect: float = 1.0) -> Tensor:
        """Which points of the output lie at points (N, M, 2) of the input; by Newton's method.

        Of points that no point of the output comes to, as beyond a horizon or beside a flat
        region, what is answered is finite and no more.
        """
        theta, points = theta.double(), points.double()
        whole = self.warp(theta, grid.corners().double(), aspect)
        flat = inverse_fit.affine(whole, aspect).view(-1, 2, 3)
        found: Tensor = (points - flat[:, None, :, 2]) @ torch.linalg.pinv(flat[:, :, :2]).mT
        for _ in range(NEWTON_STEPS):
            missed = points - self.warp(theta, found, aspect)
            if missed.abs().max() < FOUND:
                break
            step = torch.linalg.pinv(self._slopes(theta, found, aspect)) @ missed[..., None]
            found += step[..., 0].clamp(-1, 1)
        return found

    def _slopes(self, theta: Tensor, points: Tensor, aspect: float) -> Tensor:
        """How the warp changes about points (N, M, 2), along x and along y: (N, M, 2, 2)."""
        steps = STEP * torch.eye(2, dtype=points.dtype)
        ends = [
            self.warp(theta, points + step, aspect) - self.warp(theta, points - step, aspect)
            for step in steps
        ]
        return torch.stack(ends, dim=-1) / (2 * STEP)


def _affine(theta: Tensor, points: Tensor, aspect: float) -> Tensor:
    """theta is a 2x3 matrix row by row: (x, y) -> (a x + b y + c, d x + e y + f)."""
    matrix = theta.view(-1, 2, 3)
    # addmm over (N, 2, 3) as one product: (M, 2) @ (2, 2N) would reorder memory, this does not.
    return torch.baddbmm(
        matrix[:, None, :, 2], points.expand(len(theta), -1, -1), matrix[:, :, :2].transpose(1, 2)
    )


def _attention(theta: Tensor, points: Tensor, aspect: float) -> Tensor:
    """theta is (s, tx, ty): (x, y) -> (s x + tx, s y + ty)."""
    return theta[:, None, :1] * points + theta[:, None, 1:]


def _restricted(theta: Tensor, points: Tensor, aspect: float, *, parts: tuple[str, ...]) -> Tensor:
    """theta is, as present: an angle in radians, clockwise as seen; a scale; a shift tx, ty.

    First turned, then scaled, then shifted, as in Moodstocks' gtsrb.torch. The turn is one of the
    input's pixels, so that on an image that is not square nothing is sheared.
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
    """theta is a 3x3 matrix row by row without its last entry, 1; divided by the third coordinate.

    Points that come to lie on the horizon or next to it stay just before it.
    """
    matrix = torch.cat([theta, torch.ones_like(theta[:, :1])], dim=1).view(-1, 3, 3)
    homogeneous = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1)
    x, y, depth = (homogeneous @ matrix.transpose(1, 2)).unbind(2)
    nearest = torch.where(depth < 0, -HORIZON, HORIZON).to(depth.dtype)
    depth = torch.where(depth.abs() < HORIZON, nearest, depth)
    return torch.stack([x / depth, y / depth], dim=2)


def _spline_basis(points: Tensor, side: int) -> Tensor:
    """The points, and how far each is moved by a shift of each control point: (..., 2 + side^2).

    The interpolating thin plate spline of Bookstein, 1989, whose control points lie on a regular
    lattice over the output; solved in float64, once for all images.
    """
    controls = grid.lattice(side).double()
    count = len(controls)
    system = torch.zeros(count + 3, count + 3, dtype=torch.float64)
    system[:count, :count] = _radial(controls, controls)
    system[:count, count:] = _linear(controls)
    system[count:, :count] = system[:count, count:].T
    solution = torch.linalg.inv(system)[:, :count]
    at = points.detach().double().cpu()
    weights = torch.cat([_radial(at, controls), _linear(at)], dim=-1) @ solution
    return torch.cat([points, weights.to(points)], dim=-1)


def _radial(points: Tensor, controls: Tensor) -> Tensor:
    """r^2 log r^2 of the distances, (..., K); 0 where they are 0."""
    squared = (points[..., None, :] - controls).square().sum(dim=-1)
    logarithms: Tensor = torch.special.xlogy(squared, squared)
    return logarithms


def _linear(points: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(points[..., :1]), points], dim=-1)


def _spline(theta: Tensor, basis: Tensor, aspect: float, *, side: int) -> Tensor:
    """theta is where the control points lie in the input, (x, y) row by row.

    What moves a point is how far they are from where they start, so they start at the identity
    to the last bit.
    """
    points, weights = basis[..., :2], basis[..., 2:]
    shifts = theta.view(len(theta), -1, 2) - grid.lattice(side).to(theta)
    return points + weights @ shifts


RESTRICTIONS = {"rotation": (0.0,), "scale": (1.0,), "translation": (0.0, 0.0)}
"""What a restricted family may do, in the order in which it does it, and where each starts."""
SPLINE_SIDES = (3, 4, 5)
"""Control points along a side; the paper has four."""


def _combination(parts: tuple[str, ...]) -> Family:
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


FAMILIES = {
    family.name: family
    for family in (
        Family("affine", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), _affine, inverse_fit.affine),
        Family("attention", (1.0, 0.0, 0.0), _attention, inverse_fit.attention),
        *(
            _combination(parts)
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
    """The family of that name.

    Raises:
        KeyError: there is none; the text lists those that exist.
    """
    if name not in FAMILIES:
        raise KeyError(f"There is no family {name!r}; there are {', '.join(FAMILIES)}.")
    return FAMILIES[name]
