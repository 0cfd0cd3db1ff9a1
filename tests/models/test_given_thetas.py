"""Networks with a given theta for a transformer, or one fitted to a region's corners."""

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


def build_varied(name: str, family: str = "affine") -> Network:
    """A network whose transformers predict a different theta for each image."""
    torch.manual_seed(8)
    network = build(name, family).eval()
    for module in network.localisation_modules:
        for layer in module.modules():
            if isinstance(layer, nn.Linear) and not layer.weight.any():
                nn.init.normal_(layer.weight, std=0.02)
    return network


def random_thetas(network: Network) -> dict[str, Tensor]:
    """A theta near the identity for each transformer."""
    draw = torch.Generator().manual_seed(9)
    return {
        transformer.name: torch.tensor(transformer.family.identity)
        + 0.1 * torch.randn(2, transformer.family.parameters, generator=draw)
        for transformer in network.transformers
    }


@pytest.mark.parametrize("name", WITH_TRANSFORMERS)
@torch.inference_mode()
def test_a_given_theta_replaces_the_predicted_one(name: str) -> None:
    network = build_varied(name)
    predicted = network(images(name))
    for index, (transformer, theta) in enumerate(random_thetas(network).items()):
        overridden = network(images(name), {transformer: theta})
        assert torch.equal(overridden.warps[index].theta, theta)
        assert not torch.equal(overridden.warps[index].output, predicted.warps[index].output)
        assert not torch.equal(overridden.logits, predicted.logits)
        same = network(images(name), {transformer: predicted.warps[index].theta})
        assert torch.equal(same.logits, predicted.logits)
        for before in range(index):
            assert torch.equal(overridden.warps[before].output, predicted.warps[before].output)


@torch.inference_mode()
def test_later_transformers_depend_on_a_given_theta() -> None:
    """The second transformer predicts from the first one's new output."""
    network = build_varied("moodstocks-2st")
    predicted = network(images("moodstocks-2st"))
    overridden = network(images("moodstocks-2st"), {"st1": random_thetas(network)["st1"]})
    assert not torch.equal(overridden.warps[1].theta, predicted.warps[1].theta)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *((name, "affine") for name in ("svhn-4st", "addition-2st", "recurrent")),
        *(("moodstocks-2st", family) for family in families.IMPLEMENTATIONS),
    ],
)
@torch.inference_mode()
def test_fit_theta_finds_the_region_of_given_corners(name: str, family: str) -> None:
    """At the input, on maps, in sequence, in parallel and recurrent."""
    network, batch = build_varied(name, family), images(name)
    target = network(
        batch, {name: 0.5 * theta for name, theta in random_thetas(network).items()}
    ).warps
    predicted = network(batch).warps
    for index, each in enumerate(network.transformers):
        corners = network.locate(index, predicted[:index] + target[index:], grid.corners())
        theta = network.fit_theta(index, predicted, corners)
        assert theta.dtype == torch.float32
        overridden = network(batch, {each.name: theta}).warps
        torch.testing.assert_close(
            network.locate(index, overridden, grid.corners()), corners, atol=1e-3, rtol=1e-3
        )
