"""Where a map's pixels look, against a search that asks each of them."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from stnscope.models import grid
from stnscope.models.layers import LocalContrast, convolution
from stnscope.models.receptive_field import Field

LAYERS: dict[str, list[nn.Module]] = {
    "padded": [nn.Conv2d(1, 2, 5, padding=2), nn.ReLU()],
    "unpadded": [nn.Conv2d(1, 2, 4)],
    "strided": [nn.Conv2d(1, 2, (3, 5), stride=(2, 3), padding=(1, 0))],
    "dilated": [nn.Conv2d(1, 2, 3, dilation=2, padding=1)],
    "pooled": [nn.AvgPool2d(2), nn.MaxPool2d(3, stride=2, padding=1)],
    "many": [convolution(1, 2, 7, padding=2), nn.Dropout(0.5), convolution(2, 2, 4, padding=2)],
    "normalised": [nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), LocalContrast.box(3), nn.MaxPool2d(2)],
}


def window(layers: Sequence[nn.Module], size: tuple[int, int], row: int, column: int) -> Tensor:
    """The pixels (H, W) of an image that one pixel of the map depends on."""
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(2)).double()
    image.requires_grad_()
    value = image
    for layer in layers:
        value = layer.double().eval()(value)
    value[0, :, row, column].sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    return image.grad[0, 0] != 0


def widened(layers: Sequence[nn.Module]) -> list[nn.Module]:
    """The same windows, each of whose pixels counts: sums instead of rectifiers and maxima."""
    made: list[nn.Module] = []
    for layer in layers:
        match layer:
            case nn.Sequential():
                made += widened(list(layer))
            case nn.MaxPool2d():
                assert not isinstance(layer.padding, tuple)
                made.append(nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding))
            case nn.ReLU():
                made.append(nn.Identity())
            case nn.Conv2d():
                nn.init.ones_(layer.weight)
                made.append(layer)
            case _:
                made.append(layer)
    return made


@pytest.mark.parametrize("name", LAYERS)
def test_centres_are_those_that_a_search_finds(name: str) -> None:
    size = (37, 44)
    layers = LAYERS[name]
    field = Field.of(size).through(layers)
    value = torch.rand(1, 1, *size)
    for layer in layers:
        value = layer.eval()(value)
    assert field.size == value.shape[2:]
    rows, columns = field.size
    row, column = rows // 2, columns // 2
    seen = window(widened(layers), size, row, column)
    down, across = seen.any(dim=1).nonzero()[:, 0], seen.any(dim=0).nonzero()[:, 0]
    middle = torch.tensor([across[0] + across[-1] + 1, down[0] + down[-1] + 1]) / 2
    point = torch.tensor([(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1])
    found = grid.to_pixels(field.in_source(point), *size)
    assert torch.allclose(found, middle, atol=1e-4), (found, middle)


def test_in_literal_numbers() -> None:
    """5x5 without padding, then 2x2 pooling, on a 12x8 image: the first pixel of the 4x2 map is
    the mean of the first two 5x5 windows, whose middles lie at 2.5 and 3.5."""
    field = Field.of((8, 12)).through([convolution(1, 1, 5)])
    assert (field.size, field.step, field.start) == ((2, 4), (2.0, 2.0), (2.0, 2.0))
    centres = grid.to_pixels(field.in_source(grid.pixel_centres(2, 4)), 8, 12)
    assert centres[:4].tolist() == [[3, 3], [5, 3], [7, 3], [9, 3]]
    edges = grid.to_pixels(field.in_source(grid.corners()), 8, 12)
    assert edges.round(decimals=4).tolist() == [[2, 2], [10, 2], [10, 6], [2, 6]]


def test_the_way_back_leads_to_where_it_came_from() -> None:
    field = Field.of((8, 12)).through([nn.Conv2d(1, 1, 5, stride=2, padding=1), nn.MaxPool2d(2)])
    assert torch.allclose(field.in_map(field.in_source(grid.lattice(4))), grid.lattice(4))


def test_a_field_that_stands_moves_nothing() -> None:
    assert Field.of((5, 9)).through([nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()]).stands
    assert not Field.of((5, 9)).through([nn.Conv2d(1, 4, 3)]).stands


@pytest.mark.parametrize(
    "layer", [nn.Flatten(), nn.AdaptiveAvgPool2d(3), nn.MaxPool2d(2, ceil_mode=True)]
)
def test_layers_whose_windows_are_not_known_are_refused(layer: nn.Module) -> None:
    with pytest.raises(TypeError):
        Field.of((9, 9)).through([layer])
