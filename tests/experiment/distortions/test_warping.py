"""Warping distortions, against the shifted corners and control points."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.backend.experiment.distortions.warping import elastic, projective, solve_homography
from stnscope.models import families, grid

CANVAS = Canvas(48, 48)
FOR_EACH_WARPING = pytest.mark.parametrize("distortion", [projective, elastic], ids=["P", "E"])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits(count: int = 1) -> Tensor:
    """Gaussian blobs, whose position can be measured to a fraction of a pixel."""
    points = grid.pixel_centres(28, 28)
    return (-8 * points.square().sum(dim=1)).exp().view(1, 1, 28, 28).expand(count, -1, -1, -1)


def centre_draws(distortion: Distortion, count: int = 1) -> Tensor:
    """Draws without shifts, with scale 7/8, halfway between 0.75 and 1."""
    return torch.full((distortion.moving_draws, count), 0.5)


@FOR_EACH_WARPING
def test_centre_draws_only_scale(distortion: Distortion) -> None:
    warped = distortion.apply(digits(), digits(), centre_draws(distortion), 1.0, CANVAS)
    theta = torch.tensor([[48 / 28 / 0.875, 0, 0]])
    points = families.get("attention").warp(theta, grid.pixel_centres(*CANVAS.size))
    assert torch.allclose(warped, grid.sample(digits(), points.view(1, *CANVAS.size, 2)), atol=1e-4)


@FOR_EACH_WARPING
def test_strength_0_centres_the_image(distortion: Distortion) -> None:
    images = torch.rand(5, 1, 28, 28, generator=generator())
    still = distortion(images, images, generator(), 0.0, CANVAS)
    assert torch.allclose(still[:, :, 10:38, 10:38], images, atol=1e-4)


def test_solve_homography_maps_points_to_targets() -> None:
    points = grid.corners() + 0.3 * torch.randn(20, 4, 2, generator=generator(1))
    targets = grid.corners().expand(20, -1, -1)
    theta = solve_homography(points, targets)
    warp = families.get("projective").warp
    found = torch.stack([warp(theta[i : i + 1], points[i])[0] for i in range(20)])
    assert torch.allclose(found, targets, atol=1e-3)


def test_projective_shifts_a_corner_by_the_drawn_amount() -> None:
    """The second corner moves right and down by one standard deviation, 5 of 28 pixels."""
    draws = centre_draws(projective)
    draws[0] = 1.0  # the original size
    draws[3], draws[4] = 0.8413, 0.8413
    frame = torch.ones(1, 1, 28, 28)
    canvas = projective.apply(frame, frame, draws, 1.0, CANVAS)[0, 0]
    assert canvas[11, 11] > 0.9
    assert canvas[36, 11] > 0.9
    assert canvas[36, 36] > 0.9
    assert canvas[11, 36] < 0.1, "the old corner is outside now"
    assert canvas[17, 41] > 0.5
    assert canvas[14, 43] < 0.1


def test_elastic_moves_the_image_at_a_shifted_control_point() -> None:
    draws = centre_draws(elastic)
    draws[0] = 1.0
    shifted = draws.clone()
    shifted[1 + 2 * 5 : 1 + 2 * 7 : 2] = 0.85  # the second and third of the second row, across
    straight, warped = (
        elastic.apply(digits(), digits(), row_draws, 1.0, CANVAS) for row_draws in (draws, shifted)
    )
    columns = torch.arange(48) + 0.5

    def centre(canvas: Tensor) -> float:
        light = canvas[0, 0, 16:24].sum(dim=0)
        return ((light * columns).sum() / light.sum()).item()

    # Sampled up to 1.55 pixels further right, so the blob moves left.
    assert 0.8 < centre(straight) - centre(warped) < 1.55


@FOR_EACH_WARPING
def test_extreme_draws_keep_the_image_visible(distortion: Distortion) -> None:
    draws = torch.randint(0, 2, (distortion.moving_draws, 200), generator=generator(2)).float()
    warped = distortion.apply(digits(200), digits(), draws, 1.0, CANVAS)
    assert warped.isfinite().all()
    light = warped.sum(dim=(1, 2, 3)) / digits().sum()
    assert light.min() > 0.01


@FOR_EACH_WARPING
def test_path_moves_the_image_in_small_steps(distortion: Distortion) -> None:
    draws = distortion.draw(8, generator(3))
    lap = [
        distortion.apply(digits(8), digits(), distortion.at_phase(draws, number / 60), 1.0, CANVAS)
        for number in range(60)
    ]
    steps = [(image - next_image).abs().mean() for image, next_image in pairwise(lap)]
    apart = max((lap[0] - image).abs().mean() for image in lap)
    assert 0 < max(steps) < 0.3 * apart
