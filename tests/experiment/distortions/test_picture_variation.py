"""Pictures that are varied by hand: what each field does, in pixels."""

import itertools

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import MAX_CLUTTER, PictureVariation
from stnscope.backend.experiment.distortions.picture_variation import COVER_VALUE, vary

CANVAS = Canvas(40, 40)
CLUTTER = torch.ones(1, 1, 8, 8)


def blob(row: int = 20, column: int = 20) -> Tensor:
    """A black picture with a bright square of 4x4 around a corner between four pixels."""
    image = torch.zeros(1, 1, 40, 40)
    image[0, 0, row - 2 : row + 2, column - 2 : column + 2] = 1
    return image


def centre_of(image: Tensor) -> tuple[float, float]:
    """Return the centre of brightness, (x, y) in pixels."""
    weights = image[0, 0] / image.sum()
    positions = torch.arange(40) + 0.5
    return float((weights.sum(0) * positions).sum()), float((weights.sum(1) * positions).sum())


def varied(image: Tensor, **fields: float) -> Tensor:
    return vary(image, PictureVariation.model_validate(fields), CANVAS, CLUTTER)


def test_neutral_variation_changes_no_bit() -> None:
    image = torch.rand(2, 1, 40, 40)
    assert torch.equal(varied(image), image)


def test_images_are_needed_for_clutter_alone() -> None:
    image = torch.rand(2, 1, 40, 40)
    assert torch.equal(vary(image, PictureVariation(), CANVAS), image)
    with pytest.raises(ValueError, match="There are no images"):
        vary(image, PictureVariation(clutter=1), CANVAS)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"shift_x": 0.5}, (40, 20)),
        ({"shift_y": -0.25}, (30, 15)),
        ({"rotation": 90}, (20, 30)),
        ({"rotation": -90}, (20, 10)),
        ({"scale": 0.5}, (25, 20)),
        ({"scale": 0.5, "rotation": 90, "shift_x": 0.25}, (25, 25)),
    ],
)
def test_subject_right_of_the_middle_moves(
    fields: dict[str, float], expected: tuple[float, float]
) -> None:
    moved = varied(blob(column=30), **fields)
    if expected[0] == 40:  # half of it is beyond the edge
        assert centre_of(moved)[0] == pytest.approx(39, abs=0.01)
    else:
        assert centre_of(moved) == pytest.approx(expected, abs=0.02)


def test_scale_enlarges_what_is_in_the_middle() -> None:
    assert varied(blob(), scale=2).sum() == pytest.approx(4 * 16, rel=0.02)


def test_tilt_shortens_one_side_more_than_the_other_and_leaves_the_middle() -> None:
    left, right = (varied(blob(column=column), tilt=40) for column in (10, 30))
    assert centre_of(varied(blob(), tilt=40))[0] == pytest.approx(20, abs=0.2)
    assert 20 - centre_of(left)[0] > centre_of(right)[0] - 20 > 0
    assert left.sum() > right.sum()


def test_bend_moves_the_upper_and_lower_edge_to_one_side() -> None:
    top, bottom = (centre_of(varied(blob(row=row), bend=0.5))[0] for row in (4, 36))
    assert top == pytest.approx(bottom, abs=0.01)
    assert top > 22
    assert centre_of(varied(blob(), bend=0.5))[0] == pytest.approx(20, abs=0.1)


def test_darkness_and_cover_change_values() -> None:
    image = torch.ones(1, 1, 40, 40)
    assert varied(image, darkness=1).max() < 0.06
    covered = varied(image, cover=0.5)[0, 0, 0]
    assert (covered[10:30] == COVER_VALUE).all()
    assert (covered[:9] == 1).all()
    assert torch.equal(varied(image, cover=1), torch.full_like(image, COVER_VALUE))


def test_each_crop_of_clutter_stays_where_it_is_with_one_more() -> None:
    black = torch.zeros(1, 1, 40, 40)
    pictures = [varied(black, clutter=count, seed=3) for count in range(MAX_CLUTTER + 1)]
    for fewer, more in itertools.pairwise(pictures):
        assert (more >= fewer).all()
    assert pictures[1].sum() == 36
    assert not torch.equal(pictures[3], varied(black, clutter=3, seed=4))
    assert black.sum() == 0


def test_what_is_beyond_the_picture_is_the_canvas_padding() -> None:
    image = torch.full((1, 3, 40, 40), 0.7)
    moved = vary(
        image,
        PictureVariation(shift_x=1.0),
        Canvas(40, 40, padding="border"),
        torch.zeros(1, 3, 8, 8),
    )
    assert torch.allclose(moved, image)
