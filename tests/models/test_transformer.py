"""A transformer's grid, padding and supersampling."""

import torch
from torch import Tensor, nn

from stnscope.models import families, grid
from stnscope.models.transformer import SpatialTransformer


def constant_transformer(
    theta: tuple[float, ...], family: str = "affine", **options: float
) -> SpatialTransformer:
    """A transformer that predicts the same theta for every image."""
    transformer = SpatialTransformer(
        "st",
        families.get(family),
        nn.Flatten(),
        48,
        (6, 8),
        padding=options.get("padding", 0.0),
        supersampling=int(options.get("supersampling", 1)),
    )
    with torch.no_grad():
        transformer.regression.bias.copy_(torch.tensor(theta))
    return transformer.eval()


def images() -> Tensor:
    return torch.rand(2, 1, 6, 8, generator=torch.Generator().manual_seed(1))


def test_grid_is_float32_under_autocast() -> None:
    """bfloat16 resolves at most 256 positions, fewer than the pixels of a large image."""
    transformer = constant_transformer((0.71, 0.1, 0.03, -0.1, 0.69, 0.21))
    exact = transformer(images())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = transformer(images().bfloat16())
    assert mixed.output.dtype == torch.bfloat16
    assert mixed.theta.dtype == mixed.grid.dtype == torch.float32
    points = transformer.family.warp(mixed.theta, grid.pixel_centres(6, 8), 8 / 6)
    assert torch.equal(mixed.grid.flatten(1, 2), points)
    assert torch.allclose(mixed.grid, exact.grid, atol=0.01)


def test_supersampling_changes_the_output_and_not_the_grid() -> None:
    zoomed_out = (3.0, 0, 0, 0, 3.0, 0)
    one, four = (
        constant_transformer(zoomed_out, supersampling=count)(images()) for count in (1, 4)
    )
    assert torch.equal(one.grid, four.grid)
    assert one.output.shape == four.output.shape == (2, 1, 6, 8)
    inside = four.output[:, :, 2:4, 3:5].mean()
    assert torch.allclose(inside, images().mean(), atol=0.1), "each averages the pixels around it"
    assert not torch.allclose(one.output, four.output, atol=0.1)


def test_resample_of_the_own_input_is_the_output() -> None:
    for options in ({}, {"supersampling": 3}, {"padding": 0.4}):
        transformer = constant_transformer((0.6, -0.3, 0.2, 0.25, 0.5, -0.4), **options)
        warp = transformer(images())
        assert torch.equal(transformer.resample(images(), warp), warp.output)


def test_padding_is_sampled_outside_the_input() -> None:
    away = (1.0, 0, 5.0, 0, 1, 0)
    assert constant_transformer(away, padding=0.4)(images()).output.allclose(torch.tensor(0.4))
    assert constant_transformer(away)(images()).output.eq(0).all()


def test_configure_sampling_changes_padding_and_supersampling() -> None:
    away, zoomed_out = (1.0, 0, 5.0, 0, 1, 0), (3.0, 0, 0, 0, 3.0, 0)
    transformer = constant_transformer(away)
    transformer.configure_sampling(padding=-1.5, image_padding=0.4)
    warp = transformer(images())
    assert warp.output.eq(-1.5).all()
    assert transformer.resample(images(), warp).allclose(torch.tensor(0.4))
    transformer.configure_sampling()
    assert (transformer.padding, transformer.image_padding) == (-1.5, 0.4)
    assert transformer.supersampling == 1
    finer = constant_transformer(zoomed_out)
    finer.configure_sampling(supersampling=4)
    built_finer = constant_transformer(zoomed_out, supersampling=4)
    assert torch.equal(finer(images()).output, built_finer(images()).output)


def test_rotation_accounts_for_the_input_s_aspect_ratio() -> None:
    rotated = constant_transformer((torch.pi / 2,), "rotation")
    points = rotated(torch.rand(1, 1, 6, 8)).grid
    corner = points[0, 0, 0]  # the output's first pixel is at (-7/8, -5/6)
    assert torch.allclose(corner, torch.tensor([5 / 6 * 6 / 8, -7 / 8 * 8 / 6]), atol=1e-6)
