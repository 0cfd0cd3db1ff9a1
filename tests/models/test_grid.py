"""The convention in literal numbers, and sampling."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from stnscope.models import families, grid

AFFINE = families.get("affine")


def test_convention_pixel_centres_are_half_a_pixel_inside_the_edges() -> None:
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


def test_sample_reads_whole_pixels_exactly_and_pads_with_black() -> None:
    image = torch.arange(12.0).view(1, 1, 3, 4)
    theta = torch.tensor([[1.0, 0, 0.5, 0, 1, 0]])  # one pixel to the right
    points = AFFINE.warp(theta, grid.pixel_centres(3, 4)).view(1, 3, 4, 2)
    expected = torch.tensor([[1.0, 2, 3, 0], [5, 6, 7, 0], [9, 10, 11, 0]])
    assert torch.allclose(grid.sample(image, points)[0, 0], expected, atol=1e-5)


def test_sample_repeats_the_edge_with_border_padding() -> None:
    image = torch.arange(12.0).view(1, 1, 3, 4)
    theta = torch.tensor([[1.0, 0, 0.5, 0, 1, 0]])
    points = AFFINE.warp(theta, grid.pixel_centres(3, 4)).view(1, 3, 4, 2)
    expected = torch.tensor([[1.0, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]])
    assert torch.allclose(grid.sample(image, points, padding=grid.BORDER)[0, 0], expected)


def check_no_frame(sample: Callable[[Tensor, Tensor], Tensor]) -> None:
    """A constant image stays constant when zoomed out, and gives theta no gradient."""
    images = torch.full((1, 1, 6, 8), -0.42, dtype=torch.float64)
    theta = torch.tensor([[1.7, 0.1, 0.2, 0, 1.4, 0]], dtype=torch.float64, requires_grad=True)
    points = AFFINE.warp(theta, grid.pixel_centres(6, 8).double()).view(1, 6, 8, 2)
    output = sample(images, points)
    output.square().sum().backward()  # type: ignore[no-untyped-call]
    assert theta.grad is not None
    assert torch.allclose(output, images)
    assert theta.grad.abs().max() < 1e-9


def test_padding_with_the_background_makes_no_frame() -> None:
    check_no_frame(lambda images, points: grid.sample(images, points, padding=-0.42))


def test_black_padding_of_another_background_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        check_no_frame(grid.sample)


def test_supersampling_prevents_aliasing() -> None:
    stripes = (torch.arange(60) % 2).float().expand(1, 1, 60, 60)
    theta = torch.tensor([AFFINE.identity])

    def shrink(supersampling: int) -> Tensor:
        side = 20 * supersampling
        points = AFFINE.warp(theta, grid.pixel_centres(side, side)).view(1, side, side, 2)
        return grid.average(grid.sample(stripes, points), supersampling)

    assert shrink(1).shape == shrink(3).shape == (1, 1, 20, 20)
    # One sample per pixel hits one stripe in three, light or dark.
    assert (shrink(1) - 0.5).abs().min() > 0.49
    # One or two of three stripes are light.
    assert (shrink(3) - 0.5).abs().max() < 0.17
