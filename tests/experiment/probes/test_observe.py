"""Frames of probes, against torch's affine_grid and grid_sample."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from stnscope.backend.experiment.config import RunConfig, SamplerConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.frame_metrics import theta_summary
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import (
    LAP,
    observe,
    observe_step,
)
from stnscope.backend.experiment.training.loop import Batches, build_network, train
from stnscope.models.architectures import build
from stnscope.models.network import Network
from stnscope.models.transformer import SpatialTransformer

CONFIG = RunConfig(batch_size=16)
THETAS = torch.tensor([[0.6, -0.3, 0.2, 0.25, 0.5, -0.4], [-1.4, 0.1, 1.5, 0.0, 0.7, 0.0]])


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def probes(digits: Dataset) -> Probes:
    return Probes.choose(digits, CONFIG)


def fixed_network(theta: torch.Tensor) -> Network:
    """A network that predicts the same theta for every image."""
    model = build("digits")
    transformer = model.transformers[0]
    assert isinstance(transformer, SpatialTransformer)
    with torch.no_grad():
        transformer.regression.bias.copy_(theta)
    return model


def test_probes_are_held_out_digits_of_alternating_classes(digits: Dataset, probes: Probes) -> None:
    assert probes.labels == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1)
    assert probes.images.shape == (12, 1, 48, 48)
    plain = Probes.choose(digits, CONFIG.model_copy(update={"distortion": still()}))
    held_out = {image.numpy().round(3).tobytes() for image in digits.held_out.pixels}
    shown = {image.numpy().round(3).tobytes() for image in plain.images[:, :, 10:38, 10:38]}
    assert len(shown) == 12
    assert shown <= held_out


def still() -> object:
    return CONFIG.distortion.model_copy(update={"name": "centred"})


@pytest.mark.parametrize(
    ("sampler", "value"),
    [
        (SamplerConfig(), 0),
        (SamplerConfig(padding="zeros"), 0),
        (SamplerConfig(padding="background", background=0.5, supersampling=2), 128),
    ],
)
def test_frame_shows_the_run_s_padding(probes: Probes, sampler: SamplerConfig, value: int) -> None:
    model = build_network(CONFIG.model_copy(update={"sampler": sampler}), 10)
    (transformer,) = model.transformers
    assert isinstance(transformer, SpatialTransformer)
    with torch.no_grad():
        transformer.regression.bias.copy_(torch.tensor([1.0, 0, 5, 0, 1, 0]))
    assert set(observe(model, probes, {}).tensors["output.st"].flatten().tolist()) == {value}


def test_probes_are_the_same_for_every_run_and_count(digits: Dataset, probes: Probes) -> None:
    more_probes = CONFIG.probes.model_copy(update={"count": 24})
    probes_of_more = Probes.choose(
        digits, CONFIG.model_copy(update={"seed": 5, "probes": more_probes})
    )
    assert torch.equal(probes_of_more.images[:12], probes.images)
    assert probes_of_more.images.shape[0] == 24


def test_path_of_the_probes_is_closed_and_smooth(probes: Probes) -> None:
    def difference(probes: Probes, moved: Probes) -> float:
        return (probes.images - moved.images).abs().mean().item()

    assert torch.equal(probes.at_phase(0).images, probes.images)
    assert difference(probes.at_phase(1), probes) < 1e-3
    lap = [probes.at_phase(number / LAP) for number in range(LAP)]
    steps = [difference(lap[number - 1], lap[number]) for number in range(LAP)]
    apart = [difference(probes, moved) for moved in lap[10:50]]
    assert max(steps) < 0.5 * max(apart)
    assert min(steps) > 0
    finer = [
        difference(probes.at_phase(x / LAP / 8), probes.at_phase((x + 1) / LAP / 8)) for x in (0, 9)
    ]
    assert max(finer) < max(steps) / 3


def test_phase_of_moving_probes_depends_only_on_the_step(digits: Dataset, probes: Probes) -> None:
    other_run_probes = Probes.choose(digits, CONFIG.model_copy(update={"seed": 9, "batch_size": 3}))
    assert torch.equal(probes.at_phase(17 / LAP).images, other_run_probes.at_phase(17 / LAP).images)


def test_phase_comes_from_the_lap_if_given_else_from_the_step(
    digits: Dataset, probes: Probes
) -> None:
    for step in train(CONFIG, digits):
        if step.step == 7:
            break
    still, moving, lap = (
        observe_step(step, probes, run="r", config=CONFIG, **options)
        for options in ({}, {"moving": True}, {"lap": 7})
    )
    assert (still.info["moving"], moving.info["moving"], lap.info["moving"]) == (False, True, True)
    assert ("lap" in moving.info, lap.info["lap"]) == (False, 7)
    assert np.array_equal(moving.tensors["input"], lap.tensors["input"])
    assert not np.array_equal(moving.tensors["input"], still.tensors["input"])


@pytest.mark.parametrize("theta", THETAS)
def test_frame_agrees_with_torch(theta: torch.Tensor, probes: Probes) -> None:
    tensors = observe(fixed_network(theta), probes, {}).tensors
    matrix = theta.double().view(1, 2, 3).expand(12, 2, 3)
    points = functional.affine_grid(matrix, [12, 1, 28, 28], align_corners=False)
    images = probes.images.double()
    output = functional.grid_sample(images, points, align_corners=False)
    expected = output.mul(255).permute(0, 2, 3, 1).numpy()
    assert np.abs(tensors["output.st"] - expected).max() < 0.51
    assert np.abs(tensors["input"] - images.mul(255).permute(0, 2, 3, 1).numpy()).max() < 0.51
    # With align_corners=True torch's grid runs from edge to edge, as a lattice does.
    edges = functional.affine_grid(matrix, [12, 1, 7, 7], align_corners=True)
    assert np.allclose(tensors["grid.st"], (edges + 1) * 24, atol=1e-4)
    assert np.allclose(tensors["theta.st"], theta)


def test_corners_run_clockwise_from_the_output_s_top_left(probes: Probes) -> None:
    tensors = observe(fixed_network(torch.tensor([0.5, 0, 0.25, 0, 0.5, 0])), probes, {}).tensors
    assert tensors["corners.st"][0].tolist() == [[18, 12], [42, 12], [42, 36], [18, 36]]


def test_frame_has_all_entries_and_decodes_again(digits: Dataset, probes: Probes) -> None:
    step = next(train(CONFIG, digits))
    frame = Frame.decode(observe_step(step, probes, run="r1", config=CONFIG).encode())
    assert {name: (array.dtype.name, array.shape) for name, array in frame.tensors.items()} == {
        "input": ("uint8", (12, 48, 48, 1)),
        "output.st": ("uint8", (12, 28, 28, 1)),
        "theta.st": ("float32", (12, 6)),
        "corners.st": ("float32", (12, 4, 2)),
        "grid.st": ("float32", (12, 7, 7, 2)),
        "probabilities": ("float32", (12, 10)),
    }
    assert np.allclose(frame.tensors["probabilities"].sum(axis=1), 1, atol=1e-5)
    info = dict(frame.info)
    assert info.pop("time") > 1.7e9
    assert info.pop("predicted") == frame.tensors["probabilities"].argmax(axis=1).tolist()
    assert info == {
        "protocol": 1,
        "run": "r1",
        "step": 0,
        "epoch": 1,
        "progress": 0,
        "loss": None,
        "accuracy": None,
        "moving": False,
        "classes": list("0123456789"),
        "labels": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1],
        "transformers": [{"name": "st", "family": "affine", "at": "input"}],
        "collapsed": {"st": [None] * 12},
    }


@pytest.mark.parametrize(
    ("theta", "reason"),
    [
        ([0.5, 0, 1.7, 0, 0.5, 0], "outside"),
        ([0.05, 0, 0, 0, 0.05, 0], "vanishing"),
        ([-1.0, 0, 0, 0, 1.0, 0], "mirrored"),
        ([0.6, 0, 0.2, 0, 0.6, 0], "shared"),
    ],
)
def test_frame_has_the_reason_of_a_collapse(
    theta: list[float], reason: str, probes: Probes
) -> None:
    assert (
        observe(fixed_network(torch.tensor(theta)), probes, {}).info["collapsed"]["st"]
        == [reason] * 12
    )


def test_a_network_without_transformers_has_none_of_their_tensors(probes: Probes) -> None:
    frame = observe(build("digits-cnn"), probes, {})
    assert set(frame.tensors) == {"input", "probabilities"}
    assert (frame.info["transformers"], frame.info["collapsed"]) == ([], {})
    assert theta_summary(frame) == {}


def test_summary_of_theta(probes: Probes) -> None:
    turn = 0.4 * torch.tensor([np.cos(1.0), -np.sin(1.0), np.sin(1.0), np.cos(1.0)])
    theta = torch.tensor([turn[0], turn[1], 0.25, turn[2], turn[3], -0.5])
    assert theta_summary(observe(fixed_network(theta), probes, {})) == pytest.approx(
        {"scale": 0.4, "rotation": 1.0, "shift_x": 0.25, "shift_y": -0.5}, abs=1e-5
    )


def test_observing_does_not_affect_training(digits: Dataset, probes: Probes) -> None:
    states = []
    for is_observed in (True, False):
        for step in train(CONFIG, digits):
            if is_observed:
                observe_step(step, probes, run="r", config=CONFIG)
            if step.step == 6:
                states.append(step.state())
                break
    assert all(
        torch.equal(states[0][name], states[1][name]) for name in states[0] if name[0] != "t"
    )


def test_batches_and_probes_have_the_same_distribution(digits: Dataset, probes: Probes) -> None:
    images, _ = Batches(CONFIG, digits).batch(1)
    assert images.shape[1:] == probes.images.shape[1:]
    assert images.dtype == probes.images.dtype
    assert abs(images.mean().item() - probes.images.mean().item()) < 0.05


def test_two_channels_are_shown_in_red_and_cyan() -> None:
    images = torch.rand(3, 2, 42, 42)
    frame = observe(build("addition-2st"), Probes(images, (None,) * 3, ("0",) * 19), {})
    expected = (images * 255).round().numpy()
    assert frame.tensors["input"].shape == (3, 42, 42, 3)
    for channel, source_channel in enumerate((0, 1, 1)):
        assert np.array_equal(frame.tensors["input"][..., channel], expected[:, source_channel])
    assert frame.tensors["output.st1"].shape == frame.tensors["output.st2"].shape == (3, 28, 28, 3)


def test_output_on_a_map_is_the_scaled_channel_mean() -> None:
    model = build("moodstocks-2st").eval()
    images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    frame = observe(model, Probes(images, (None,) * 2, ("0",) * 43), {})
    assert [entry["at"] for entry in frame.info["transformers"]] == ["input", "12x12 map"]
    with torch.inference_mode():
        mean = model(images).warps[1].output.mean(dim=1)
    for picture, channel_mean in zip(frame.tensors["output.st3"], mean, strict=True):
        expected = (
            255 * (channel_mean - channel_mean.min()) / (channel_mean.max() - channel_mean.min())
        )
        assert (picture.min(), picture.max()) == (0, 255)
        assert np.abs(picture[..., 0] - expected.numpy()).max() < 0.51
    # At the input, the picture itself, not its normalised values.
    assert np.array_equal(frame.tensors["output.st1"], frame.tensors["input"])


def test_corners_on_a_map_use_receptive_fields() -> None:
    """The untrained second transformer: after 7x7 and 4x4 convolutions, each padded by 2 and
    pooled, its 12 pixels are 4 of the image's apart, from edge to edge."""
    model = build("moodstocks-2st")
    frame = observe(model, Probes(torch.rand(1, 3, 48, 48), (None,), ("0",) * 43), {})
    corners = frame.tensors["corners.st3"][0].round(3).tolist()
    assert corners == [[0, 0], [48, 0], [48, 48], [0, 48]]


def test_sequence_network_has_a_prediction_for_each_label(probes: Probes) -> None:
    labels: tuple[list[int], ...] = ([1, 2, 3], [4, 5, 6])
    frame = observe(build("recurrent"), Probes(torch.rand(2, 1, 100, 100), labels, ("0",) * 10), {})
    frame = Frame.decode(frame.encode())
    assert frame.tensors["probabilities"].shape == (2, 3, 10)
    assert frame.info["labels"] == [[1, 2, 3], [4, 5, 6]]
    assert np.array_equal(frame.info["predicted"], frame.tensors["probabilities"].argmax(axis=2))
    assert [entry["name"] for entry in frame.info["transformers"]] == ["st1", "st2", "st3"]
    assert [entry["time_step"] for entry in frame.info["transformers"]] == [1, 2, 3]
