"""Bent images, against the corners and points that they were bent by."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.backend.experiment.distortions.warping import elastic, projective, solve_homography
from stnscope.models import families, grid

CANVAS = Canvas(48, 48)
BENT = pytest.mark.parametrize("distortion", [projective, elastic], ids=["P", "E"])


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits(count: int = 1) -> Tensor:
    """Soft blobs, so that bilinear reading tells where they are to a fraction of a pixel."""
    points = grid.pixel_centres(28, 28)
    return (-8 * points.square().sum(dim=1)).exp().view(1, 1, 28, 28).expand(count, -1, -1, -1)


def middle(distortion: Distortion, count: int = 1) -> Tensor:
    """Draws that shift nothing, and scale by 7/8, halfway between 0.75 and 1."""
    return torch.full((distortion.moving_draws, count), 0.5)


@BENT
def test_the_middle_of_all_draws_only_scales(distortion: Distortion) -> None:
    bent = distortion.apply(digits(), digits(), middle(distortion), 1.0, CANVAS)
    theta = torch.tensor([[48 / 28 / 0.875, 0, 0]])
    points = families.get("attention").warp(theta, grid.pixel_centres(*CANVAS.size))
    assert torch.allclose(bent, grid.sample(digits(), points.view(1, *CANVAS.size, 2)), atol=1e-4)


@BENT
def test_no_strength_leaves_the_image_alone_in_the_middle(distortion: Distortion) -> None:
    images = torch.rand(5, 1, 28, 28, generator=drawn())
    still = distortion(images, images, drawn(), 0.0, CANVAS)
    assert torch.allclose(still[:, :, 10:38, 10:38], images, atol=1e-4)


def test_four_points_go_where_the_homography_is_asked_to_take_them() -> None:
    points = grid.corners() + 0.3 * torch.randn(20, 4, 2, generator=drawn(1))
    targets = grid.corners().expand(20, -1, -1)
    theta = solve_homography(points, targets)
    warp = families.get("projective").warp
    found = torch.stack([warp(theta[i : i + 1], points[i])[0] for i in range(20)])
    assert torch.allclose(found, targets, atol=1e-3)


def test_a_corner_is_shifted_alone_and_by_as_much_as_was_drawn() -> None:
    """The image's second corner goes right and down by one standard deviation, 5 pixels of 28."""
    draws = middle(projective)
    draws[0] = 1.0  # its own size
    draws[3], draws[4] = 0.8413, 0.8413
    frame = torch.ones(1, 1, 28, 28)
    canvas = projective.apply(frame, frame, draws, 1.0, CANVAS)[0, 0]
    assert canvas[11, 11] > 0.9
    assert canvas[36, 11] > 0.9
    assert canvas[36, 36] > 0.9
    assert canvas[11, 36] < 0.1, "what was the corner is outside now"
    assert canvas[17, 41] > 0.5
    assert canvas[14, 43] < 0.1


def test_a_control_point_that_is_shifted_moves_what_lies_there() -> None:
    draws = middle(elastic)
    draws[0] = 1.0
    shifted = draws.clone()
    shifted[1 + 2 * 5 : 1 + 2 * 7 : 2] = 0.85  # the second and third of the second row, across
    straight, bent = (
        elastic.apply(digits(), digits(), each, 1.0, CANVAS) for each in (draws, shifted)
    )
    columns = torch.arange(48) + 0.5

    def centre(canvas: Tensor) -> float:
        light = canvas[0, 0, 16:24].sum(dim=0)
        return ((light * columns).sum() / light.sum()).item()

    # Read from 1.55 pixels further right, so seen further left; less so further from the points.
    assert 0.8 < centre(straight) - centre(bent) < 1.55


@BENT
def test_even_the_furthest_draws_keep_an_image_that_can_be_seen(distortion: Distortion) -> None:
    draws = torch.randint(0, 2, (distortion.moving_draws, 200), generator=drawn(2)).float()
    bent = distortion.apply(digits(200), digits(), draws, 1.0, CANVAS)
    assert bent.isfinite().all()
    light = bent.sum(dim=(1, 2, 3)) / digits().sum()
    assert light.min() > 0.01


@BENT
def test_a_path_moves_an_image_little_by_little(distortion: Distortion) -> None:
    draws = distortion.draw(8, drawn(3))
    lap = [
        distortion.apply(digits(8), digits(), distortion.at_phase(draws, number / 60), 1.0, CANVAS)
        for number in range(60)
    ]
    steps = [(one - other).abs().mean() for one, other in pairwise(lap)]
    apart = max((lap[0] - other).abs().mean() for other in lap)
    assert 0 < max(steps) < 0.3 * apart
