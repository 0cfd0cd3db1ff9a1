"""The committee's preprocessings."""

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.distortions import IMPLEMENTATIONS, compose, contrast

CANVAS = Canvas(48, 48)
FOR_EACH_PREPROCESSING = pytest.mark.parametrize("name", sorted(PREPROCESSINGS))


def dark_images(count: int = 3) -> Tensor:
    """Colour images of smooth noise in a narrow, dark range."""
    draw = torch.Generator().manual_seed(2)
    small = torch.rand(count, 3, 8, 8, generator=draw)
    large: Tensor = torch.nn.functional.interpolate(small, (48, 48), mode="bicubic")
    return 0.1 + 0.15 * large.clamp(0, 1)


def preprocess(name: str, images: Tensor, strength: float = 1.0) -> Tensor:
    return IMPLEMENTATIONS[name](images, images, torch.Generator(), strength, CANVAS)


@FOR_EACH_PREPROCESSING
def test_preprocessing_draws_nothing_and_strength_0_changes_nothing(name: str) -> None:
    assert (IMPLEMENTATIONS[name].moving_draws, IMPLEMENTATIONS[name].fixed_draws) == (0, 0)
    assert torch.allclose(preprocess(name, dark_images(), 0.0), dark_images(), atol=1e-5)
    changed = preprocess(name, dark_images())
    assert 0 <= changed.min() < changed.max() <= 1
    assert (changed - dark_images()).abs().mean() > 0.05


def test_stretch_contrast_saturates_one_percent_at_both_ends() -> None:
    light = contrast.stretch_contrast(dark_images()).mean(dim=1).flatten(1)
    assert torch.allclose(
        (light <= 1e-4).double().mean(dim=1), torch.tensor(0.01).double(), atol=3e-3
    )
    assert torch.allclose(
        (light >= 1 - 1e-4).double().mean(dim=1), torch.tensor(0.01).double(), atol=3e-3
    )


def test_equalise_histogram_makes_quantiles_uniform() -> None:
    """Up to the resolution of 64 bins."""
    ramp = torch.linspace(0, 1, 48 * 48).pow(3).view(1, 1, 48, 48).expand(1, 3, -1, -1)
    light = contrast.equalise_histogram(ramp).mean(dim=1).flatten()
    for quarter in (0.25, 0.5, 0.75):
        assert (light <= quarter).double().mean().item() == pytest.approx(quarter, abs=0.26)
    assert light.std() > 1.2 * 0.2


def test_equalisation_keeps_the_hue() -> None:
    for change in (contrast.equalise_histogram, contrast.equalise_tiles):
        changed = change(dark_images())
        share = changed / changed.sum(dim=1, keepdim=True)
        assert torch.allclose(
            share, dark_images() / dark_images().sum(dim=1, keepdim=True), atol=1e-4
        )


def test_equalise_tiles_raises_local_contrast() -> None:
    half = dark_images(1)
    half[..., 24:] += 0.7
    light = contrast.equalise_tiles(half).mean(dim=1)
    contrasts = [part.std() / part.mean() for part in (light[..., 4:20], light[..., 28:44])]
    before = [half.mean(dim=1)[..., a:b] for a, b in ((4, 20), (28, 44))]
    assert all(
        after > 1.3 * (part.std() / part.mean())
        for after, part in zip(contrasts, before, strict=True)
    )


def test_equalise_tiles_takes_any_size() -> None:
    image = torch.rand(2, 3, 29, 50)
    assert contrast.equalise_tiles(image).shape == image.shape


def test_normalise_edges_shows_edges_on_grey() -> None:
    image = torch.zeros(1, 1, 48, 48)
    image[..., 24:] = 0.3
    edges = contrast.normalise_edges(image)[0, 0]
    assert torch.allclose(edges[:, :20], torch.tensor(0.5), atol=1e-4)
    assert torch.allclose(edges[:, 28:], torch.tensor(0.5), atol=1e-4)
    assert edges[24, 23] < 0.3
    assert edges[24, 24] > 0.7
    assert torch.allclose(edges, contrast.normalise_edges(0.3 + 2 * image)[0, 0], atol=1e-4), (
        "independent of the edge's strength"
    )


def test_composition_with_a_preprocessing_draws_like_the_other() -> None:
    plain, composed = compose("RTS"), compose("RTS+histeq")
    assert composed.moving_draws == plain.moving_draws
    moved = plain(dark_images(), dark_images(), torch.Generator().manual_seed(1), 1.0, CANVAS)
    both = composed(dark_images(), dark_images(), torch.Generator().manual_seed(1), 1.0, CANVAS)
    assert torch.allclose(both, contrast.equalise_histogram(moved).clamp(0, 1), atol=1e-6)
