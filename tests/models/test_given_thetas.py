"""Networks whose transformers are told where to look: by theta, or by the region's corners."""

import pytest
import torch
from torch import Tensor, nn

from stnscope.models import families, grid
from stnscope.models.architectures import build
from stnscope.models.catalog import ARCHITECTURES
from stnscope.models.network import Network

WITH_TRANSFORMERS = [name for name, entry in ARCHITECTURES.items() if entry.transformers]


def images(name: str) -> Tensor:
    entry = ARCHITECTURES[name]
    draw = torch.Generator().manual_seed(7)
    return torch.rand(2, entry.channels, entry.height, entry.width, generator=draw)


def choosing(name: str, family: str = "affine") -> Network:
    """A network whose transformers each choose something of their own for each image."""
    torch.manual_seed(8)
    network = build(name, family).eval()
    for each in network.localisers:
        for layer in each.modules():
            if isinstance(layer, nn.Linear) and not layer.weight.any():
                nn.init.normal_(layer.weight, std=0.02)
    return network


def turned(network: Network) -> dict[str, Tensor]:
    """A theta for each of its transformers."""
    draw = torch.Generator().manual_seed(9)
    return {
        each.name: torch.tensor(each.family.identity)
        + 0.1 * torch.randn(2, each.family.parameters, generator=draw)
        for each in network.transformers
    }


@pytest.mark.parametrize("name", WITH_TRANSFORMERS)
@torch.inference_mode()
def test_each_transformer_does_as_it_is_told(name: str) -> None:
    network = choosing(name)
    own = network(images(name))
    for number, (told, theta) in enumerate(turned(network).items()):
        seen = network(images(name), {told: theta})
        assert torch.equal(seen.warps[number].theta, theta)
        assert not torch.equal(seen.warps[number].output, own.warps[number].output)
        assert not torch.equal(seen.logits, own.logits)
        told_the_same = network(images(name), {told: own.warps[number].theta})
        assert torch.equal(told_the_same.logits, own.logits)
        for before in range(number):
            assert torch.equal(seen.warps[before].output, own.warps[before].output)


@torch.inference_mode()
def test_what_lies_behind_goes_on_from_what_it_is_given() -> None:
    """The second transformer chooses anew for what the first one now hands on."""
    network = choosing("moodstocks-2st")
    own = network(images("moodstocks-2st"))
    seen = network(images("moodstocks-2st"), {"st1": turned(network)["st1"]})
    assert not torch.equal(seen.warps[1].theta, own.warps[1].theta)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *((name, "affine") for name in ("svhn-4st", "addition-2st", "recurrent")),
        *(("moodstocks-2st", family) for family in families.FAMILIES),
    ],
)
@torch.inference_mode()
def test_the_theta_of_a_region_s_corners_has_that_region(name: str, family: str) -> None:
    """At the input, on maps, one behind the other, side by side and one after the other."""
    network, shown = choosing(name, family), images(name)
    wanted = network(shown, {each: 0.5 * theta for each, theta in turned(network).items()}).warps
    own = network(shown).warps
    for number, each in enumerate(network.transformers):
        there = network.locate(number, own[:number] + wanted[number:], grid.corners())
        theta = network.closest(number, own, there)
        assert theta.dtype == torch.float32
        seen = network(shown, {each.name: theta}).warps
        torch.testing.assert_close(
            network.locate(number, seen, grid.corners()), there, atol=1e-3, rtol=1e-3
        )
