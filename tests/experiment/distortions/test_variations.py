"""Variations of images, compositions of distortions, and distortions per channel."""

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions import IMPLEMENTATIONS, compose

CANVAS = Canvas(48, 40)
VARIATIONS = (
    "T",
    "viewpoint",
    "scale",
    "deformation",
    "occlusion",
    "illumination",
    "clutter",
    "variation",
)
FOR_EACH_VARIATION = pytest.mark.parametrize("name", VARIATIONS)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 6, channels: int = 1) -> Tensor:
    """Squares with a bright corner, so that rotations and reflections differ."""
    squares = torch.zeros(count, channels, 28, 28)
    squares[:, :, 6:22, 6:22] = 0.6
    squares[:, :, 6:12, 6:12] = 1.0
    return squares


def crop_centre(canvases: Tensor) -> Tensor:
    return canvases[:, :, 10:38, 6:34]


@FOR_EACH_VARIATION
def test_strength_0_changes_nothing(name: str) -> None:
    still = IMPLEMENTATIONS[name](images(), images(), generator(), 0.0, CANVAS)
    assert still.shape == (6, 1, 48, 40)
    assert torch.allclose(crop_centre(still), images(), atol=1e-4)


@FOR_EACH_VARIATION
def test_half_the_strength_changes_images_less(name: str) -> None:
    half, full = (
        IMPLEMENTATIONS[name](images(), images(), generator(), strength, CANVAS)
        for strength in (0.5, 1.0)
    )
    still = IMPLEMENTATIONS["centred"](images(), images(), generator(), 1.0, CANVAS)
    assert (full[0] != full[1]).any()
    assert 0 < (half - still).abs().mean() < (full - still).abs().mean()
    assert full.min() >= 0
    assert full.max() <= 1 + 1e-6


def draws(name: str, *values: float) -> Tensor:
    return torch.tensor(values)[:, None]


def apply_draws(name: str, *values: float, image: Tensor | None = None) -> Tensor:
    batch = images(1) if image is None else image
    distortion = IMPLEMENTATIONS[name]
    return distortion.apply(batch, batch, draws(name, *values), 1.0, CANVAS)


def test_viewpoint_from_the_right_enlarges_the_right_edge() -> None:
    """A yaw of -55 degrees turns the right edge towards the viewer; no pitch."""
    square = torch.ones(1, 1, 28, 28)
    canvas = apply_draws("viewpoint", 0.0, 0.5, image=square)[0, 0]
    lit = canvas > 0.5
    columns = lit.any(dim=0).nonzero()[:, 0]
    assert columns.numel() < 24, "foreshortened"
    left, right = lit[:, columns[1]].sum(), lit[:, columns[-2]].sum()
    assert right > 1.3 * left
    above = apply_draws("viewpoint", 0.5, 0.0, image=square)[0, 0] > 0.5
    rows = above.any(dim=1).nonzero()[:, 0]
    top, bottom = above[rows[1]].sum(), above[rows[-2]].sum()
    assert max(top, bottom) > 1.3 * min(top, bottom)


def test_occlusion_covers_a_bar_of_the_drawn_width_and_value() -> None:
    square = torch.ones(1, 1, 28, 28)
    canvas = apply_draws("occlusion", 0.0, 0.5, 1.0, 0.5, image=square)[0, 0]
    bar = (canvas - 0.5).abs() < 0.01
    assert bar.any(dim=0).sum().item() == pytest.approx(0.45 / 2 * 28, abs=1.5)
    assert bar[:, 20].all(), "vertical, through the centre"


def test_illumination_has_the_drawn_gradient_and_haze() -> None:
    grey = torch.full((1, 1, 28, 28), 0.4)
    lit = crop_centre(apply_draws("illumination", 0.5, 1.0, 0.0, 0.0, image=grey))[0, 0]
    assert lit[:, -3].mean() > 1.2 * lit[:, 2].mean()
    hazy = apply_draws("illumination", 0.5, 0.0, 0.0, 1.0, image=grey)[0, 0]
    assert hazy[0, 0] == pytest.approx(0.35, abs=0.01), "haze covers the background too"


def test_variation_changes_stroke_and_aspect_ratio() -> None:
    undistorted = images(1).sum()
    bold, thin = (apply_draws("variation", amount, 0.5, 0.5).sum() for amount in (1.0, 0.0))
    assert bold > 1.2 * undistorted
    assert thin < 0.8 * undistorted
    wide, narrow = (
        (apply_draws("variation", 0.5, amount, 0.5)[0, 0] > 0.3).any(dim=0).sum().item()
        for amount in (1.0, 0.0)
    )
    assert wide == pytest.approx(20, abs=1)
    assert narrow == pytest.approx(12, abs=1)


def test_composed_distortions_are_applied_in_order() -> None:
    both = compose("RTS+occlusion")
    batch = torch.ones(3, 1, 28, 28)
    draw = both.draw(3, generator())
    first = IMPLEMENTATIONS["RTS"].apply(batch, batch, draw[:4], 1.0, CANVAS)
    second = IMPLEMENTATIONS["occlusion"].apply(first, batch, draw[4:], 1.0, CANVAS)
    assert torch.equal(both.apply(batch, batch, draw, 1.0, CANVAS), second)
    assert (both.moving_draws, both.fixed_draws) == (8, 0)


def test_composed_distortions_keep_moving_and_fixed_draws_separate() -> None:
    both = compose("TC+clutter+R")
    draw = both.draw(2, generator())
    batch = images(2)
    moved = both.at_phase(draw, 0.3)
    assert torch.equal(moved[both.moving_draws :], draw[both.moving_draws :])
    assert not torch.equal(moved[: both.moving_draws], draw[: both.moving_draws])
    parts = [IMPLEMENTATIONS[name] for name in ("TC", "clutter", "R")]
    ends = torch.tensor([part.moving_draws for part in parts]).cumsum(0)
    assert ends[-1] == both.moving_draws
    assert both.fixed_draws == sum(part.fixed_draws for part in parts)
    canvases = both.apply(batch, batch, draw, 1.0, CANVAS)
    assert canvases.shape == (2, 1, 48, 40)


def test_per_channel_distorts_each_channel_independently() -> None:
    batch = images(5, channels=2)
    per_channel = IMPLEMENTATIONS["RTS"].per_channel(2)
    canvases = per_channel(batch, batch, generator(3), 1.0, CANVAS)
    assert canvases.shape == (5, 2, 48, 40)
    assert (canvases[:, 0] != canvases[:, 1]).any(dim=(1, 2)).all()
    draw = per_channel.draw(5, generator(3))
    for channel in (0, 1):
        single = IMPLEMENTATIONS["RTS"].apply(batch[:, :1], batch, draw[channel::2], 1.0, CANVAS)
        assert torch.equal(canvases[:, channel], single[:, 0])


def test_slanted_places_a_row_on_a_slanted_line() -> None:
    """Three white squares: centred and level, then steepest, then in the corner."""
    row, canvas = torch.ones(1, 1, 28, 84), Canvas(100, 100)
    slanted, black = IMPLEMENTATIONS["slanted"], torch.zeros(1, 1, 28, 28)

    def boxes(across: float, down: float, rise: float) -> list[int]:
        draw = torch.full((slanted.moving_draws + slanted.fixed_draws, 1), 0.5)
        draw[:3, 0] = torch.tensor([across, down, rise])
        lit = slanted.apply(row, black, draw, 1.0, canvas)[0, 0] > 0.5
        left = int(lit.any(dim=0).nonzero()[0])
        return [int(lit[:, left + 14 + 28 * index].nonzero()[0]) for index in range(3)] + [left]

    assert boxes(0.5, 0.5, 0.5) == [36, 36, 36, 8]
    assert boxes(0.0, 0.5, 1.0) == [22, 36, 50, 0]
    assert boxes(1.0, 1.0, 1.0)[1:3] == [72, 72]


def test_clutter_is_the_same_from_uint8_and_float_images() -> None:
    bytes_, floats = (images() * 255).byte(), (images() * 255).byte().float() / 255
    one, other = (
        IMPLEMENTATIONS["TC"](images(), clutter_source, generator(), 1.0, CANVAS)
        for clutter_source in (bytes_, floats)
    )
    assert torch.equal(one, other)


def test_only_the_subject_must_stay_on_the_canvas() -> None:
    """A spot in the centre of a large image moves over the canvas; the image may exceed it."""
    large = torch.zeros(300, 1, 88, 88)
    large[:, :, 42:46, 42:46] = 1
    canvas = Canvas(48, 48, padding="border", subject=(30, 30))
    canvases = IMPLEMENTATIONS["RTS"](large, large, generator(), 1.0, canvas)
    positions = torch.stack([light[0].flatten().argmax() for light in canvases])
    for axis in (positions % 48, positions // 48):
        assert axis.min() < 17
        assert axis.max() > 31
        assert axis.min() >= 8
        assert axis.max() <= 40


def test_border_padding_repeats_a_photo_s_edge() -> None:
    white = torch.ones(4, 3, 28, 28)
    canvas = Canvas(48, 48, padding="border")
    for name in ("RTS", "P", "viewpoint", "deformation", "variation"):
        assert torch.allclose(
            IMPLEMENTATIONS[name](white, white, generator(), 1.0, canvas),
            torch.tensor(1.0),
            atol=1e-5,
        ), name
