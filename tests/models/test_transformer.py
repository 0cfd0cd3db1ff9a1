"""The transformer's own choices: its grid, what lies outside, how finely it samples."""

import torch
from torch import Tensor, nn

from stnscope.models import families, grid
from stnscope.models.transformer import SpatialTransformer


def looking(
    theta: tuple[float, ...], family: str = "affine", **options: float
) -> SpatialTransformer:
    """A transformer that looks at one region whatever it is shown."""
    made = SpatialTransformer(
        "st",
        families.get(family),
        nn.Flatten(),
        48,
        (6, 8),
        outside=options.get("outside", 0.0),
        samples=int(options.get("samples", 1)),
    )
    with torch.no_grad():
        made.regression.bias.copy_(torch.tensor(theta))
    return made.eval()


def images() -> Tensor:
    return torch.rand(2, 1, 6, 8, generator=torch.Generator().manual_seed(1))


def test_a_grid_is_made_in_single_precision_when_the_rest_is_not() -> None:
    """bfloat16 tells 256 places apart at most: neighbouring pixels of a large image are one."""
    transformer = looking((0.71, 0.1, 0.03, -0.1, 0.69, 0.21))
    exact = transformer(images())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = transformer(images().bfloat16())
    assert mixed.output.dtype == torch.bfloat16
    assert mixed.theta.dtype == mixed.grid.dtype == torch.float32
    points = transformer.family.warp(mixed.theta, grid.pixel_centres(6, 8), 8 / 6)
    assert torch.equal(mixed.grid.flatten(1, 2), points)
    assert torch.allclose(mixed.grid, exact.grid, atol=0.01)


def test_several_samples_change_the_output_and_not_the_grid() -> None:
    zoomed_out = (3.0, 0, 0, 0, 3.0, 0)
    one, four = (looking(zoomed_out, samples=samples)(images()) for samples in (1, 4))
    assert torch.equal(one.grid, four.grid)
    assert one.output.shape == four.output.shape == (2, 1, 6, 8)
    inside = four.output[:, :, 2:4, 3:5].mean()
    assert torch.allclose(inside, images().mean(), atol=0.1), "each sees all pixels around it"
    assert not torch.allclose(one.output, four.output, atol=0.1)


def test_what_it_shows_of_its_own_input_is_its_output() -> None:
    for options in ({}, {"samples": 3}, {"outside": 0.4}):
        transformer = looking((0.6, -0.3, 0.2, 0.25, 0.5, -0.4), **options)
        warp = transformer(images())
        assert torch.equal(transformer.show(images(), warp), warp.output)


def test_outside_the_input_is_what_was_asked_for() -> None:
    away = (1.0, 0, 5.0, 0, 1, 0)
    assert looking(away, outside=0.4)(images()).output.allclose(torch.tensor(0.4))
    assert looking(away)(images()).output.eq(0).all()


def test_how_it_samples_can_be_changed_afterwards() -> None:
    away, zoomed_out = (1.0, 0, 5.0, 0, 1, 0), (3.0, 0, 0, 0, 3.0, 0)
    transformer = looking(away)
    transformer.sample_with(outside=-1.5, outside_shown=0.4)
    warp = transformer(images())
    assert warp.output.eq(-1.5).all()
    assert transformer.show(images(), warp).allclose(torch.tensor(0.4))
    transformer.sample_with()
    assert (transformer.outside, transformer.outside_shown, transformer.samples) == (-1.5, 0.4, 1)
    finer = looking(zoomed_out)
    finer.sample_with(samples=4)
    made_so = looking(zoomed_out, samples=4)
    assert torch.equal(finer(images()).output, made_so(images()).output)


def test_the_shape_of_the_input_is_the_warp_s_concern() -> None:
    turned = looking((torch.pi / 2,), "rotation")
    where = turned(torch.rand(1, 1, 6, 8)).grid
    corner = where[0, 0, 0]  # the output's first pixel lies at (-7/8, -5/6)
    assert torch.allclose(corner, torch.tensor([5 / 6 * 6 / 8, -7 / 8 * 8 / 6]), atol=1e-6)
