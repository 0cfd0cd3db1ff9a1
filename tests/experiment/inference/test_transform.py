"""Transforming pictures with the shipped weights."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import InvalidInput, PictureError
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inference import transform as transform_module
from stnscope.backend.experiment.inference.transform import transform, transform_cached, warm_up
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.cards import cards
from tests.experiment.other_device import other_device

DIGITS = shipped(cards()["digits"])


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    warm_up(threads=1)


def png(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def held_out_digits(count: int) -> tuple[list[np.ndarray], list[int]]:
    """Return held-out digits, 28x28 uint8, light on black, and their labels."""
    digits = load("digits")
    images = (digits.held_out.pixels[:count, 0] * 255).round().byte().numpy()
    return list(images), digits.held_out.labels[:count].tolist()


@pytest.fixture(scope="module")
def frame() -> Frame:
    images, _ = held_out_digits(1)
    return transform(png(images[0]), DIGITS)


def test_frame_of_one_picture(frame: Frame) -> None:
    assert frame.info["protocol"] == 1
    assert frame.info["labels"] == [None]
    assert frame.info["classes"] == list("0123456789")
    assert (frame.info["step"], frame.info["loss"], frame.info["accuracy"]) == (0, None, None)
    assert frame.info["weights"] == "digits"
    assert frame.tensors["input"].shape == (1, 48, 48, 1)
    assert frame.tensors["output.st"].shape == (1, 28, 28, 1)
    assert frame.tensors["corners.st"].shape == (1, 4, 2)
    np.testing.assert_allclose(frame.tensors["probabilities"].sum(), 1, atol=1e-5)
    assert frame.info["predicted"] == [int(frame.tensors["probabilities"].argmax())]
    again = Frame.decode(frame.encode())
    assert again.info == dict(frame.info)


@pytest.mark.parametrize("inverted", [False, True])
def test_pictures_of_digits_are_recognised(inverted: bool) -> None:
    images, labels = held_out_digits(60)
    right = 0
    for image, label in zip(images, labels, strict=True):
        result = transform(png(255 - image if inverted else image), DIGITS)
        right += result.info["predicted"] == [label]
        assert result.info["inverted"] is inverted
    assert right >= 55


def test_distortion_depends_on_its_seed() -> None:
    images, _ = held_out_digits(1)
    scattered = {"name": "scattered", "strength": 1.0, "seed": 3}
    first = transform(png(images[0]), DIGITS, scattered)
    same = transform(png(images[0]), DIGITS, scattered)
    other = transform(png(images[0]), DIGITS, scattered | {"seed": 4})
    np.testing.assert_array_equal(first.tensors["input"], same.tensors["input"])
    assert (first.tensors["input"] != other.tensors["input"]).any()
    centred = transform(png(images[0]), DIGITS, {"name": "centred"})
    assert (centred.tensors["input"][0, :10] == 0).all()
    assert centred.tensors["input"].max() > 200


@pytest.mark.parametrize(
    ("distortion", "field"),
    [
        ({"name": "melted"}, "distortion.name"),
        ({"strength": 2}, "distortion.strength"),
        ({"seed": -1}, "distortion.seed"),
        ({"colour": "red"}, "distortion.colour"),
    ],
)
def test_invalid_distortion_names_the_field(distortion: dict[str, object], field: str) -> None:
    images, _ = held_out_digits(1)
    with pytest.raises(InvalidInput) as caught:
        transform(png(images[0]), DIGITS, distortion)
    assert caught.value.field == field


@pytest.mark.parametrize("name", sorted(cards()))
def test_all_weights_accept_a_colour_photo(name: str) -> None:
    pixels = torch.rand(90, 160, 3, generator=torch.Generator().manual_seed(0))
    result = transform(png((pixels * 255).byte().numpy()), shipped(cards()[name]))
    assert all(np.isfinite(tensor).all() for tensor in result.tensors.values())


def test_bytes_of_no_picture_are_refused() -> None:
    with pytest.raises(PictureError):
        transform(b"no picture", DIGITS)


def test_region_beside_what_is_in_the_picture_is_reported() -> None:
    pixels = np.zeros((200, 200), dtype=np.uint8)
    pixels[:20, :20] = pixels[-20:, -20:] = 255
    result = transform(png(pixels), DIGITS)
    assert result.tensors["input"].max() == 255
    assert result.tensors["output.st"].max() == 0
    assert "samples a region in which nothing is to be seen" in result.info["notes"][-1]
    digit, _ = held_out_digits(1)
    assert not any("nothing" in note for note in transform(png(digit[0]), DIGITS).info["notes"])


@pytest.mark.filterwarnings("ignore:.*from a non-meta parameter")
def test_picture_is_transformed_on_another_device_as_on_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images, _ = held_out_digits(1)
    picture, corners = png(images[0]), {"st": [[4, 4], [40, 8], [40, 40], [4, 40]]}
    given = {"st": [0.5, 0.0, 0.1, 0.0, 0.5, 0.0]}

    def results() -> list[Frame]:
        first = transform(picture, DIGITS)
        return [
            first,
            transform(picture, DIGITS, theta=given),
            transform_cached(first.info["picture"], DIGITS, corners=corners),
        ]

    expected = results()
    transform_module._load_network.cache_clear()
    try:
        with other_device(monkeypatch) as device:
            monkeypatch.setattr(transform_module, "_device", device)
            actual = results()
            assert transform_module._load_network(DIGITS).device == device
    finally:
        transform_module._load_network.cache_clear()
    for first, second in zip(expected, actual, strict=True):
        assert first.tensors.keys() == second.tensors.keys()
        for name, array in first.tensors.items():
            assert np.array_equal(second.tensors[name], array), name
