"""Gradients of the loss with respect to theta and the grid, steps along them, and feature maps."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from stnscope.backend.experiment.config import SamplerConfig
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.inference.theta_gradient import Gradient, gradient_tensors
from stnscope.backend.experiment.inference.transform import transform, transform_cached
from stnscope.backend.experiment.weights.load import load
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models import grid
from stnscope.models.cards import cards
from tests.experiment.inference.test_transform import held_out_digits, png

DIGITS = shipped(cards()["digits"])
MOVED = {"shift_x": 0.3, "shift_y": -0.2, "rotation": 20}
OFF = {"st": [0.9, 0.0, -0.3, 0.0, 0.9, 0.3]}
"""A region beside the digit."""
SMOOTH = [0.7278, 0.1174, 0.0529, -0.1, 0.8172, 0.0014]
"""An affine theta that samples no image of these networks near the centre of a pixel."""
START = {"st": [0.8, 0.0, 0.0, 0.0, 0.8, 0.0]}


@pytest.fixture(scope="module")
def picture() -> tuple[str, int]:
    """The key of a picture of a digit, and its class."""
    images, labels = held_out_digits(1)
    return transform(png(images[0]), DIGITS).info["picture"], int(labels[0])


def loss_at(key: str, label: int, theta: Array) -> float:
    """Return the cross entropy of a class under a theta."""
    frame = transform_cached(key, DIGITS, theta={"st": theta.tolist()}, variation=MOVED)
    return -float(np.log(frame.tensors["probabilities"][0, label]))


def with_gradient(key: str, label: int, theta: dict[str, list[float]] = OFF) -> Frame:
    return transform_cached(key, DIGITS, theta=theta, variation=MOVED, gradient={"class": label})


def test_gradient_of_theta_is_the_slope_of_the_loss(picture: tuple[str, int]) -> None:
    key, label = picture
    frame = with_gradient(key, label)
    theta = np.array(OFF["st"])
    assert frame.info["gradient"]["loss"] == pytest.approx(loss_at(key, label, theta), rel=1e-4)
    slopes = []
    for index in range(6):
        step = 1e-3 * np.eye(6)[index]
        slopes.append(
            (loss_at(key, label, theta + step) - loss_at(key, label, theta - step)) / 2e-3
        )
    found = frame.tensors["gradient.theta.st"][0]
    # Bilinear sampling has kinks, so the slope over a step is only near the derivative.
    np.testing.assert_allclose(found, slopes, atol=0.15 * np.abs(slopes).max())


@pytest.mark.parametrize(
    ("name", "channels", "supersampling"), [("digits", 1, 1), ("gtsrb-2st", 3, 2)]
)
def test_gradient_agrees_with_finite_differences(
    name: str, channels: int, supersampling: int
) -> None:
    """In double precision, over a step too short to reach a kink of bilinear sampling."""
    weights = replace(shipped(cards()[name]), sampler=SamplerConfig(supersampling=supersampling))
    network = load(weights).double()
    image = torch.rand(1, channels, 48, 48, generator=torch.Generator().manual_seed(0)).double()
    theta = {
        transformer.name: torch.tensor([SMOOTH], dtype=torch.float64)
        for transformer in network.transformers
    }
    gradient = Gradient.model_validate({"class": 3})
    tensors, _ = gradient_tensors(network, image, theta, gradient)

    def loss(changed: str, offset: torch.Tensor) -> float:
        with torch.no_grad():
            logits = network(image, theta | {changed: theta[changed] + offset}).logits
            return float(functional.cross_entropy(logits, torch.tensor([3])))

    with torch.no_grad():
        warps = network(image, theta).warps
    for transformer, path, warp in zip(
        network.transformers, network.input_paths, warps, strict=True
    ):
        height, width = path.receptive_field.size
        from_centres = grid.to_pixels(warp.samples, height, width) - 0.5
        assert (from_centres - from_centres.round()).abs().min() > 1e-4
        slopes = [
            (loss(transformer.name, step) - loss(transformer.name, -step)) / 2e-7
            for step in 1e-7 * torch.eye(6).double()
        ]
        found = tensors[f"gradient.theta.{transformer.name}"][0]
        np.testing.assert_allclose(found, slopes, rtol=1e-3, atol=1e-4 * np.abs(slopes).max())
        # A shift of theta moves each sampling point by as much, in half sides of the input.
        of_points = tensors[f"gradient.grid.{transformer.name}"]
        assert of_points.shape == (1, *transformer.size, 2)
        total = of_points.sum(axis=(0, 1, 2)) * [width / 2, height / 2]
        np.testing.assert_allclose(total, found[[2, 5]], rtol=1e-3, atol=1e-4)


def test_gradients_of_the_sampling_points_add_up_to_that_of_theta(picture: tuple[str, int]) -> None:
    """The chain rule: d(x, y)/d(theta) is (x_t, y_t, 1)."""
    key, label = picture
    frame = with_gradient(key, label)
    of_points = torch.from_numpy(frame.tensors["gradient.grid.st"][0]).view(-1, 2).double()
    # From one per pixel to one per half side: the input has 48 pixels a side.
    of_points = of_points * 48 / 2
    targets = grid.pixel_centres(28, 28).double()
    homogeneous = torch.cat([targets, torch.ones(len(targets), 1)], dim=1)
    summed = (of_points.T @ homogeneous).flatten()
    torch.testing.assert_close(
        summed.float(),
        torch.from_numpy(frame.tensors["gradient.theta.st"][0]),
        rtol=1e-3,
        atol=1e-4,
    )


def test_no_gradient_outside_the_image(picture: tuple[str, int]) -> None:
    key, label = picture
    frame = with_gradient(key, label, {"st": [0.5, 0, 4, 0, 0.5, 4]})
    assert (frame.tensors["gradient.grid.st"] == 0).all()
    assert (frame.tensors["gradient.theta.st"] == 0).all()


def test_steps_on_theta_walk_to_the_digit(picture: tuple[str, int]) -> None:
    key, label = picture
    steps = {"class": label, "count": 50, "rate": 0.005}
    frame = transform_cached(key, DIGITS, theta=START, variation=MOVED, steps=steps)
    loss = frame.tensors["steps.loss"]
    assert loss.shape == (51,)
    assert loss[-1] < 0.5 * loss[0]
    thetas = frame.tensors["steps.theta.st"]
    np.testing.assert_allclose(thetas[0], START["st"], rtol=1e-6)
    first = with_gradient(key, label, START).tensors["gradient.theta.st"][0]
    np.testing.assert_allclose(thetas[1], thetas[0] - 0.005 * first, rtol=1e-4, atol=1e-6)
    # The frame is that of the last theta.
    np.testing.assert_array_equal(frame.tensors["theta.st"][0], thetas[-1])
    np.testing.assert_allclose(
        frame.tensors["steps.corners.st"][-1], frame.tensors["corners.st"][0], atol=1e-3
    )
    np.testing.assert_allclose(
        frame.tensors["steps.probabilities"][-1], frame.tensors["probabilities"][0], atol=1e-5
    )
    assert frame.info["given"] == ["st"]


def test_maps_are_the_stages_of_the_localisation_network(picture: tuple[str, int]) -> None:
    key, _ = picture
    frame = transform_cached(key, DIGITS, maps=True)
    assert [entry["shape"] for entry in frame.info["maps"]] == [
        [16, 12, 12],
        [32, 12, 12],
        [32, 12, 12],
    ]
    for entry in frame.info["maps"]:
        maps = frame.tensors[f"maps.st.{entry['index']}"]
        assert list(maps.shape) == entry["shape"]
        is_constant = maps.max(axis=(1, 2)) == 0
        assert not is_constant.all()
        assert (maps.max(axis=(1, 2))[~is_constant] == 255).all()
    assert (
        transform_cached(key, DIGITS, maps=True, variation=MOVED).tensors["maps.st.0"]
        != frame.tensors["maps.st.0"]
    ).any()
    # It is still a frame.
    assert Frame.decode(frame.encode()).info["maps"] == frame.info["maps"]


def test_maps_of_a_later_transformer_follow_the_theta_of_the_one_before(
    picture: tuple[str, int],
) -> None:
    weights = shipped(cards()["gtsrb-2st"])
    predicted, given = (
        transform_cached(picture[0], weights, theta=theta, maps=True)
        for theta in (None, {"st1": [0.4, 0, 0.3, 0, 0.4, 0.3]})
    )
    assert [entry["transformer"] for entry in given.info["maps"]] == ["st1"] * 3 + ["st2"] * 2
    first, second = "maps.st1.0", "maps.st2.0"
    np.testing.assert_array_equal(given.tensors[first], predicted.tensors[first])
    assert (given.tensors[second] != predicted.tensors[second]).any()


def test_network_without_a_transformer_says_what_it_sees(picture: tuple[str, int]) -> None:
    key, label = picture
    frame = transform_cached(key, shipped(cards()["digits-cnn"]))
    assert frame.transformers == []
    assert frame.info["predicted"] == [label]
    assert set(frame.tensors) == {"input", "probabilities"}
    for name in ("gradient", "steps"):
        request: dict[str, Any] = {name: {"class": 0}}
        with pytest.raises(InvalidInput, match="no transformer") as caught:
            transform_cached(key, shipped(cards()["digits-cnn"]), **request)
        assert caught.value.field == name


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"variation": {"rotation": 999}}, "variation.rotation"),
        ({"variation": {"rotation": float("nan")}}, "variation.rotation"),
        ({"variation": {"clutter": 1.5}}, "variation.clutter"),
        ({"variation": {"scale": True}}, "variation.scale"),
        ({"variation": {"colour": 1}}, "variation.colour"),
        ({"variation": {}, "distortion": {}}, "variation"),
        ({"gradient": {}}, "gradient.class"),
        ({"gradient": {"class": -1}}, "gradient.class"),
        ({"gradient": {"class": 10}}, "gradient.class"),
        ({"steps": {"class": 10}}, "steps.class"),
        ({"steps": {"class": 1, "count": 51}}, "steps.count"),
        ({"steps": {"class": 1, "rate": 0}}, "steps.rate"),
        ({"steps": {"class": 1, "rate": float("inf")}}, "steps.rate"),
    ],
    ids=str,
)
def test_invalid_field_is_named(
    picture: tuple[str, int], fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        transform_cached(picture[0], DIGITS, **fields)
    assert caught.value.field == field
