"""The convention, in literal numbers; and torch's own grid and sampler as the oracle."""

import pytest
import torch
from torch.nn import functional

from models import families, grid

AFFINE, ATTENTION = families.get("affine"), families.get("attention")


def test_convention_pixel_centres_lie_half_a_pixel_inside_the_edges() -> None:
    assert grid.pixel_centres(2, 4).tolist() == [
        [-0.75, -0.5], [-0.25, -0.5], [0.25, -0.5], [0.75, -0.5],
        [-0.75, 0.5], [-0.25, 0.5], [0.25, 0.5], [0.75, 0.5],
    ]  # fmt: skip


def test_convention_pixels_count_from_the_outer_edge_of_the_first() -> None:
    points = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-0.75, 0.5]])
    assert grid.to_pixels(points, height=2, width=4).tolist() == [[0, 0], [4, 2], [0.5, 1.5]]


def test_convention_corners_run_clockwise_from_the_top_left() -> None:
    assert grid.corners().tolist() == [[-1, -1], [1, -1], [1, 1], [-1, 1]]


def test_convention_lattice_spans_the_edges_row_by_row() -> None:
    assert grid.lattice(3).tolist()[:4] == [[-1, -1], [0, -1], [1, -1], [-1, 0]]
    cells = grid.lattice(7).view(7, 7, 2)
    assert torch.equal(cells[[0, 0, 6, 6], [0, 6, 6, 0]], grid.corners())


def test_convention_theta_maps_output_to_input_x_first() -> None:
    """Half the width, a third of the height, shifted right by a quarter and up by half."""
    theta = torch.tensor([[0.5, 0, 0.25, 0, 1 / 3, -0.5]])
    corners = grid.to_pixels(AFFINE.warp(theta, grid.corners()), height=12, width=40)
    assert corners[0].tolist() == [
        [pytest.approx(15), pytest.approx(1)],
        [pytest.approx(35), pytest.approx(1)],
        [pytest.approx(35), pytest.approx(5)],
        [pytest.approx(15), pytest.approx(5)],
    ]


@pytest.mark.parametrize("size", [(5, 9), (28, 28), (1, 3)])
def test_affine_grid_is_that_of_torch(size: tuple[int, int]) -> None:
    theta = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = AFFINE.warp(theta, grid.pixel_centres(*size).double()).view(4, *size, 2)
    theirs = functional.affine_grid(theta.view(4, 2, 3), [4, 1, *size], align_corners=False)
    assert torch.allclose(ours, theirs, atol=1e-7)


def test_whole_input_is_handed_on_unchanged() -> None:
    images = torch.rand(2, 3, 6, 10, dtype=torch.float64)
    theta = torch.tensor(AFFINE.identity, dtype=torch.float64).expand(2, 6)
    points = AFFINE.warp(theta, grid.pixel_centres(6, 10).double()).view(2, 6, 10, 2)
    assert torch.allclose(grid.sample(images, points), images, atol=1e-6)


def test_whole_pixels_are_read_exactly_and_the_outside_is_black() -> None:
    image = torch.arange(12.0).view(1, 1, 3, 4)
    theta = torch.tensor([[1.0, 0, 0.5, 0, 1, 0]])  # one pixel to the right
    points = AFFINE.warp(theta, grid.pixel_centres(3, 4)).view(1, 3, 4, 2)
    expected = torch.tensor([[1.0, 2, 3, 0], [5, 6, 7, 0], [9, 10, 11, 0]])
    assert torch.allclose(grid.sample(image, points)[0, 0], expected, atol=1e-5)


def test_attention_is_the_affine_without_turn_or_shear() -> None:
    theta = torch.tensor([[0.5, 0.25, -0.5], [2.0, 0, 0.125]])
    same = torch.tensor([[0.5, 0, 0.25, 0, 0.5, -0.5], [2.0, 0, 0, 0, 2, 0.125]])
    points = grid.lattice(5)
    assert torch.equal(ATTENTION.warp(theta, points), AFFINE.warp(same, points))


@pytest.mark.parametrize("family", families.FAMILIES.values(), ids=lambda family: family.name)
def test_gradients_of_warp_and_sampler_are_right(family: families.Family) -> None:
    """Against finite differences, away from the kinks at pixel centres."""
    draw = torch.Generator().manual_seed(3)
    images = torch.rand(2, 1, 5, 7, dtype=torch.float64, generator=draw)
    start = torch.tensor(family.identity, dtype=torch.float64)
    theta = start * 0.61 + 0.0371 * torch.arange(1, family.parameters + 1) / family.parameters
    theta = torch.stack([theta, theta + 0.013]).requires_grad_()
    points = grid.pixel_centres(3, 4).double()

    def output(theta: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return grid.sample(images, family.warp(theta, points).view(2, 3, 4, 2))

    assert torch.autograd.gradcheck(output, (theta, images.requires_grad_()))


def test_an_unknown_family_is_told_which_there_are() -> None:
    with pytest.raises(KeyError, match="affine, attention"):
        families.get("affin")
