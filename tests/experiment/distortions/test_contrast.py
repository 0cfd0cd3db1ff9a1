"""The committee's ways to see an image, against what they promise of tones."""

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.distortions import IMPLEMENTATIONS, compose, contrast

CANVAS = Canvas(48, 48)
EACH = pytest.mark.parametrize("name", sorted(PREPROCESSINGS))


def dim(count: int = 3) -> Tensor:
    """Colour images of smooth noise in a narrow range of dark tones."""
    draw = torch.Generator().manual_seed(2)
    small = torch.rand(count, 3, 8, 8, generator=draw)
    large: Tensor = torch.nn.functional.interpolate(small, (48, 48), mode="bicubic")
    return 0.1 + 0.15 * large.clamp(0, 1)


def seen(name: str, images: Tensor, strength: float = 1.0) -> Tensor:
    return IMPLEMENTATIONS[name](images, images, torch.Generator(), strength, CANVAS)


@EACH
def test_it_draws_nothing_and_no_strength_leaves_the_image_alone(name: str) -> None:
    assert (IMPLEMENTATIONS[name].moving_draws, IMPLEMENTATIONS[name].fixed_draws) == (0, 0)
    assert torch.allclose(seen(name, dim(), 0.0), dim(), atol=1e-5)
    changed = seen(name, dim())
    assert 0 <= changed.min() < changed.max() <= 1
    assert (changed - dim()).abs().mean() > 0.05


def test_stretched_contrast_reaches_from_black_to_white() -> None:
    light = contrast.stretch_contrast(dim()).mean(dim=1).flatten(1)
    assert torch.allclose(
        (light <= 1e-4).double().mean(dim=1), torch.tensor(0.01).double(), atol=3e-3
    )
    assert torch.allclose(
        (light >= 1 - 1e-4).double().mean(dim=1), torch.tensor(0.01).double(), atol=3e-3
    )


def test_equalised_tones_are_as_frequent_as_one_another() -> None:
    """As far as the tones that there are can tell: 64 of them over the whole range."""
    ramp = torch.linspace(0, 1, 48 * 48).pow(3).view(1, 1, 48, 48).expand(1, 3, -1, -1)
    light = contrast.equalise_histogram(ramp).mean(dim=1).flatten()
    for quarter in (0.25, 0.5, 0.75):
        assert (light <= quarter).double().mean().item() == pytest.approx(quarter, abs=0.26)
    assert light.std() > 1.2 * 0.2


def test_colours_stay_what_they_are() -> None:
    for change in (contrast.equalise_histogram, contrast.equalise_tiles):
        changed = change(dim())
        share = changed / changed.sum(dim=1, keepdim=True)
        assert torch.allclose(share, dim() / dim().sum(dim=1, keepdim=True), atol=1e-4)


def test_tiles_bring_out_what_is_dark_in_one_place_only() -> None:
    half = dim(1)
    half[..., 24:] += 0.7
    light = contrast.equalise_tiles(half).mean(dim=1)
    contrasts = [part.std() / part.mean() for part in (light[..., 4:20], light[..., 28:44])]
    before = [half.mean(dim=1)[..., a:b] for a, b in ((4, 20), (28, 44))]
    assert all(
        now > 1.3 * (was.std() / was.mean()) for now, was in zip(contrasts, before, strict=True)
    )


def test_tiles_fit_any_size() -> None:
    image = torch.rand(2, 3, 29, 50)
    assert contrast.equalise_tiles(image).shape == image.shape


def test_edges_are_seen_and_even_ground_is_grey() -> None:
    image = torch.zeros(1, 1, 48, 48)
    image[..., 24:] = 0.3
    edges = contrast.normalise_edges(image)[0, 0]
    assert torch.allclose(edges[:, :20], torch.tensor(0.5), atol=1e-4)
    assert torch.allclose(edges[:, 28:], torch.tensor(0.5), atol=1e-4)
    assert edges[24, 23] < 0.3
    assert edges[24, 24] > 0.7
    assert torch.allclose(edges, contrast.normalise_edges(0.3 + 2 * image)[0, 0], atol=1e-4), (
        "however strong"
    )


def test_it_joins_others_and_draws_as_they_do() -> None:
    plain, joined = compose("RTS"), compose("RTS+histeq")
    assert joined.moving_draws == plain.moving_draws
    moved = plain(dim(), dim(), torch.Generator().manual_seed(1), 1.0, CANVAS)
    both = joined(dim(), dim(), torch.Generator().manual_seed(1), 1.0, CANVAS)
    assert torch.allclose(both, contrast.equalise_histogram(moved).clamp(0, 1), atol=1e-6)
