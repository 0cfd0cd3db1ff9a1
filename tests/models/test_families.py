"""Each family against an independent implementation, and against known faults of others.

Each check is also run on a faulty implementation, on which it must fail.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from torch import Tensor
from torch.nn import functional

from stnscope.models import families, grid, inverse_fit
from stnscope.models.families import IMPLEMENTATIONS, Family

FOR_EACH_FAMILY = pytest.mark.parametrize(
    "family", IMPLEMENTATIONS.values(), ids=lambda family: family.name
)
SPLINES = [family for family in IMPLEMENTATIONS.values() if family.name.startswith("spline")]
ROTATED = [family for family in IMPLEMENTATIONS.values() if "rotation" in family.name]

Warp = Callable[[Tensor, Tensor], Tensor]


def identity(family: Family, count: int = 1) -> Tensor:
    return torch.tensor(family.identity, dtype=torch.float64).expand(count, -1)


def random_theta(family: Family, count: int = 5, by: float = 0.2, seed: int = 2) -> Tensor:
    """Random theta about the identity."""
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, family.parameters, dtype=torch.float64, generator=draw)
    return identity(family, count) + by * noise


def points(height: int = 5, width: int = 9) -> Tensor:
    return grid.pixel_centres(height, width).double()


# The identity.


@FOR_EACH_FAMILY
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_identity_theta_gives_exactly_the_identity(family: Family, dtype: torch.dtype) -> None:
    where = grid.pixel_centres(5, 9).to(dtype)
    warped = family.warp(torch.tensor(family.identity, dtype=dtype)[None], where, 5 / 9)
    assert torch.equal(warped[0], where)


def check_identity(resample: Callable[[Tensor], Tensor]) -> None:
    images = torch.rand(2, 3, 6, 10, dtype=torch.float64)
    assert torch.allclose(resample(images), images, atol=1e-6)


@FOR_EACH_FAMILY
def test_identity_keeps_every_pixel(family: Family) -> None:
    where = family.warp(identity(family, 2), points(6, 10), 10 / 6).view(2, 6, 10, 2)
    check_identity(lambda images: grid.sample(images, where))


def scale_by_size_and_clip(images: Tensor) -> Tensor:
    """x = (x' + 1) W / 2 with x' from edge to edge, and neighbours clipped to the image."""

    def weights(count: int) -> Tensor:
        made = torch.zeros(count, count, dtype=torch.float64)
        for row, at in enumerate(torch.linspace(0, count, count).tolist()):
            before, after = (min(math.floor(at) + step, count - 1) for step in (0, 1))
            made[row, before] += after - at
            made[row, after] += at - before
        return made

    return weights(images.shape[2]) @ images @ weights(images.shape[3]).T


def mix_align_corners(images: Tensor) -> Tensor:
    """A grid of one convention and a sampler of the other: half a pixel off at the edges."""
    theta = torch.eye(2, 3, dtype=images.dtype).expand(len(images), -1, -1)
    where = functional.affine_grid(theta, list(images.shape), align_corners=True)
    return functional.grid_sample(images, where, align_corners=False)


@pytest.mark.parametrize("fault", [scale_by_size_and_clip, mix_align_corners])
def test_check_identity_notices_a_lost_row_or_half_a_pixel(
    fault: Callable[[Tensor], Tensor],
) -> None:
    with pytest.raises(AssertionError):
        check_identity(fault)


# Independent implementations.


@pytest.mark.parametrize("size", [(5, 9), (28, 28), (1, 3)])
def test_affine_agrees_with_torch(size: tuple[int, int]) -> None:
    theta = random_theta(IMPLEMENTATIONS["affine"], 4, by=1.0)
    actual = IMPLEMENTATIONS["affine"].warp(theta, points(*size)).view(4, *size, 2)
    expected = functional.affine_grid(theta.view(4, 2, 3), [4, 1, *size], align_corners=False)
    assert torch.allclose(actual, expected, atol=1e-7)


def test_projective_agrees_with_a_homography_in_numpy() -> None:
    theta = random_theta(IMPLEMENTATIONS["projective"], by=0.1)
    actual = IMPLEMENTATIONS["projective"].warp(theta, points()).numpy()
    for numbers, warped in zip(theta.numpy(), actual, strict=True):
        matrix = np.append(numbers, 1.0).reshape(3, 3)
        for (x, y), found in zip(points().tolist(), warped, strict=True):
            across, down, depth = matrix @ [x, y, 1]
            np.testing.assert_allclose(found, [across / depth, down / depth], atol=1e-12)


def check_spline(warp: Warp, family: Family) -> None:
    theta = random_theta(family)
    controls = grid.lattice(math.isqrt(family.parameters // 2)).double().numpy()
    # Also beyond the output's edges.
    where = 1.5 * points()
    actual = warp(theta, where).numpy()
    for numbers, warped in zip(theta.numpy(), actual, strict=True):
        expected = RBFInterpolator(controls, numbers.reshape(-1, 2), kernel="thin_plate_spline")
        np.testing.assert_allclose(warped, expected(where.numpy()), atol=1e-9)


@pytest.mark.parametrize("family", SPLINES, ids=lambda family: family.name)
def test_splines_agree_with_scipy(family: Family) -> None:
    check_spline(family.warp, family)


@pytest.mark.parametrize("family", SPLINES, ids=lambda family: family.name)
def test_check_spline_notices_missing_radial_terms(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    radial = families.radial_basis

    def drop_radial(points: Tensor, controls: Tensor) -> Tensor:
        terms = radial(points, controls)
        return terms if points is controls else torch.zeros_like(terms)

    monkeypatch.setattr(families, "radial_basis", drop_radial)
    with pytest.raises(AssertionError):
        check_spline(family.warp, family)


@pytest.mark.parametrize("family", SPLINES, ids=lambda family: family.name)
def test_spline_maps_control_points_to_theta(family: Family) -> None:
    theta = random_theta(family)
    controls = grid.lattice(math.isqrt(family.parameters // 2)).double()
    assert torch.allclose(family.warp(theta, controls).flatten(1), theta, atol=1e-9)


def test_matrix_families_agree_where_they_overlap() -> None:
    where = points()
    theta = random_theta(IMPLEMENTATIONS["rotation-scale-translation"])
    angle, scale, across, down = theta.unbind(1)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    affine = torch.stack([cosine, -sine, across, sine, cosine, down], dim=1)
    same = IMPLEMENTATIONS["affine"].warp(affine, where)
    assert torch.allclose(IMPLEMENTATIONS["rotation-scale-translation"].warp(theta, where), same)
    flat = torch.cat([affine, torch.zeros(len(affine), 2, dtype=torch.float64)], dim=1)
    assert torch.allclose(IMPLEMENTATIONS["projective"].warp(flat, where), same)
    upright = theta[:, 1:]
    one, other = (
        IMPLEMENTATIONS[name].warp(upright, where) for name in ("attention", "scale-translation")
    )
    assert torch.allclose(one, other)


@FOR_EACH_FAMILY
def test_gradients_of_warp_and_sample(family: Family) -> None:
    """Against finite differences, away from the kinks at pixel centres."""
    draw = torch.Generator().manual_seed(3)
    images = torch.rand(2, 1, 5, 7, dtype=torch.float64, generator=draw)
    ramp = torch.arange(1, family.parameters + 1) / family.parameters
    theta = identity(family) * 0.61 + 0.0371 * ramp
    theta = torch.cat([theta, theta + 0.013]).requires_grad_()

    def output(theta: Tensor, images: Tensor) -> Tensor:
        where = family.warp(theta, points(3, 4), 7 / 5).view(2, 3, 4, 2)
        return grid.sample(images, where, padding=0.3)

    assert torch.autograd.gradcheck(output, (theta, images.requires_grad_()))


# The convention, in literal numbers.


def in_pixels(family: str, *theta: float, height: int = 20, width: int = 40) -> NDArray[np.float64]:
    numbers = torch.tensor([theta], dtype=torch.float64)
    corners = IMPLEMENTATIONS[family].warp(numbers, grid.corners().double(), width / height)
    return grid.to_pixels(corners, height, width)[0].numpy()


@pytest.mark.parametrize(
    ("family", "theta", "corners"),
    [
        ("attention", (0.5, 0.25, -0.5), [(15, 0), (35, 0), (35, 10), (15, 10)]),
        ("rotation", (math.pi / 2,), [(30, -10), (30, 30), (10, 30), (10, -10)]),
        ("scale", (0.5,), [(10, 5), (30, 5), (30, 15), (10, 15)]),
        ("translation", (0.5, -1), [(10, -10), (50, -10), (50, 10), (10, 10)]),
        (
            "rotation-scale-translation",
            (math.pi, 0.5, 0.5, 0),
            [(40, 15), (20, 15), (20, 5), (40, 5)],
        ),
        (
            "projective",
            (1, 0, 0, 0, 1, 0, 0.5, 0),
            [(-20, -10), (100 / 3, 10 / 3), (100 / 3, 50 / 3), (-20, 30)],
        ),
    ],
)
def test_convention(
    family: str, theta: tuple[float, ...], corners: list[tuple[float, float]]
) -> None:
    """Rotation is clockwise; translation is in half image sides, whatever the scale."""
    np.testing.assert_allclose(in_pixels(family, *theta), corners, atol=1e-9)


def check_right_angles(warp: Callable[[Tensor, Tensor, float], Tensor], family: Family) -> None:
    theta = identity(family).clone()
    theta[0, 0] = math.radians(30)
    corners = grid.to_pixels(warp(theta, grid.corners().double(), 3.0), 20, 60)[0].numpy()
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    np.testing.assert_allclose(across @ down, 0, atol=1e-9)
    np.testing.assert_allclose(np.hypot(*across), 60)
    np.testing.assert_allclose(math.degrees(math.atan2(across[1], across[0])), 30)


@pytest.mark.parametrize("family", ROTATED, ids=lambda family: family.name)
def test_rotation_does_not_shear_a_rectangular_image(family: Family) -> None:
    check_right_angles(family.warp, family)


@pytest.mark.parametrize("family", ROTATED, ids=lambda family: family.name)
def test_check_right_angles_notices_rotation_in_normalised_coordinates(family: Family) -> None:
    with pytest.raises(AssertionError):
        check_right_angles(lambda theta, points, _: family.warp(theta, points), family)


# Extreme theta.


@FOR_EACH_FAMILY
@pytest.mark.parametrize("value", [0.0, -1.0, 1e6, -1e6])
def test_points_outputs_and_gradients_are_finite_for_any_theta(
    family: Family, value: float
) -> None:
    theta = torch.full((2, family.parameters), value, requires_grad=True)
    where = family.warp(theta, grid.pixel_centres(4, 6), 1.5)
    output = grid.sample(torch.rand(2, 1, 5, 7), where.view(2, 4, 6, 2))
    output.sum().backward()  # type: ignore[no-untyped-call]
    assert theta.grad is not None
    for found in (where, output, theta.grad):
        assert found.isfinite().all()


def test_projective_points_stay_before_the_horizon() -> None:
    theta = torch.tensor([[1.0, 0, 0, 0, 1, 0, 1, 0]])  # the left edge is at infinity
    where = IMPLEMENTATIONS["projective"].warp(theta, grid.lattice(7))
    assert where.isfinite().all()
    assert where.abs().max() <= 1 / inverse_fit.HORIZON


def test_get_lists_the_families_for_an_unknown_name() -> None:
    with pytest.raises(KeyError, match=r"affine, attention.*projective, spline-3"):
        families.get("affin")
