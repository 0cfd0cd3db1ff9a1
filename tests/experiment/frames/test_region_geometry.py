"""Area, position and collapse of regions for which they are known."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stnscope.backend.experiment.frames.region_geometry import (
    collapse_reasons,
    outside_shares,
    signed_areas,
)

HEIGHT, WIDTH = 30, 60


def region(
    *, rotation: float = 0, scale: tuple[float, float] = (1, 1), shear: float = 0,
    shift: tuple[float, float] = (0, 0),
) -> NDArray[Any]:  # fmt: skip
    """Return the lattice (1, 7, 7, 2) of one region, computed in pixels."""
    y, x = np.meshgrid(np.linspace(-15, 15, 7), np.linspace(-30, 30, 7), indexing="ij")
    x, y = (x + shear * y) * scale[0], y * scale[1]
    rotated_x = x * math.cos(rotation) - y * math.sin(rotation)
    rotated_y = x * math.sin(rotation) + y * math.cos(rotation)
    across, down = 30 * (1 + shift[0]) + rotated_x, 15 * (1 + shift[1]) + rotated_y
    return np.stack([across, down], axis=-1)[None].astype(np.float32)


def region_with_shifted_column(shift: float) -> NDArray[Any]:
    """Return the whole image, its middle column shifted right by a share of the width."""
    lattice = region()
    lattice[0, :, 3, 0] += shift * WIDTH
    return lattice


def concatenate(*regions: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate(regions)


def test_area_is_in_square_pixels_and_negative_if_mirrored() -> None:
    lattices = concatenate(
        region(), region(scale=(0.5, 0.5), rotation=1.0), region(shear=0.7), region(scale=(-1, 1))
    )
    assert signed_areas(lattices) == pytest.approx([1800, 450, 1800, -1800], rel=1e-5)


def test_area_includes_the_points_between_the_corners() -> None:
    """The right edge is moved out to a triangle of 30 by 10 pixels."""
    lattice = region()
    lattice[0, 3, 6, 0] += 10
    lattice[0, [2, 4], 6, 0] += 20 / 3
    lattice[0, [1, 5], 6, 0] += 10 / 3
    assert signed_areas(lattice)[0] == pytest.approx(1800 + 150, rel=1e-5)


def test_share_of_a_region_outside_the_image() -> None:
    lattices = concatenate(
        region(), region(shift=(1.0, 0)), region(shift=(3, 0)), region(scale=(2, 1))
    )
    assert outside_shares(lattices, HEIGHT, WIDTH) == pytest.approx([0, 0.5, 1, 0.5], abs=0.08)


@pytest.mark.parametrize(
    ("lattice", "reason"),
    [
        (region(), None),
        (region(rotation=3.0, scale=(0.4, 0.4)), None),
        (region(scale=(0.5, 0.5), shift=(1.4, 0)), None),
        (region(scale=(0.5, 0.5), shift=(1.6, 0)), "outside"),
        (region(shift=(0, -2.1)), "outside"),
        (region(scale=(0.05, 0.05)), "vanishing"),
        (region(scale=(1, 0.005)), "vanishing"),
        (region(scale=(-0.7, 0.7)), "mirrored"),
        (region(scale=(0.7, -0.7), rotation=2.0), "mirrored"),
        (region_with_shifted_column(0.15), None),
        (region_with_shifted_column(0.2), "folded"),
        (region() * np.nan, "vanishing"),
    ],
)
def test_collapse_reason_of_a_region(lattice: NDArray[Any], reason: str | None) -> None:
    assert collapse_reasons(lattice, HEIGHT, WIDTH) == [reason]


def test_equal_regions_have_collapsed_unless_they_are_the_whole_image() -> None:
    moved = region(scale=(0.6, 0.6), shift=(0.2, 0))
    assert collapse_reasons(concatenate(region(), region()), HEIGHT, WIDTH) == [None, None]
    assert collapse_reasons(concatenate(moved, moved), HEIGHT, WIDTH) == ["shared", "shared"]
    other = region(scale=(0.6, 0.6), shift=(0.3, 0))
    assert collapse_reasons(concatenate(moved, other), HEIGHT, WIDTH) == [None, None]
    assert collapse_reasons(moved, HEIGHT, WIDTH) == [None]
