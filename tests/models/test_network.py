"""Networks with transformers at the input, on feature maps, in sequence and in parallel."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from stnscope.models import families, grid
from stnscope.models.architectures.sequences import Recurrent
from stnscope.models.layers import GlobalContrast, LocalContrast, convolution
from stnscope.models.network import Chain, Parallel
from stnscope.models.receptive_field import Pointwise
from stnscope.models.transformer import Sampler, SpatialTransformer, Warp

LATTICE = grid.lattice(7)


def fixed_transformer(
    name: str, theta: tuple[float, ...], inputs: int, size: tuple[int, int]
) -> SpatialTransformer:
    """A transformer that predicts the same theta for every image."""
    transformer = SpatialTransformer(name, families.get("affine"), nn.Flatten(), inputs, size)
    with torch.no_grad():
        transformer.regression.bias.copy_(torch.tensor(theta))
    return transformer


def images(channels: int = 1, size: tuple[int, int] = (24, 30)) -> Tensor:
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(4))


def locate_lattice(network: Chain, index: int, batch: Tensor) -> Tensor:
    height, width = batch.shape[-2:]
    points = network.locate(index, network(batch).warps, LATTICE)
    return grid.to_pixels(points, height, width)


def test_locate_composes_two_transformers() -> None:
    first, second = (0.5, 0.1, 0.2, -0.1, 0.6, -0.1), (0.7, -0.2, 0.3, 0.2, 0.4, 0.1)
    network = Chain(
        (24, 30),
        fixed_transformer("a", first, 720, (12, 20)),
        fixed_transformer("b", second, 240, (8, 8)),
        nn.Flatten(),
    )
    outer, inner = (
        torch.tensor([*theta, 0, 0, 1]).view(3, 3).double() for theta in (first, second)
    )
    points = torch.cat([LATTICE, torch.ones(49, 1)], dim=1).double()
    expected = (points @ (outer @ inner).T)[:, :2]
    found = network.locate(1, network(images()).warps, LATTICE)
    assert torch.allclose(found.double(), expected.expand(2, -1, -1), atol=1e-6)
    assert [str(path) for path in network.input_paths] == ["input", "input"]


def test_resample_applies_both_transformers_to_the_picture() -> None:
    network = Chain(
        (24, 30),
        GlobalContrast(0.4, 0.2),
        fixed_transformer("a", (0.5, 0, 0.2, 0, 0.6, -0.1), 720, (12, 20)),
        fixed_transformer("b", (0.7, 0, 0.3, 0, 0.4, 0.1), 240, (8, 8)),
        nn.Flatten(),
    )
    warps = network(images()).warps
    pictures = network.resample(images(), warps)
    # Inside the image, normalisation commutes with the warp.
    for picture, warp in zip(pictures, warps, strict=True):
        assert picture is not None
        assert torch.allclose((picture - 0.4) / 0.2, warp.output, atol=1e-4)


def test_locate_on_a_map_uses_receptive_fields() -> None:
    """A pixel of the output responds most to light at its located position in the image."""
    layers = nn.Sequential(convolution(1, 4, 5, padding=1), convolution(4, 4, 4, padding=2))
    theta = (0.45, 0.0, 0.1, 0.0, 0.45, -0.15)
    network = Chain(
        (48, 48), layers, fixed_transformer("st", theta, 4 * 12 * 12, (12, 12)), nn.Flatten()
    )
    assert str(network.input_paths[0]) == "12x12 map"
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1.0)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    # The response to a spot of light is centred on the located position.
    located = grid.to_pixels(
        network.locate(0, network(images(1, (48, 48))).warps, grid.pixel_centres(12, 12)), 48, 48
    )
    for pixel in (13, 66, 77, 130):
        x, y = located[0, pixel].tolist()
        responses = []
        for dx in range(-6, 7):
            for dy in range(-6, 7):
                impulse = torch.zeros(1, 1, 48, 48)
                impulse[0, 0, round(y + dy - 0.5), round(x + dx - 0.5)] = 1
                response = network(impulse).warps[0].output[0].sum(dim=0).flatten()[pixel].item()
                responses.append((response, dx, dy))
        total = sum(response for response, _, _ in responses)
        centre = [sum(pixel[0] * pixel[axis] for pixel in responses) / total for axis in (1, 2)]
        assert abs(centre[0]) < 1.2, (pixel, centre)
        assert abs(centre[1]) < 1.2, (pixel, centre)


def test_resample_returns_none_for_a_transformer_on_a_map() -> None:
    network = Chain(
        (24, 30),
        nn.Conv2d(1, 1, 3, padding=1),
        fixed_transformer("st", (1.0, 0, 0, 0, 1, 0), 720, (24, 30)),
        nn.Flatten(),
    )
    assert network.resample(images(), network(images()).warps) == [None]
    assert torch.allclose(locate_lattice(network, 0, images())[0, 0], torch.zeros(2), atol=1e-5)


AWAY = (1.0, 0, 5.0, 0, 1, 0)
"""A region outside the image."""


def test_padding_is_converted_to_the_values_of_each_transformer_s_input() -> None:
    """The first samples normalised values, the second the normalised output of the first."""
    network = Chain(
        (24, 30),
        GlobalContrast(0.4, 0.2),
        fixed_transformer("a", AWAY, 720, (12, 20)),
        GlobalContrast(0.5, 2.0),
        fixed_transformer("b", AWAY, 240, (8, 8)),
        nn.Flatten(),
    )
    network.configure_sampling(padding=0.7)
    warps = network(images()).warps
    first = (0.7 - 0.4) / 0.2
    assert warps[0].output.allclose(torch.tensor(first))
    assert warps[1].output.allclose(torch.tensor((first - 0.5) / 2.0))
    for picture in network.resample(images(), warps):
        assert picture is not None
        assert picture.allclose(torch.tensor(0.7))


def test_border_padding_applies_to_output_and_resampled_picture() -> None:
    network = Chain(
        (24, 30),
        GlobalContrast(0.4, 0.2),
        fixed_transformer("a", AWAY, 720, (24, 30)),
        nn.Flatten(),
    )
    network.configure_sampling(padding="border")
    warps = network(images()).warps
    (picture,) = network.resample(images(), warps)
    assert picture is not None
    assert picture.allclose(images()[..., -1:].expand(-1, -1, -1, 30), atol=1e-6)
    assert warps[0].output.allclose((picture - 0.4) / 0.2, atol=1e-5)


@pytest.mark.parametrize(("padding", "expected"), [(0.0, 0.0), (0.7, 0.3), ("border", None)])
def test_only_black_and_border_padding_change_a_transformer_on_a_map(
    padding: float | str, expected: float | None
) -> None:
    away = SpatialTransformer(
        "st", families.get("affine"), nn.Flatten(), 720, (24, 30), padding=0.3
    )
    with torch.no_grad():
        away.regression.bias.copy_(torch.tensor(AWAY))
    network = Chain((24, 30), nn.Conv2d(1, 1, 3, padding=1), away, nn.Flatten())
    network.configure_sampling(padding=padding)  # type: ignore[arg-type]
    output = network(images()).warps[0].output
    if expected is None:
        assert torch.equal(output, output[..., :1].expand(-1, -1, -1, 30))
        assert output.std() > 0.01
    else:
        assert output.allclose(torch.tensor(expected))


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("layer", [GlobalContrast(0.3, 0.25), LocalContrast.gaussian(7)])
def test_constant_response_is_the_output_for_a_constant_image(
    layer: Pointwise, value: float
) -> None:
    output = layer(torch.full((1, 3, 20, 24), value))
    assert output.allclose(torch.tensor(layer.constant_response(value)), atol=0.01)


def test_parallel_transformers_share_their_input_and_stack_outputs() -> None:
    left, right = (0.5, 0, -0.5, 0, 1, 0), (0.5, 0, 0.5, 0, 1, 0)
    parallel = Parallel(
        fixed_transformer("l", left, 1440, (6, 6)), fixed_transformer("r", right, 1440, (6, 6))
    )
    network = Chain((24, 30), parallel, nn.Flatten())
    prediction = network(images(2))
    assert prediction.logits.shape == (2, 2 * 2 * 36)
    both = torch.cat([warp.output for warp in prediction.warps], dim=1)
    assert torch.equal(prediction.logits, both.flatten(1))
    assert locate_lattice(network, 0, images(2))[0, [0, -1]].tolist() == [[0, 0], [15, 24]]
    assert locate_lattice(network, 1, images(2))[0, [0, -1]].tolist() == [[15, 0], [30, 24]]


def test_a_transformer_after_parallel_ones_raises() -> None:
    branches = [fixed_transformer(name, (1.0, 0, 0, 0, 1, 0), 720, (6, 6)) for name in "ab"]
    with pytest.raises(ValueError, match="in parallel"):
        Chain(
            (24, 30), Parallel(*branches), fixed_transformer("c", (1.0, 0, 0, 0, 1, 0), 72, (6, 6))
        )


def test_recurrent_network_predicts_a_different_theta_each_time_step() -> None:
    torch.manual_seed(3)
    network = Recurrent("affine").eval()
    nn.init.normal_(network.regression.weight, std=0.5)
    prediction = network(torch.rand(2, 1, 100, 100))
    assert prediction.logits.shape == (2, 3, 10)
    thetas = [warp.theta for warp in prediction.warps]
    assert all(not torch.allclose(one, other, atol=1e-3) for one, other in pairwise(thetas))
    assert [transformer.name for transformer in network.transformers] == ["st1", "st2", "st3"]


@pytest.mark.parametrize("family", families.IMPLEMENTATIONS)
def test_points_per_image_are_warped_like_shared_points(family: str) -> None:
    kind = families.get(family)
    draw = torch.Generator().manual_seed(6)
    theta = torch.tensor(kind.identity) + 0.1 * torch.randn(3, kind.parameters, generator=draw)
    shared = kind.warp(theta, LATTICE, 1.3)
    per_image = kind.warp(theta, LATTICE.expand(3, -1, -1), 1.3)
    assert torch.allclose(shared, per_image, atol=1e-6)


def test_sampler_warps_by_a_given_theta() -> None:
    sampler = Sampler("st", families.get("attention"), (5, 5))
    warp = sampler.warp(images(), torch.tensor([[0.5, 0.1, 0.2]]).expand(2, -1))
    assert isinstance(warp, Warp)
    assert warp.output.shape == (2, 1, 5, 5)
    assert list(sampler.parameters()) == []
