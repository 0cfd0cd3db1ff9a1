"""Inverse fits, against each family's own warp."""

import pytest
import torch
from scipy.optimize import least_squares
from torch import Tensor

from stnscope.models import families, grid
from stnscope.models.families import IMPLEMENTATIONS, Family

FOR_EACH_FAMILY = pytest.mark.parametrize(
    "family", IMPLEMENTATIONS.values(), ids=lambda family: family.name
)
MATRICES = [family for family in IMPLEMENTATIONS.values() if not family.name.startswith("spline")]
MATRIX = pytest.mark.parametrize("family", MATRICES, ids=lambda family: family.name)
ASPECT = 1.7
CORNERS = grid.corners().double()


def random_theta(family: Family, count: int = 6, by: float = 0.15) -> Tensor:
    """Random theta about the identity."""
    draw = torch.Generator().manual_seed(5)
    noise = torch.randn(count, family.parameters, dtype=torch.float64, generator=draw)
    return torch.tensor(family.identity, dtype=torch.float64) + by * noise


def quadrilaterals(count: int = 6) -> Tensor:
    """Convex quadrilaterals that are not parallelograms."""
    draw = torch.Generator().manual_seed(6)
    return 0.6 * CORNERS + 0.2 * torch.randn(count, 4, 2, dtype=torch.float64, generator=draw)


@MATRIX
def test_fit_recovers_theta(family: Family) -> None:
    theta = random_theta(family)
    found = family.fit(family.warp(theta, CORNERS, ASPECT), ASPECT)
    torch.testing.assert_close(found, theta)


@pytest.mark.parametrize("name", ["projective", "spline-3", "spline-4", "spline-5"])
def test_projective_and_splines_match_any_four_corners(name: str) -> None:
    family, targets = families.get(name), quadrilaterals()
    theta = family.fit(targets, ASPECT)
    torch.testing.assert_close(family.warp(theta, CORNERS, ASPECT), targets)


@pytest.mark.parametrize(
    "family",
    [family for family in MATRICES if family.name != "projective"],
    ids=lambda family: family.name,
)
def test_fit_minimises_the_squared_distance_in_pixels(family: Family) -> None:
    for target in quadrilaterals():

        def residual(numbers: list[float], target: Tensor = target) -> Tensor:
            theta = torch.tensor(numbers, dtype=torch.float64)[None]
            distance = family.warp(theta, CORNERS, ASPECT)[0] - target
            return (distance * torch.tensor([ASPECT, 1.0])).flatten()

        found = family.fit(target[None], ASPECT)[0].tolist()
        searched = least_squares(residual, family.identity, xtol=1e-12, ftol=1e-12)
        assert residual(found).norm() > 0.01, "these corners cannot be matched exactly"
        assert residual(found).norm().item() <= residual(list(searched.x)).norm().item() + 1e-7


@pytest.mark.parametrize("side", families.SPLINE_SIDES)
def test_spline_fit_interpolates_control_points_between_the_corners(side: int) -> None:
    (target,) = quadrilaterals(1)
    (theta,) = families.get(f"spline-{side}").fit(target[None], ASPECT).view(1, side, side, 2)
    torch.testing.assert_close(theta[0, 0], target[0])
    torch.testing.assert_close(theta[-1, 0], target[3])
    rows = torch.stack([torch.lerp(target[0], target[1], at) for at in torch.linspace(0, 1, side)])
    torch.testing.assert_close(theta[0], rows.double())
    if side % 2:
        torch.testing.assert_close(theta[side // 2, side // 2], target.mean(dim=0))


@pytest.mark.parametrize(
    "targets",
    [
        [(-1, -1), (1, -1), (-0.8, -0.8), (-1, 1)],  # a dart
        [(-1, -1), (1, 1), (1, -1), (-1, 1)],  # crossed
        [(0, 0), (0, 0), (0, 0), (0, 0)],
        [(-1, 0), (0, 0), (1, 0), (0.5, 0)],  # on a line
    ],
)
def test_projective_fit_is_affine_where_corners_are_not_convex(
    targets: list[tuple[float, float]],
) -> None:
    target = torch.tensor([targets], dtype=torch.float64)
    found = families.get("projective").fit(target, ASPECT)
    affine = families.get("affine").fit(target, ASPECT)
    torch.testing.assert_close(found, torch.cat([affine, torch.zeros(1, 2).double()], dim=1))


@FOR_EACH_FAMILY
@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e6])
def test_fit_is_finite_for_any_corners(family: Family, spread: float) -> None:
    targets = spread * quadrilaterals()
    assert family.fit(targets, ASPECT).isfinite().all()


@FOR_EACH_FAMILY
def test_unwarp_inverts_warp(family: Family) -> None:
    theta = random_theta(family, by=0.05)
    points = (0.9 * grid.lattice(5)).double().expand(len(theta), -1, -1)
    back = family.unwarp(theta, family.warp(theta, points, ASPECT), ASPECT)
    torch.testing.assert_close(back, points, atol=1e-6, rtol=0)


def test_unwarp_is_finite_where_warp_has_no_inverse() -> None:
    degenerate = torch.tensor([[0.0, 0, 0.3, 0, 1, 0]])
    assert families.get("affine").unwarp(degenerate, CORNERS[None]).isfinite().all()
    at_horizon = torch.tensor([[1.0, 0, 0, 0, 1, 0, 1, 0]])
    assert families.get("projective").unwarp(at_horizon, 50 * CORNERS[None]).isfinite().all()
