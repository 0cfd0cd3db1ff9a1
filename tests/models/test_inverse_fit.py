"""The theta that comes closest to four corners, held against each family's own warp."""

import pytest
import torch
from scipy.optimize import least_squares
from torch import Tensor

from stnscope.models import families, grid
from stnscope.models.families import FAMILIES, Family

EACH = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
MATRICES = [family for family in FAMILIES.values() if not family.name.startswith("spline")]
MATRIX = pytest.mark.parametrize("family", MATRICES, ids=lambda family: family.name)
ASPECT = 1.7
CORNERS = grid.corners().double()


def near(family: Family, count: int = 6, by: float = 0.15) -> Tensor:
    """Random theta about the identity."""
    draw = torch.Generator().manual_seed(5)
    noise = torch.randn(count, family.parameters, dtype=torch.float64, generator=draw)
    return torch.tensor(family.identity, dtype=torch.float64) + by * noise


def quadrilaterals(count: int = 6) -> Tensor:
    """Convex ones that are no parallelograms."""
    draw = torch.Generator().manual_seed(6)
    return 0.6 * CORNERS + 0.2 * torch.randn(count, 4, 2, dtype=torch.float64, generator=draw)


@MATRIX
def test_a_family_finds_its_own_theta_again(family: Family) -> None:
    theta = near(family)
    found = family.closest(family.warp(theta, CORNERS, ASPECT), ASPECT)
    torch.testing.assert_close(found, theta)


@pytest.mark.parametrize("name", ["projective", "spline-3", "spline-4", "spline-5"])
def test_four_corners_are_met_where_a_region_may_bend(name: str) -> None:
    family, targets = families.get(name), quadrilaterals()
    theta = family.closest(targets, ASPECT)
    torch.testing.assert_close(family.warp(theta, CORNERS, ASPECT), targets)


@pytest.mark.parametrize(
    "family", [each for each in MATRICES if each.name != "projective"], ids=lambda each: each.name
)
def test_what_cannot_be_met_is_missed_by_the_least_in_pixels(family: Family) -> None:
    for target in quadrilaterals():

        def missed(numbers: list[float], target: Tensor = target) -> Tensor:
            theta = torch.tensor(numbers, dtype=torch.float64)[None]
            away = family.warp(theta, CORNERS, ASPECT)[0] - target
            return (away * torch.tensor([ASPECT, 1.0])).flatten()

        found = family.closest(target[None], ASPECT)[0].tolist()
        searched = least_squares(missed, family.identity, xtol=1e-12, ftol=1e-12)
        assert missed(found).norm() > 0.01, "there is something to be missed"
        assert missed(found).norm().item() <= missed(list(searched.x)).norm().item() + 1e-7


@pytest.mark.parametrize("side", families.SPLINE_SIDES)
def test_control_points_of_a_spline_lie_evenly_between_the_corners(side: int) -> None:
    (target,) = quadrilaterals(1)
    (theta,) = families.get(f"spline-{side}").closest(target[None], ASPECT).view(1, side, side, 2)
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
        [(-1, 0), (0, 0), (1, 0), (0.5, 0)],  # flat
    ],
)
def test_where_no_homography_leads_the_closest_parallelogram_is_taken(
    targets: list[tuple[float, float]],
) -> None:
    wanted = torch.tensor([targets], dtype=torch.float64)
    found = families.get("projective").closest(wanted, ASPECT)
    flat = families.get("affine").closest(wanted, ASPECT)
    torch.testing.assert_close(found, torch.cat([flat, torch.zeros(1, 2).double()], dim=1))


@EACH
@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e6])
def test_any_corners_give_a_finite_theta(family: Family, spread: float) -> None:
    targets = spread * quadrilaterals()
    assert family.closest(targets, ASPECT).isfinite().all()


@EACH
def test_a_warp_is_undone(family: Family) -> None:
    theta = near(family, by=0.05)
    where = (0.9 * grid.lattice(5)).double().expand(len(theta), -1, -1)
    back = family.unwarp(theta, family.warp(theta, where, ASPECT), ASPECT)
    torch.testing.assert_close(back, where, atol=1e-6, rtol=0)


def test_where_a_warp_leads_nowhere_its_way_back_is_finite() -> None:
    flat = torch.tensor([[0.0, 0, 0.3, 0, 1, 0]])
    assert families.get("affine").unwarp(flat, CORNERS[None]).isfinite().all()
    to_the_horizon = torch.tensor([[1.0, 0, 0, 0, 1, 0, 1, 0]])
    assert families.get("projective").unwarp(to_the_horizon, 50 * CORNERS[None]).isfinite().all()
