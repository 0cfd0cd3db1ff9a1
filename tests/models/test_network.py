"""Transformers at the input, on maps, one after another and side by side."""

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


def looking(name: str, theta: tuple[float, ...], inputs: int, size: tuple[int, int]) -> nn.Module:
    """A transformer that looks at one region whatever it is shown."""
    made = SpatialTransformer(name, families.get("affine"), nn.Flatten(), inputs, size)
    with torch.no_grad():
        made.regression.bias.copy_(torch.tensor(theta))
    return made


def images(channels: int = 1, size: tuple[int, int] = (24, 30)) -> Tensor:
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(4))


def located(network: Chain, number: int, shown: Tensor) -> Tensor:
    height, width = shown.shape[-2:]
    points = network.locate(number, network(shown).warps, LATTICE)
    return grid.to_pixels(points, height, width)


def test_a_region_of_a_region_is_the_product_of_both() -> None:
    first, second = (0.5, 0.1, 0.2, -0.1, 0.6, -0.1), (0.7, -0.2, 0.3, 0.2, 0.4, 0.1)
    network = Chain(
        (24, 30),
        looking("a", first, 720, (12, 20)),
        looking("b", second, 240, (8, 8)),
        nn.Flatten(),
    )
    outer, inner = (
        torch.tensor([*theta, 0, 0, 1]).view(3, 3).double() for theta in (first, second)
    )
    points = torch.cat([LATTICE, torch.ones(49, 1)], dim=1).double()
    expected = (points @ (outer @ inner).T)[:, :2]
    found = network.locate(1, network(images()).warps, LATTICE)
    assert torch.allclose(found.double(), expected.expand(2, -1, -1), atol=1e-6)
    assert [str(site) for site in network.sites] == ["input", "input"]


def test_a_region_of_a_region_shows_the_picture_through_both() -> None:
    network = Chain(
        (24, 30),
        GlobalContrast(0.4, 0.2),
        looking("a", (0.5, 0, 0.2, 0, 0.6, -0.1), 720, (12, 20)),
        looking("b", (0.7, 0, 0.3, 0, 0.4, 0.1), 240, (8, 8)),
        nn.Flatten(),
    )
    warps = network(images()).warps
    shown = network.shown(images(), warps)
    # Inside the image a change of tones before the warp is one after it.
    for picture, warp in zip(shown, warps, strict=True):
        assert picture is not None
        assert torch.allclose((picture - 0.4) / 0.2, warp.output, atol=1e-4)


def test_a_region_of_a_map_lies_where_the_map_s_pixels_look() -> None:
    """A spot of light, found on the map through the transformer, is found in the image."""
    layers = nn.Sequential(convolution(1, 4, 5, padding=1), convolution(4, 4, 4, padding=2))
    theta = (0.45, 0.0, 0.1, 0.0, 0.45, -0.15)
    network = Chain((48, 48), layers, looking("st", theta, 4 * 12 * 12, (12, 12)), nn.Flatten())
    assert str(network.sites[0]) == "12x12 map"
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1.0)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    # Where in the input the middle of each output pixel is said to lie, each is lit most.
    where = grid.to_pixels(
        network.locate(0, network(images(1, (48, 48))).warps, grid.pixel_centres(12, 12)), 48, 48
    )
    for pixel in (13, 66, 77, 130):
        x, y = where[0, pixel].tolist()
        light = []
        for dx in range(-6, 7):
            for dy in range(-6, 7):
                spot = torch.zeros(1, 1, 48, 48)
                spot[0, 0, round(y + dy - 0.5), round(x + dx - 0.5)] = 1
                lit = network(spot).warps[0].output[0].sum(dim=0).flatten()[pixel].item()
                light.append((lit, dx, dy))
        total = sum(lit for lit, _, _ in light)
        middle = [sum(lit * at[axis] for lit, *at in light) / total for axis in (0, 1)]
        assert abs(middle[0]) < 1.2, (pixel, middle)
        assert abs(middle[1]) < 1.2, (pixel, middle)


def test_what_a_map_s_transformer_hands_on_is_no_picture() -> None:
    network = Chain(
        (24, 30),
        nn.Conv2d(1, 1, 3, padding=1),
        looking("st", (1.0, 0, 0, 0, 1, 0), 720, (24, 30)),
        nn.Flatten(),
    )
    assert network.shown(images(), network(images()).warps) == [None]
    assert torch.allclose(located(network, 0, images())[0, 0], torch.zeros(2), atol=1e-5)


AWAY = (1.0, 0, 5.0, 0, 1, 0)
"""A region that lies outside."""


def test_a_tone_outside_is_the_image_s_own_wherever_it_is_sampled() -> None:
    """The first one samples normalised tones, the second one what the first hands on."""
    network = Chain(
        (24, 30),
        GlobalContrast(0.4, 0.2),
        looking("a", AWAY, 720, (12, 20)),
        GlobalContrast(0.5, 2.0),
        looking("b", AWAY, 240, (8, 8)),
        nn.Flatten(),
    )
    network.sample_with(outside=0.7)
    warps = network(images()).warps
    first = (0.7 - 0.4) / 0.2
    assert warps[0].output.allclose(torch.tensor(first))
    assert warps[1].output.allclose(torch.tensor((first - 0.5) / 2.0))
    for picture in network.shown(images(), warps):
        assert picture is not None
        assert picture.allclose(torch.tensor(0.7))


def test_where_the_edge_goes_on_it_does_so_in_what_is_sampled_and_in_what_is_shown() -> None:
    network = Chain(
        (24, 30), GlobalContrast(0.4, 0.2), looking("a", AWAY, 720, (24, 30)), nn.Flatten()
    )
    network.sample_with(outside="border")
    warps = network(images()).warps
    (picture,) = network.shown(images(), warps)
    assert picture is not None
    assert picture.allclose(images()[..., -1:].expand(-1, -1, -1, 30), atol=1e-6)
    assert warps[0].output.allclose((picture - 0.4) / 0.2, atol=1e-5)


@pytest.mark.parametrize(("outside", "found"), [(0.0, 0.0), (0.7, 0.3), ("border", None)])
def test_a_map_has_no_tones_and_takes_black_and_its_edge_alone(
    outside: float | str, found: float | None
) -> None:
    away = SpatialTransformer(
        "st", families.get("affine"), nn.Flatten(), 720, (24, 30), outside=0.3
    )
    with torch.no_grad():
        away.regression.bias.copy_(torch.tensor(AWAY))
    network = Chain((24, 30), nn.Conv2d(1, 1, 3, padding=1), away, nn.Flatten())
    network.sample_with(outside=outside)  # type: ignore[arg-type]
    output = network(images()).warps[0].output
    if found is None:
        assert torch.equal(output, output[..., :1].expand(-1, -1, -1, 30))
        assert output.std() > 0.01
    else:
        assert output.allclose(torch.tensor(found))


@pytest.mark.parametrize("tone", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("layer", [GlobalContrast(0.3, 0.25), LocalContrast.gaussian(7)])
def test_what_a_layer_makes_of_an_even_tone_is_known(layer: Pointwise, tone: float) -> None:
    even = layer(torch.full((1, 3, 20, 24), tone))
    assert even.allclose(torch.tensor(layer.of_even(tone)), atol=0.01)


def test_transformers_in_parallel_see_the_same_and_are_stacked() -> None:
    left, right = (0.5, 0, -0.5, 0, 1, 0), (0.5, 0, 0.5, 0, 1, 0)
    side_by_side = Parallel(*(looking(n, t, 1440, (6, 6)) for n, t in zip("lr", (left, right))))  # type: ignore[arg-type]  # noqa: B905
    network = Chain((24, 30), side_by_side, nn.Flatten())
    prediction = network(images(2))
    assert prediction.logits.shape == (2, 2 * 2 * 36)
    both = torch.cat([warp.output for warp in prediction.warps], dim=1)
    assert torch.equal(prediction.logits, both.flatten(1))
    assert located(network, 0, images(2))[0, [0, -1]].tolist() == [[0, 0], [15, 24]]
    assert located(network, 1, images(2))[0, [0, -1]].tolist() == [[15, 0], [30, 24]]


def test_a_transformer_behind_several_in_parallel_is_refused() -> None:
    each = [looking(name, (1.0, 0, 0, 0, 1, 0), 720, (6, 6)) for name in "ab"]
    with pytest.raises(ValueError, match="no one image"):
        Chain((24, 30), Parallel(*each), looking("c", (1.0, 0, 0, 0, 1, 0), 72, (6, 6)))  # type: ignore[arg-type]


def test_every_look_of_a_recurrent_one_depends_on_those_before() -> None:
    torch.manual_seed(3)
    network = Recurrent("affine").eval()
    nn.init.normal_(network.regression.weight, std=0.5)
    prediction = network(torch.rand(2, 1, 100, 100))
    assert prediction.logits.shape == (2, 3, 10)
    thetas = [warp.theta for warp in prediction.warps]
    assert all(not torch.allclose(one, other, atol=1e-3) for one, other in pairwise(thetas))
    assert [transformer.name for transformer in network.transformers] == ["st1", "st2", "st3"]


@pytest.mark.parametrize("family", families.FAMILIES)
def test_points_of_each_image_are_warped_like_points_of_all(family: str) -> None:
    kind = families.get(family)
    draw = torch.Generator().manual_seed(6)
    theta = torch.tensor(kind.identity) + 0.1 * torch.randn(3, kind.parameters, generator=draw)
    alike = kind.warp(theta, LATTICE, 1.3)
    each = kind.warp(theta, LATTICE.expand(3, -1, -1), 1.3)
    assert torch.allclose(alike, each, atol=1e-6)


def test_a_sampler_alone_warps_as_it_is_told() -> None:
    sampler = Sampler("st", families.get("attention"), (5, 5))
    warp = sampler.warp(images(), torch.tensor([[0.5, 0.1, 0.2]]).expand(2, -1))
    assert isinstance(warp, Warp)
    assert warp.output.shape == (2, 1, 5, 5)
    assert list(sampler.parameters()) == []
