"""Distortions that change how things are seen, lit and made; joined ones; those of each channel."""

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions import IMPLEMENTATIONS, compose

CANVAS = Canvas(48, 40)
VARIATIONS = (
    "viewpoint",
    "scale",
    "deformation",
    "occlusion",
    "illumination",
    "clutter",
    "variation",
)
EACH = pytest.mark.parametrize("name", VARIATIONS)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 6, channels: int = 1) -> Tensor:
    """Soft squares with a bright corner, so that turns and sides are told apart."""
    made = torch.zeros(count, channels, 28, 28)
    made[:, :, 6:22, 6:22] = 0.6
    made[:, :, 6:12, 6:12] = 1.0
    return made


def middle(canvases: Tensor) -> Tensor:
    return canvases[:, :, 10:38, 6:34]


@EACH
def test_no_strength_leaves_the_image_alone(name: str) -> None:
    still = IMPLEMENTATIONS[name](images(), images(), drawn(), 0.0, CANVAS)
    assert still.shape == (6, 1, 48, 40)
    assert torch.allclose(middle(still), images(), atol=1e-4)


@EACH
def test_strength_changes_each_image_its_own_way_and_half_of_it_less(name: str) -> None:
    half, full = (
        IMPLEMENTATIONS[name](images(), images(), drawn(), strength, CANVAS)
        for strength in (0.5, 1.0)
    )
    still = IMPLEMENTATIONS["centred"](images(), images(), drawn(), 1.0, CANVAS)
    assert (full[0] != full[1]).any()
    assert 0 < (half - still).abs().mean() < (full - still).abs().mean()
    assert full.min() >= 0
    assert full.max() <= 1 + 1e-6


def draws(name: str, *values: float) -> Tensor:
    return torch.tensor(values)[:, None]


def shown(name: str, *values: float, image: Tensor | None = None) -> Tensor:
    given = images(1) if image is None else image
    distortion = IMPLEMENTATIONS[name]
    return distortion.apply(given, given, draws(name, *values), 1.0, CANVAS)


def test_from_the_right_the_right_side_is_near_and_high() -> None:
    """A yaw of -55 degrees brings the right edge towards the viewer; no pitch."""
    square = torch.ones(1, 1, 28, 28)
    seen = shown("viewpoint", 0.0, 0.5, image=square)[0, 0]
    lit = seen > 0.5
    columns = lit.any(dim=0).nonzero()[:, 0]
    assert columns.numel() < 24, "foreshortened"
    left, right = lit[:, columns[1]].sum(), lit[:, columns[-2]].sum()
    assert right > 1.3 * left
    above = shown("viewpoint", 0.5, 0.0, image=square)[0, 0] > 0.5
    rows = above.any(dim=1).nonzero()[:, 0]
    top, bottom = above[rows[1]].sum(), above[rows[-2]].sum()
    assert max(top, bottom) > 1.3 * min(top, bottom)


def test_a_bar_hides_as_much_as_was_drawn_in_one_tone() -> None:
    square = torch.ones(1, 1, 28, 28)
    hidden = shown("occlusion", 0.0, 0.5, 1.0, 0.5, image=square)[0, 0]
    bar = (hidden - 0.5).abs() < 0.01
    assert bar.any(dim=0).sum().item() == pytest.approx(0.45 / 2 * 28, abs=1.5)
    assert bar[:, 20].all(), "upright, through the middle"


def test_light_falls_from_the_side_that_was_drawn() -> None:
    grey = torch.full((1, 1, 28, 28), 0.4)
    lit = middle(shown("illumination", 0.5, 1.0, 0.0, 0.0, image=grey))[0, 0]
    assert lit[:, -3].mean() > 1.2 * lit[:, 2].mean()
    hazy = shown("illumination", 0.5, 0.0, 0.0, 1.0, image=grey)[0, 0]
    assert hazy[0, 0] == pytest.approx(0.35, abs=0.01), "haze covers the ground too"


def test_strokes_grow_bold_or_thin_wide_or_narrow() -> None:
    plain = images(1).sum()
    bold, thin = (shown("variation", amount, 0.5, 0.5).sum() for amount in (1.0, 0.0))
    assert bold > 1.2 * plain
    assert thin < 0.8 * plain
    wide, narrow = (
        (shown("variation", 0.5, amount, 0.5)[0, 0] > 0.3).any(dim=0).sum().item()
        for amount in (1.0, 0.0)
    )
    assert wide == pytest.approx(20, abs=1)
    assert narrow == pytest.approx(12, abs=1)


def test_joined_ones_act_one_after_another() -> None:
    both = compose("RTS+occlusion")
    given = torch.ones(3, 1, 28, 28)
    draw = both.draw(3, drawn())
    first = IMPLEMENTATIONS["RTS"].apply(given, given, draw[:4], 1.0, CANVAS)
    second = IMPLEMENTATIONS["occlusion"].apply(first, given, draw[4:], 1.0, CANVAS)
    assert torch.equal(both.apply(given, given, draw, 1.0, CANVAS), second)
    assert (both.moving_draws, both.fixed_draws) == (8, 0)


def test_joined_ones_keep_apart_what_moves_and_what_stands() -> None:
    both = compose("TC+clutter+R")
    draw = both.draw(2, drawn())
    given = images(2)
    moved = both.at_phase(draw, 0.3)
    assert torch.equal(moved[both.moving_draws :], draw[both.moving_draws :])
    assert not torch.equal(moved[: both.moving_draws], draw[: both.moving_draws])
    parts = [IMPLEMENTATIONS[name] for name in ("TC", "clutter", "R")]
    ends = torch.tensor([part.moving_draws for part in parts]).cumsum(0)
    assert ends[-1] == both.moving_draws
    assert both.fixed_draws == sum(part.fixed_draws for part in parts)
    shown = both.apply(given, given, draw, 1.0, CANVAS)
    assert shown.shape == (2, 1, 48, 40)


def test_each_channel_is_distorted_on_its_own() -> None:
    given = images(5, channels=2)
    apart = IMPLEMENTATIONS["RTS"].per_channel(2)
    shown = apart(given, given, drawn(3), 1.0, CANVAS)
    assert shown.shape == (5, 2, 48, 40)
    assert (shown[:, 0] != shown[:, 1]).any(dim=(1, 2)).all()
    draw = apart.draw(5, drawn(3))
    for channel in (0, 1):
        own = IMPLEMENTATIONS["RTS"].apply(given[:, :1], given, draw[channel::2], 1.0, CANVAS)
        assert torch.equal(shown[:, channel], own[:, 0])


def test_a_row_comes_to_stand_on_a_slanted_line() -> None:
    """Three white squares: in the middle and level, then steepest, then as far as there is room."""
    row, canvas = torch.ones(1, 1, 28, 84), Canvas(100, 100)
    slanted, black = IMPLEMENTATIONS["slanted"], torch.zeros(1, 1, 28, 28)

    def boxes(across: float, down: float, rise: float) -> list[int]:
        draw = torch.full((slanted.moving_draws + slanted.fixed_draws, 1), 0.5)
        draw[:3, 0] = torch.tensor([across, down, rise])
        lit = slanted.apply(row, black, draw, 1.0, canvas)[0, 0] > 0.5
        left = int(lit.any(dim=0).nonzero()[0])
        return [int(lit[:, left + 14 + 28 * place].nonzero()[0]) for place in range(3)] + [left]

    assert boxes(0.5, 0.5, 0.5) == [36, 36, 36, 8]
    assert boxes(0.0, 0.5, 1.0) == [22, 36, 50, 0]
    assert boxes(1.0, 1.0, 1.0)[1:3] == [72, 72]


def test_clutter_comes_from_bytes_as_from_tones() -> None:
    bytes_, tones = (images() * 255).byte(), (images() * 255).byte().float() / 255
    one, other = (
        IMPLEMENTATIONS["TC"](images(), others, drawn(), 1.0, CANVAS) for others in (bytes_, tones)
    )
    assert torch.equal(one, other)


def test_a_subject_stays_on_the_canvas_and_its_image_need_not() -> None:
    """A spot in the middle of a large image goes anywhere, its surroundings beyond the edge."""
    large = torch.zeros(300, 1, 88, 88)
    large[:, :, 42:46, 42:46] = 1
    canvas = Canvas(48, 48, padding="border", subject=(30, 30))
    shown = IMPLEMENTATIONS["RTS"](large, large, drawn(), 1.0, canvas)
    places = torch.stack([light[0].flatten().argmax() for light in shown])
    for axis in (places % 48, places // 48):
        assert axis.min() < 17
        assert axis.max() > 31
        assert axis.min() >= 8
        assert axis.max() <= 40


def test_beyond_a_photo_its_edge_goes_on() -> None:
    white = torch.ones(4, 3, 28, 28)
    canvas = Canvas(48, 48, padding="border")
    for name in ("RTS", "P", "viewpoint", "deformation", "variation"):
        assert torch.allclose(
            IMPLEMENTATIONS[name](white, white, drawn(), 1.0, canvas), torch.tensor(1.0), atol=1e-5
        ), name
