"""Transforming a picture with overridden theta or corners."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stnscope.backend.experiment.errors import InvalidInput, NotFound
from stnscope.backend.experiment.inference import transform as module
from stnscope.backend.experiment.inference.transform import transform, transform_cached, warm_up
from stnscope.backend.experiment.probes.theta_override import resolve_thetas
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.architectures import build
from stnscope.models.cards import cards

DIGITS = shipped(cards()["digits"])

THETA = [0.5, 0.1, 0.2, -0.1, 0.6, -0.3]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    warm_up(threads=1)


@pytest.fixture(scope="module")
def picture() -> bytes:
    draw = np.random.default_rng(1)
    buffer = BytesIO()
    Image.fromarray(draw.integers(0, 256, (48, 48), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def corners_of(theta: list[float], side: int) -> list[list[float]]:
    """Return the corners of an affine theta, in pixels."""
    a, b, c, d, e, f = theta
    return [
        [(a * x + b * y + c + 1) * side / 2, (d * x + e * y + f + 1) * side / 2]
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


@pytest.mark.parametrize("name", ["digits", "signs"])
def test_given_theta_is_used(picture: bytes, name: str) -> None:
    weights = shipped(cards()[name])
    predicted = transform(picture, weights)
    frame = transform(picture, weights, theta={"st": THETA})
    assert predicted.info["given"] == []
    assert frame.info["given"] == ["st"]
    np.testing.assert_allclose(frame.tensors["theta.st"], [THETA], rtol=1e-6)
    np.testing.assert_allclose(frame.tensors["corners.st"], [corners_of(THETA, 48)], atol=1e-4)
    np.testing.assert_array_equal(frame.tensors["input"], predicted.tensors["input"])
    assert (frame.tensors["output.st"] != predicted.tensors["output.st"]).any()
    assert (frame.tensors["probabilities"] != predicted.tensors["probabilities"]).any()


def test_giving_the_predicted_theta_changes_nothing(picture: bytes) -> None:
    predicted = transform(picture, DIGITS)
    same = transform(picture, DIGITS, theta={"st": predicted.tensors["theta.st"][0].tolist()})
    for name, tensor in predicted.tensors.items():
        np.testing.assert_array_equal(same.tensors[name], tensor)


def test_corners_of_a_parallelogram_give_its_theta(picture: bytes) -> None:
    key = transform(picture, DIGITS).info["picture"]
    frame = transform_cached(key, DIGITS, corners={"st": corners_of(THETA, 48)})
    np.testing.assert_allclose(frame.tensors["theta.st"], [THETA], atol=1e-6)
    assert frame.info["given"] == ["st"]


def test_other_corners_give_the_best_fit(picture: bytes) -> None:
    key = transform(picture, DIGITS).info["picture"]
    offsets = np.array([[2, 0], [-2, 0], [2, 0], [-2, 0]])
    bent = np.array(corners_of(THETA, 48)) + offsets
    frame = transform_cached(key, DIGITS, corners={"st": bent.tolist()})
    np.testing.assert_allclose(frame.tensors["theta.st"], [THETA], atol=1e-6)


def test_picture_is_decoded_and_fitted_once(
    picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    distortion = {"name": "scattered", "seed": 5}
    first = transform(picture, DIGITS, distortion)
    monkeypatch.setattr(module, "fit", None)
    again = transform_cached(first.info["picture"], DIGITS, distortion)
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor)
    assert again.info["notes"] == first.info["notes"]


def test_unknown_picture_is_not_available() -> None:
    with pytest.raises(NotFound, match="no longer available"):
        transform_cached("0" * 32, DIGITS)


@pytest.mark.parametrize(
    ("theta", "corners", "field", "message"),
    [
        ([1, 2], None, "theta", "an object"),
        ({"st": THETA[:5]}, None, "theta.st", "list of 6 numbers.*affine.*not 5"),
        ({"st": [*THETA, 1]}, None, "theta.st", "not 7"),
        ({"st": "123456"}, None, "theta.st", "list of 6 numbers"),
        ({"st": [*THETA[:5], "1"]}, None, "theta.st", "numbers"),
        ({"st": [*THETA[:5], True]}, None, "theta.st", "numbers"),
        ({"st": [*THETA[:5], float("nan")]}, None, "theta.st", "numbers"),
        ({"st": [*THETA[:5], float("inf")]}, None, "theta.st", "numbers"),
        ({"st": [*THETA[:5], 10**400]}, None, "theta.st", "from -1000000 to 1000000"),
        ({"st9": THETA}, None, "theta.st9", "no transformer 'st9'; there are st"),
        (None, [], "corners", "an object"),
        (None, {"st": corners_of(THETA, 48)[:3]}, "corners.st", "four points"),
        (None, {"st": [[0, 0], [1, 0], [1, 1], [0]]}, "corners.st", "four points"),
        (None, {"st": [0, 0, 1, 1]}, "corners.st", "four points"),
        (None, {"nd": corners_of(THETA, 48)}, "corners.nd", "there are st"),
        ({"st": THETA}, {"st": corners_of(THETA, 48)}, "corners.st", "not both"),
    ],
)
def test_invalid_override_names_the_field(
    picture: bytes, theta: Any, corners: Any, field: str, message: str
) -> None:
    key = transform(picture, DIGITS).info["picture"]
    with pytest.raises(InvalidInput, match=message) as caught:
        transform_cached(key, DIGITS, theta=theta, corners=corners)
    assert caught.value.field == field


def test_network_without_transformers_refuses_overrides() -> None:
    with pytest.raises(InvalidInput, match="has none"):
        resolve_thetas(build("digits-cnn").eval(), torch.rand(1, 1, 48, 48), {"st": THETA})


def test_corners_of_a_deeper_transformer_use_the_overridden_theta_before_it() -> None:
    model = build("svhn-4st").eval()
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    zoomed = {"st1": [0.5, 0, 0.25, 0, 0.5, 0.25]}
    # The second transformer's region is the whole output of the first.
    thetas = resolve_thetas(
        model, images, zoomed, {"st2": [[24, 24], [56, 24], [56, 56], [24, 56]]}
    )
    np.testing.assert_allclose(thetas["st1"], [zoomed["st1"]])
    # The map's outermost centres are extrapolated by half a pixel and more.
    np.testing.assert_allclose(thetas["st2"], [[1, 0, 0, 0, 1, 0]], atol=0.05)


@pytest.mark.parametrize("value", [0.0, 1e6, -1e6])
def test_any_theta_gives_a_finite_frame(picture: bytes, value: float) -> None:
    frame = transform(picture, DIGITS, theta={"st": [value] * 6})
    assert frame.encode()
    assert frame.info["collapsed"]["st"][0] is not None
    assert all(np.isfinite(tensor).all() for tensor in frame.tensors.values())
