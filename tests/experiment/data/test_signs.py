"""Drawn traffic signs."""

import numpy as np
import torch

from stnscope.backend.experiment.data.sign_drawing import DRAWINGS, draw_sign
from stnscope.backend.experiment.data.sign_images import DRAWN_SIDE, draw_photos


def test_drawings_are_reproducible_and_have_their_colours() -> None:
    for number in DRAWINGS:
        drawing = draw_sign(number, 64)
        assert drawing.shape == (64, 64, 4)
        assert np.array_equal(drawing, draw_sign(number, 64))
        assert 0.3 < drawing[..., 3].mean() < 0.85, number
        assert drawing[0, 0, 3] == 0
    blue = draw_sign(38, 64)[32, 8]
    red = draw_sign(17, 64)[12, 32]
    yellow = draw_sign(12, 64)[32, 32]
    assert blue[2] > 2 * blue[0]
    assert red[0] > 4 * red[2]
    assert min(yellow[:2]) > 4 * yellow[2]


def test_drawings_differ_from_one_another() -> None:
    drawings = [draw_sign(number, 48) for number in DRAWINGS]
    for index, drawing in enumerate(drawings):
        for other in drawings[:index]:
            assert np.abs(drawing - other).max() > 0.4


def test_photos_vary_in_light_and_background() -> None:
    drawing = torch.from_numpy(draw_sign(17, DRAWN_SIDE)).permute(2, 0, 1)
    photos, same = (
        draw_photos(drawing.expand(40, -1, -1, -1), torch.Generator().manual_seed(1)).float() / 255
        for _ in range(2)
    )
    assert torch.equal(photos, same)
    centre = photos[:, :, 26:32, 30:42].mean(dim=(2, 3))
    assert (centre[:, 0] > centre[:, 2]).all(), "red above the bar, in any light"
    brightness = photos.mean(dim=(1, 2, 3))
    assert brightness.max() > 2 * brightness.min()
    corners = photos[:, :, :12, :12].mean(dim=(2, 3))
    assert corners.std(dim=0).min() > 0.05
