"""A picture is fitted into a network's input, and made similar to its training images."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from stnscope.backend.experiment.pictures.decode import Picture
from stnscope.backend.experiment.pictures.fit import Fitted, fit


def make_picture(image: Image.Image) -> Picture:
    return Picture(np.array(image.convert("RGB")), image.size)


def draw_cross(
    ink: int, paper: int, size: tuple[int, int] = (96, 96), width: int = 8
) -> Image.Image:
    """Draw a cross with a pen."""
    image = Image.new("L", size, paper)
    draw = ImageDraw.Draw(image)
    x, y = size[0] // 2, size[1] // 2
    draw.line((x - 25, y, x + 25, y), fill=ink, width=width)
    draw.line((x, y - 25, x, y + 25), fill=ink, width=width)
    return image


def fit_digit(image: Image.Image) -> Fitted:
    return fit(make_picture(image), (48, 48), 1, light_on_dark=True)


def test_picture_that_fits_is_unchanged() -> None:
    image = draw_cross(ink=255, paper=0, size=(48, 48), width=4)
    fitted = fit_digit(image)
    assert fitted.image.dtype == np.float32
    np.testing.assert_allclose(fitted.image[..., 0], np.array(image) / 255, atol=1e-5)
    assert not fitted.inverted
    assert fitted.notes == ()


def test_dark_strokes_are_inverted_with_a_note() -> None:
    light, dark = fit_digit(draw_cross(255, 0)), fit_digit(draw_cross(0, 255))
    assert dark.inverted
    assert "inverted" in dark.notes[0]
    np.testing.assert_allclose(dark.image, light.image, atol=0.02)


@pytest.mark.parametrize(("ink", "paper"), [(60, 200), (30, 90), (150, 40), (180, 230)])
def test_background_is_subtracted_and_contrast_stretched(ink: int, paper: int) -> None:
    fitted = fit_digit(draw_cross(ink, paper, size=(200, 96), width=8))
    assert fitted.inverted == (ink < paper)
    assert "contrast stretched" in " ".join(fitted.notes)
    # Paper and margin are both black, so that there is no edge between them.
    assert fitted.image[:17].max() < 0.02
    assert fitted.image[:, :17].max() < 0.02
    assert fitted.image[24, 24, 0] > 0.9


def test_uneven_light_and_noise_are_removed() -> None:
    paper = np.array(draw_cross(0, 255), dtype=np.float64) / 255
    light = np.linspace(0.45, 0.95, 96)[None, :] + np.linspace(-0.1, 0.1, 96)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.02, paper.shape)
    photo = np.clip((0.15 + 0.85 * paper) * light + noise, 0, 1) * 255
    fitted = fit_digit(Image.fromarray(photo.astype(np.uint8)))
    assert fitted.inverted
    assert fitted.image[24, 24, 0] > 0.6
    corners = fitted.image[[2, 2, 45, 45], [2, 45, 2, 45], 0]
    assert corners.max() < 0.1


def test_uniform_picture_stays_black() -> None:
    fitted = fit_digit(Image.new("L", (60, 40), 128))
    assert fitted.image.max() < 0.04
    assert "almost uniform" in fitted.notes[0]


@pytest.mark.parametrize(("size", "sides"), [((60, 30), "above and below"), ((30, 60), "left")])
def test_picture_is_letterboxed(size: tuple[int, int], sides: str) -> None:
    image = Image.new("RGB", size, (200, 100, 50))
    fitted = fit(make_picture(image), (48, 48), 3, light_on_dark=False)
    assert fitted.image.shape == (48, 48, 3)
    np.testing.assert_allclose(fitted.image, np.full((48, 48, 3), [200, 100, 50]) / 255, atol=1e-5)
    assert sides in fitted.notes[0]
    assert not fitted.inverted


def test_longer_side_fills_the_input() -> None:
    image = Image.new("L", (40, 20), 0)
    image.paste(255, (0, 0, 40, 10))
    fitted = fit(make_picture(image), (32, 48), 1, light_on_dark=False)
    expected = np.zeros((24, 48))
    expected[:12] = 1
    np.testing.assert_allclose(fitted.image[4:28, :, 0], expected, atol=0.15)


def test_reduction_is_antialiased() -> None:
    stripes = np.zeros((480, 480), dtype=np.uint8)
    stripes[:, ::2] = 255
    fitted = fit(make_picture(Image.fromarray(stripes)), (48, 48), 3, light_on_dark=False)
    np.testing.assert_allclose(fitted.image[2:-2, 2:-2], 0.5, atol=0.03)


def test_thin_stroke_on_a_large_page_is_visible() -> None:
    page = Image.new("L", (512, 512), 240)
    ImageDraw.Draw(page).line((100, 400, 400, 100), fill=20, width=3)
    assert fit_digit(page).image.max() > 0.95


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 2)])
def test_tiny_pictures_are_fitted(size: tuple[int, int]) -> None:
    for light_on_dark in (True, False):
        fitted = fit(make_picture(Image.new("L", size, 90)), (48, 48), 1, light_on_dark)
        assert fitted.image.shape == (48, 48, 1)
        assert np.isfinite(fitted.image).all()


def test_digit_that_fills_the_picture_gets_a_margin() -> None:
    image = draw_cross(255, 0, size=(52, 52))
    fitted = fit(make_picture(image), (48, 48), 1, light_on_dark=True, subject=28)
    rows = np.flatnonzero(fitted.image[..., 0].max(axis=1) > 0.5)
    assert 26 <= rows[-1] - rows[0] + 1 <= 30
    assert abs(rows[0] + rows[-1] - 47) <= 1
    assert "made smaller" in " ".join(fitted.notes)


def test_picture_of_the_inputs_size_is_unchanged() -> None:
    image = draw_cross(255, 0, size=(48, 48), width=4)
    fitted = fit(
        make_picture(image), (48, 48), 1, light_on_dark=True, subject=20, detail_spacing=4.0
    )
    np.testing.assert_allclose(fitted.image[..., 0], np.array(image) / 255, atol=1e-5)


def test_many_small_objects_get_no_margin() -> None:
    image = Image.new("L", (96, 96))
    for at in range(0, 96, 16):
        image.paste(255, (at, at, at + 8, at + 8))
    fitted = fit(make_picture(image), (48, 48), 1, light_on_dark=True, subject=28)
    assert fitted.image[1, 1, 0] == 1
    assert "made smaller" not in " ".join(fitted.notes)


def test_strokes_are_blurred_by_the_detail_spacing() -> None:
    image = draw_cross(255, 0, width=2)
    sharp = fit(make_picture(image), (48, 48), 1, light_on_dark=True)
    soft = fit(make_picture(image), (48, 48), 1, light_on_dark=True, detail_spacing=4.0)
    assert (soft.image > 0.1).sum() > 1.5 * (sharp.image > 0.1).sum()
    assert soft.image.max() > 0.95


def fit_subject(image: Image.Image) -> Fitted:
    return fit(make_picture(image), (48, 48), 1, light_on_dark=True, subject=24, detail_spacing=3.5)


def extent(fitted: Fitted) -> float:
    """The side of a square as large as what is drawn, in pixels."""
    return float(np.sqrt(fitted.image.sum()))


def test_files_of_one_photo_are_fitted_at_nearly_one_size() -> None:
    """Whatever the size of the subject, near the one from which it is reduced too."""
    generator = np.random.default_rng(5)
    grain = generator.normal(0, 5, (160, 160))
    for width in range(6, 27, 2):
        pixels = np.array(draw_cross(40, 215, (160, 160), width).resize((160, 160)), np.float64)
        photo = Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
        extents = []
        for kind, quality in (("PNG", 0), ("JPEG", 90), ("JPEG", 60), ("WEBP", 90), ("WEBP", 60)):
            file = BytesIO()
            photo.convert("RGB").save(file, kind, quality=quality)
            with Image.open(file) as stored:
                extents.append(extent(fit_subject(stored)))
        assert max(extents) - min(extents) < 0.06 * max(extents), (width, extents)


def test_fitted_size_has_no_jump_as_the_subject_grows() -> None:
    sizes = []
    for side in range(20, 48):
        image = Image.new("L", (240, 240), 0)
        half = side * 5 // 2
        ImageDraw.Draw(image).rectangle((120 - half, 120 - half, 119 + half, 119 + half), fill=255)
        sizes.append(extent(fit_subject(image)))
    steps = np.abs(np.diff(sizes))
    assert steps.max() < 2.1
    assert max(sizes) < 1.25 * 24
    assert sizes[-1] < 1.1 * 24
