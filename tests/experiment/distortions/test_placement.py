"""Placement distortions, on shapes whose position, size and rotation can be measured."""

import math

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import DISTORTIONS
from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions import IMPLEMENTATIONS
from stnscope.backend.experiment.distortions.placement import (
    Placement,
    apply_placement,
    centred,
    scattered,
)

BLACK = torch.zeros(3, 1, 28, 28)
CANVAS = Canvas(48, 48)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at(x: float, y: float, rotation: float = 0, scale: float = 1) -> Placement:
    rotations, scales = torch.tensor([float(rotation)]), torch.tensor([float(scale)])
    return Placement(rotations, scales, torch.tensor([[float(x), float(y)]]))


def centroids(canvases: Tensor) -> Tensor:
    """Return the canvases' centroids, (N, 2), (x, y) in pixels."""
    weight = canvases[:, 0] / canvases[:, 0].sum(dim=(1, 2), keepdim=True)
    y, x = torch.meshgrid(*(torch.arange(side) + 0.5 for side in weight.shape[1:]), indexing="ij")
    return torch.stack([(weight * x).sum(dim=(1, 2)), (weight * y).sum(dim=(1, 2))], dim=1)


def test_catalog_and_implementation_have_the_same_distortions() -> None:
    assert list(DISTORTIONS) == list(IMPLEMENTATIONS)


def test_apply_placement_is_exact_for_whole_pixels() -> None:
    image = torch.rand(1, 2, 4, 6, generator=generator())
    canvas = apply_placement(image, at(10, 5), Canvas(9, 20))
    expected = torch.zeros(1, 2, 9, 20)
    expected[:, :, 3:7, 7:13] = image
    assert torch.allclose(canvas, expected, atol=1e-5)


def test_rotation_is_clockwise_and_does_not_shear_a_rectangular_image() -> None:
    image = torch.rand(1, 1, 4, 6, generator=generator())
    canvas = apply_placement(image, at(12, 5, rotation=math.pi / 2), Canvas(11, 24))
    expected = torch.zeros(1, 1, 11, 24)
    expected[:, :, 2:8, 10:14] = image.rot90(-1, dims=(2, 3))
    assert torch.allclose(canvas, expected, atol=1e-5)


def test_scale_2_covers_four_times_the_area() -> None:
    image = torch.ones(1, 1, 6, 8)
    canvas = apply_placement(image, at(20, 15, scale=2), Canvas(40, 40))
    assert canvas.sum().item() == pytest.approx(4 * 48, rel=0.05)


def test_scattered_uses_the_whole_range_of_its_limits() -> None:
    """A white square of the digits' size shows scale and position; a bar shows rotation."""
    square = torch.ones(400, 1, 28, 28)
    covered = scattered(square, BLACK, generator(), 1.0, Canvas(96, 96)).sum(dim=(1, 2, 3))
    scale = covered.sqrt() / 28
    assert 0.68 < scale.min() < 0.73
    assert 1.17 < scale.max() < 1.22
    bar = torch.zeros(400, 1, 28, 28)
    bar[:, :, 12:16, 4:24] = 1
    canvases = scattered(bar, BLACK, generator(), 1.0, CANVAS)
    centres = centroids(canvases)
    low, high = 14 * 0.7, 48 - 14 * 0.7
    assert ((centres > low - 0.5) & (centres < high + 0.5)).all()
    assert (centres.amin(dim=0) < low + 3).all()
    assert (centres.amax(dim=0) > high - 3).all()
    rotation = orientations(canvases)
    assert rotation.abs().max() < math.pi / 4 + 0.02
    assert rotation.min() < -0.7
    assert rotation.max() > 0.7


def orientations(canvases: Tensor) -> Tensor:
    """Return the angle of each shape's long axis, (N,) radians clockwise from the x axis."""
    centre = centroids(canvases)
    y, x = torch.meshgrid(*(torch.arange(side) + 0.5 for side in CANVAS.size), indexing="ij")
    x, y = x - centre[:, :1, None], y - centre[:, 1:, None]
    light = canvases[:, 0]
    xx, yy, xy = ((light * product).sum(dim=(1, 2)) for product in (x * x, y * y, x * y))
    return torch.atan2(2 * xy, xx - yy) / 2


def test_clutter_is_six_square_crops() -> None:
    white = torch.ones(2, 1, 28, 28)
    canvases = scattered(torch.zeros(200, 1, 28, 28), white, generator(), 1.0, CANVAS)
    lit = canvases.sum(dim=(1, 2, 3))
    assert set(canvases.flatten().tolist()) == {0, 1}
    assert lit.max() == 6 * 36
    assert lit.min() >= 36
    half = scattered(torch.zeros(200, 1, 28, 28), white, generator(), 0.5, CANVAS)
    assert half.sum(dim=(1, 2, 3)).max() == 3 * 36


def test_clutter_is_cropped_from_the_other_images() -> None:
    """Crops of a horizontal gradient have the same gradient."""
    other = (torch.arange(28.0) / 27).expand(1, 1, 28, 28)
    canvas = scattered(torch.zeros(1, 1, 28, 28), other, generator(4), 1.0, CANVAS)[0, 0]
    slopes = canvas[:, 1:] - canvas[:, :-1]
    assert ((slopes - 1 / 27).abs() < 1e-6).sum() >= 4 * 6 * 5
    assert set(canvas.flatten().tolist()) <= set(other.flatten().tolist())


def test_strength_0_centres_the_image() -> None:
    images = torch.rand(5, 1, 28, 28, generator=generator())
    still = scattered(images, images, generator(), 0.0, CANVAS)
    assert torch.allclose(still[:, :, 10:38, 10:38], images, atol=1e-5)
    assert still.sum().item() == pytest.approx(images.sum().item(), rel=1e-4)
    assert torch.equal(still, centred(images, images, generator(), 1.0, CANVAS))


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_all_random_numbers_come_from_the_generator(name: str) -> None:
    images = torch.rand(6, 3, 28, 20, generator=generator())
    before = images.clone()
    first = IMPLEMENTATIONS[name](images, images, generator(7), 0.8, Canvas(40, 50))
    torch.rand(3)
    again = IMPLEMENTATIONS[name](images, images, generator(7), 0.8, Canvas(40, 50))
    assert first.shape == (6, 3, 40, 50)
    assert torch.equal(first, again)
    assert torch.equal(images, before)
    assert first.min() >= 0
    assert first.max() <= 1


def test_another_seed_gives_another_distortion() -> None:
    images = torch.rand(4, 1, 28, 28, generator=generator())
    first, second = (scattered(images, images, generator(seed), 1.0, CANVAS) for seed in (1, 2))
    assert not torch.equal(first, second)


def test_path_is_closed_smooth_and_in_range() -> None:
    draws = scattered.draw(50, generator())
    lap = torch.stack([scattered.at_phase(draws, number / 60) for number in range(61)])
    assert torch.allclose(lap[0], draws, atol=1e-6)
    assert torch.allclose(lap[60], draws, atol=1e-5)
    assert lap.min() >= 0
    assert lap.max() <= 1
    moving = lap[:, : scattered.moving_draws]
    assert (moving.amax(dim=0) - moving.amin(dim=0) > 0.98).all(), "the whole range is covered"
    assert (moving[1:] - moving[:-1]).abs().max() < 0.5 * 2 * 2 * math.pi / 60 + 1e-4
    assert torch.equal(lap[30, scattered.moving_draws :], draws[scattered.moving_draws :]), (
        "fixed draws do not move"
    )
