"""Images in a scene made from other photos."""

import torch

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions import compose
from stnscope.models import grid

CANVAS = Canvas(48, 48)
SCENE = compose("scene")


def white_images(count: int) -> torch.Tensor:
    return torch.ones(count, 3, 48, 48)


def photos(corners: int, middle: int) -> torch.Tensor:
    """Photos of one value in their corners and another one in the middle, where the subject is."""
    pixels = torch.full((5, 3, 48, 48), middle, dtype=torch.uint8)
    far = grid.pixel_centres(48, 48).abs().min(dim=1).values.view(48, 48) > 0.4
    pixels[:, :, far] = corners
    return pixels


def test_strength_0_leaves_the_image() -> None:
    images = torch.rand(4, 3, 48, 48, generator=torch.Generator().manual_seed(3))
    draws = SCENE.draw(4, torch.Generator().manual_seed(0))
    placed = SCENE.apply(images, photos(200, 10), draws, 0.0, CANVAS)
    torch.testing.assert_close(placed, images, atol=1e-5, rtol=0)


def test_background_is_of_the_corners_of_photos_as_bright_as_the_image() -> None:
    dim = white_images(40) * 0.5
    draws = SCENE.draw(40, torch.Generator().manual_seed(0))
    # Corners as bright as the image equal it; the middle of a photo would be black.
    placed = SCENE.apply(dim, photos(100, 0), draws, 1.0, CANVAS)
    torch.testing.assert_close(placed, dim, atol=0.03, rtol=0)


def test_images_stay_on_the_canvas_at_their_scale_and_move_before_a_still_background() -> None:
    draws = SCENE.draw(60, torch.Generator().manual_seed(1))
    black = photos(0, 0)
    placed = SCENE.apply(white_images(60), black, draws, 1.0, CANVAS)
    sides = placed[:, 0].mean(dim=(1, 2)).sqrt()
    assert 0.35 < sides.min() < 0.45
    assert 0.85 < sides.max() < 1
    assert (placed.amax(dim=(1, 2, 3)) > 0.99).all()
    pixels = grid.pixel_centres(48, 48).view(48, 48, 2)
    weights = placed[:, 0] / placed[:, 0].sum(dim=(1, 2), keepdim=True)
    centres = (weights[..., None] * pixels).sum(dim=(1, 2))
    assert centres.std(dim=0).min() > 0.1
    moved = SCENE.at_phase(draws, 0.25)
    assert not torch.equal(moved[:4], draws[:4])
    assert torch.equal(moved[4:], draws[4:])
