"""Every network of the catalog passes the same tests."""

import pytest
import torch
from torch.nn import functional

from models import grid
from models.architectures import BUILDERS, Network, build
from models.catalog import ARCHITECTURES, FAMILIES, Architecture
from models.families import FAMILIES as WARPS

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
    for family in entry.families or ("affine",):
        prediction = build(entry.name, family)(images(entry))
        assert prediction.logits.shape == (4, entry.classes)
        assert len(prediction.warps) == (1 if entry.families else 0)
        for warp in prediction.warps:
            assert warp.theta.shape == (4, FAMILIES[family].parameters)
            assert warp.grid.shape == (4, 28, 28, 2)
            assert warp.output.shape == (4, entry.channels, 28, 28)


@EACH
def test_the_gradient_reaches_every_parameter(entry: Architecture) -> None:
    """After one step: at the very start the regression's zero weights hold back what is before."""
    model = build(entry.name)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(2):
        optimiser.zero_grad()
        labels = torch.arange(4) % entry.classes
        functional.cross_entropy(model(images(entry)).logits, labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@EACH
def test_transformers_start_with_the_whole_input(entry: Architecture) -> None:
    for family in entry.families:
        for warp in build(entry.name, family).eval()(images(entry)).warps:
            assert torch.equal(warp.theta, torch.tensor(WARPS[family].identity).expand(4, -1))
            whole = grid.pixel_centres(*warp.grid.shape[1:3])
            assert torch.equal(warp.grid.flatten(1, 2), whole.expand(4, -1, -1)), family


def test_an_unknown_architecture_is_told_which_there_are() -> None:
    with pytest.raises(KeyError, match="digits, digits-cnn"):
        build("digit")
