"""Tests that every network of the catalog passes."""

import pytest
import torch
from torch.nn import functional

from stnscope.models import grid
from stnscope.models.architectures import BUILDERS, build
from stnscope.models.catalog import ARCHITECTURES, FAMILIES, Architecture
from stnscope.models.families import IMPLEMENTATIONS
from stnscope.models.network import Network

FOR_EACH_NETWORK = pytest.mark.parametrize(
    "entry", ARCHITECTURES.values(), ids=lambda entry: entry.name
)


def images(entry: Architecture, count: int = 4) -> torch.Tensor:
    draw = torch.Generator().manual_seed(5)
    return torch.rand(count, entry.channels, entry.height, entry.width, generator=draw)


def count(model: Network) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_catalog_lists_what_can_be_built() -> None:
    assert list(ARCHITECTURES) == list(BUILDERS)


@FOR_EACH_NETWORK
def test_parameter_count_is_the_catalog_s(entry: Architecture) -> None:
    assert count(build(entry.name)) == entry.parameters


@FOR_EACH_NETWORK
def test_every_parameter_is_in_one_of_the_two_groups(entry: Architecture) -> None:
    model = build(entry.name)
    split = [*model.localisation_parameters(), *model.classifier_parameters()]
    assert {id(parameter) for parameter in split} == {
        id(parameter) for parameter in model.parameters()
    }
    assert len(split) == len(list(model.parameters()))


@FOR_EACH_NETWORK
def test_prediction_has_logits_and_warps(entry: Architecture) -> None:
    model = build(entry.name)
    prediction = model(images(entry))
    sequence = (entry.labels,) if entry.labels > 1 else ()
    assert prediction.logits.shape == (4, *sequence, entry.classes)
    assert len(prediction.warps) == len(model.transformers) == entry.transformers
    assert bool(entry.families) == bool(entry.transformers)
    for transformer, warp in zip(model.transformers, prediction.warps, strict=True):
        assert warp.grid.shape == (4, *transformer.size, 2)
        assert warp.output.shape[2:] == transformer.size


@pytest.mark.parametrize("family", FAMILIES)
def test_theta_has_the_family_s_length(family: str) -> None:
    for name in ("digits", "recurrent"):
        for warp in build(name, family)(images(ARCHITECTURES[name], 2)).warps:
            assert warp.theta.shape == (2, FAMILIES[family].parameters)


@FOR_EACH_NETWORK
@pytest.mark.seconds
def test_every_parameter_has_a_gradient(entry: Architecture) -> None:
    """After one step: initially the regression's zero weights block the localisation network."""
    torch.manual_seed(1)
    model = build(entry.name)
    # A small step, so that no region leaves its image.
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


@FOR_EACH_NETWORK
@pytest.mark.parametrize("family", ["affine", "projective", "spline-4"])
def test_transformers_start_at_the_identity(entry: Architecture, family: str) -> None:
    model = build(entry.name, family).eval()
    warps = model(images(entry, 2)).warps
    for number, warp in enumerate(warps):
        assert torch.equal(warp.theta, torch.tensor(IMPLEMENTATIONS[family].identity).expand(2, -1))
        whole = grid.pixel_centres(*warp.grid.shape[1:3])
        assert torch.equal(warp.grid.flatten(1, 2), whole.expand(2, -1, -1)), family
        if model.input_paths[number].is_image:
            edges = model.locate(number, warps, grid.corners())
            assert torch.equal(edges, grid.corners().expand(2, -1, -1))


@FOR_EACH_NETWORK
def test_padding_and_supersampling_do_not_change_the_initial_weights(entry: Architecture) -> None:
    torch.manual_seed(2)
    default = build(entry.name)
    torch.manual_seed(2)
    model = build(entry.name, padding=0.6, supersampling=2)
    same = zip(default.state_dict().values(), model.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in same)
    # Zoomed out to three times the image's side, so that the padding surrounds it.
    zoomed_out = torch.tensor([[3.0, 0, 0, 0, 3.0, 0]]).expand(2, -1)
    for transformer, path in zip(model.transformers, model.input_paths, strict=True):
        assert transformer.supersampling == 2
        if path.is_image:
            warp = transformer.warp(images(entry, 2), zoomed_out)
            picture = transformer.resample(images(entry, 2), warp)
            assert picture[..., 0, :].allclose(torch.tensor(0.6)), "the first row is padding"


def test_black_padding_is_the_default_on_normalised_maps() -> None:
    torch.manual_seed(2)
    default = build("moodstocks-2st")
    torch.manual_seed(2)
    black = build("moodstocks-2st", padding=0.0)
    for one, other in zip(default.transformers, black.transformers, strict=True):
        assert (one.padding, one.image_padding) == (other.padding, other.image_padding) == (0, 0)


def test_build_lists_the_architectures_for_an_unknown_name() -> None:
    with pytest.raises(KeyError, match="digits, digits-cnn"):
        build("digit")
