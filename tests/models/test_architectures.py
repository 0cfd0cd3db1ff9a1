"""Every network of the catalog passes the same tests."""

import pytest
import torch
from torch.nn import functional

from stnscope.models import grid
from stnscope.models.architectures import BUILDERS, build
from stnscope.models.catalog import ARCHITECTURES, FAMILIES, Architecture
from stnscope.models.families import FAMILIES as WARPS
from stnscope.models.network import Network

EACH = pytest.mark.parametrize("entry", ARCHITECTURES.values(), ids=lambda entry: entry.name)


def images(entry: Architecture, count: int = 4) -> torch.Tensor:
    draw = torch.Generator().manual_seed(5)
    return torch.rand(count, entry.channels, entry.height, entry.width, generator=draw)


def count(model: Network) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_catalog_lists_what_can_be_built() -> None:
    assert list(ARCHITECTURES) == list(BUILDERS)
    assert {name: entry.parameters for name, entry in FAMILIES.items()} == {
        name: family.parameters for name, family in WARPS.items()
    }


@EACH
def test_it_has_as_many_parameters_as_the_catalog_says(entry: Architecture) -> None:
    assert count(build(entry.name)) == entry.parameters


@EACH
def test_every_parameter_is_trained_at_one_of_the_two_rates(entry: Architecture) -> None:
    model = build(entry.name)
    split = [*model.localisation_parameters(), *model.classifier_parameters()]
    assert {id(each) for each in split} == {id(each) for each in model.parameters()}
    assert len(split) == len(list(model.parameters()))


@EACH
def test_it_classifies_and_tells_where_it_looked(entry: Architecture) -> None:
    model = build(entry.name)
    prediction = model(images(entry))
    places = (entry.labels,) if entry.labels > 1 else ()
    assert prediction.logits.shape == (4, *places, entry.classes)
    assert len(prediction.warps) == len(model.transformers) == entry.transformers
    assert bool(entry.families) == bool(entry.transformers)
    for transformer, warp in zip(model.transformers, prediction.warps, strict=True):
        assert warp.grid.shape == (4, *transformer.size, 2)
        assert warp.output.shape[2:] == transformer.size


@pytest.mark.parametrize("family", FAMILIES)
def test_theta_is_the_family_s(family: str) -> None:
    for name in ("digits", "recurrent"):
        for warp in build(name, family)(images(ARCHITECTURES[name], 2)).warps:
            assert warp.theta.shape == (2, FAMILIES[family].parameters)


@EACH
def test_the_gradient_reaches_every_parameter(entry: Architecture) -> None:
    """After one step: at the very start the regression's zero weights hold back what is before."""
    torch.manual_seed(1)
    model = build(entry.name)
    # A small step, so that no transformer is thrown off its image.
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    for _ in range(2):
        optimiser.zero_grad()
        logits = model(images(entry, 2)).logits.flatten(0, -2)
        labels = torch.arange(len(logits)) % entry.classes
        functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@EACH
@pytest.mark.parametrize("family", ["affine", "projective", "spline-4"])
def test_transformers_start_with_all_of_their_input(entry: Architecture, family: str) -> None:
    model = build(entry.name, family).eval()
    warps = model(images(entry, 2)).warps
    for number, warp in enumerate(warps):
        assert torch.equal(warp.theta, torch.tensor(WARPS[family].identity).expand(2, -1))
        whole = grid.pixel_centres(*warp.grid.shape[1:3])
        assert torch.equal(warp.grid.flatten(1, 2), whole.expand(2, -1, -1)), family
        if model.sites[number].plain:
            edges = model.locate(number, warps, grid.corners())
            assert torch.equal(edges, grid.corners().expand(2, -1, -1))


@EACH
def test_what_lies_outside_can_be_settled_without_touching_the_start(entry: Architecture) -> None:
    torch.manual_seed(2)
    usual = build(entry.name)
    torch.manual_seed(2)
    model = build(entry.name, outside=0.6, samples=2)
    same = zip(usual.state_dict().values(), model.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in same)
    # Zoomed out to three times the image's side: it lies in the middle, with its surroundings.
    away = torch.tensor([[3.0, 0, 0, 0, 3.0, 0]]).expand(2, -1)
    for transformer, site in zip(model.transformers, model.sites, strict=True):
        assert transformer.samples == 2
        if site.plain:
            warp = transformer.warp(images(entry, 2), away)
            picture = transformer.show(images(entry, 2), warp)
            assert picture[..., 0, :].allclose(torch.tensor(0.6)), "the first row lies outside"


def test_black_outside_is_what_a_network_of_normalised_maps_has_anyway() -> None:
    torch.manual_seed(2)
    usual = build("moodstocks-2st")
    torch.manual_seed(2)
    black = build("moodstocks-2st", outside=0.0)
    for one, other in zip(usual.transformers, black.transformers, strict=True):
        assert (one.outside, one.outside_shown) == (other.outside, other.outside_shown) == (0, 0)


def test_an_unknown_architecture_is_told_which_there_are() -> None:
    with pytest.raises(KeyError, match="digits, digits-cnn"):
        build("digit")
