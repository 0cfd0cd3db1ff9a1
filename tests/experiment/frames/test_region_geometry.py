"""Regions whose area, place and numbers are known beforehand."""

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
    """The lattice (1, 7, 7, 2) of one region, made in pixels step by step."""
    y, x = np.meshgrid(np.linspace(-15, 15, 7), np.linspace(-30, 30, 7), indexing="ij")
    x, y = (x + shear * y) * scale[0], y * scale[1]
    turned = x * math.cos(rotation) - y * math.sin(rotation)
    fallen = x * math.sin(rotation) + y * math.cos(rotation)
    across, down = 30 * (1 + shift[0]) + turned, 15 * (1 + shift[1]) + fallen
    return np.stack([across, down], axis=-1)[None].astype(np.float32)


def bent(by: float) -> NDArray[Any]:
    """The whole image, its middle column pulled to the right by a share of the width."""
    lattice = region()
    lattice[0, :, 3, 0] += by * WIDTH
    return lattice


def several(*regions: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate(regions)


def test_area_is_in_square_pixels_and_negative_when_mirrored() -> None:
    lattices = several(
        region(), region(scale=(0.5, 0.5), rotation=1.0), region(shear=0.7), region(scale=(-1, 1))
    )
    assert signed_areas(lattices) == pytest.approx([1800, 450, 1800, -1800], rel=1e-5)


def test_area_of_a_bent_region_follows_its_edge() -> None:
    """The right edge is pulled out to a triangle of 30 pixels by 10."""
    bent = region()
    bent[0, 3, 6, 0] += 10
    bent[0, [2, 4], 6, 0] += 20 / 3
    bent[0, [1, 5], 6, 0] += 10 / 3
    assert signed_areas(bent)[0] == pytest.approx(1800 + 150, rel=1e-5)


def test_share_outside() -> None:
    lattices = several(region(), region(shift=(1.0, 0)), region(shift=(3, 0)), region(scale=(2, 1)))
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
        (bent(0.15), None),
        (bent(0.2), "folded"),
        (region() * np.nan, "vanishing"),
    ],
)
def test_reasons_of_collapse(lattice: NDArray[Any], reason: str | None) -> None:
    assert collapse_reasons(lattice, HEIGHT, WIDTH) == [reason]


def test_one_region_for_all_images_is_a_collapse_unless_it_is_the_whole_image() -> None:
    moved = region(scale=(0.6, 0.6), shift=(0.2, 0))
    assert collapse_reasons(several(region(), region()), HEIGHT, WIDTH) == [None, None]
    assert collapse_reasons(several(moved, moved), HEIGHT, WIDTH) == ["shared", "shared"]
    other = region(scale=(0.6, 0.6), shift=(0.3, 0))
    assert collapse_reasons(several(moved, other), HEIGHT, WIDTH) == [None, None]
    assert collapse_reasons(moved, HEIGHT, WIDTH) == [None]
