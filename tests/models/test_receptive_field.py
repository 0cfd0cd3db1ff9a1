"""Receptive fields, against gradients of a pixel with respect to the image."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from stnscope.models import grid
from stnscope.models.layers import LocalContrast, convolution
from stnscope.models.receptive_field import ReceptiveField

LAYERS: dict[str, list[nn.Module]] = {
    "padded": [nn.Conv2d(1, 2, 5, padding=2), nn.ReLU()],
    "unpadded": [nn.Conv2d(1, 2, 4)],
    "strided": [nn.Conv2d(1, 2, (3, 5), stride=(2, 3), padding=(1, 0))],
    "dilated": [nn.Conv2d(1, 2, 3, dilation=2, padding=1)],
    "pooled": [nn.AvgPool2d(2), nn.MaxPool2d(3, stride=2, padding=1)],
    "many": [convolution(1, 2, 7, padding=2), nn.Dropout(0.5), convolution(2, 2, 4, padding=2)],
    "normalised": [nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), LocalContrast.box(3), nn.MaxPool2d(2)],
}


def receptive_window(
    layers: Sequence[nn.Module], size: tuple[int, int], row: int, column: int
) -> Tensor:
    """Whether a pixel of the map depends on each pixel of the image, (H, W)."""
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(2)).double()
    image.requires_grad_()
    value = image
    for layer in layers:
        value = layer.double().eval()(value)
    value[0, :, row, column].sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    return image.grad[0, 0] != 0


def with_all_pixels(layers: Sequence[nn.Module]) -> list[nn.Module]:
    """Layers with the same windows in which every pixel has a gradient: no ReLU and no maximum."""
    replaced: list[nn.Module] = []
    for layer in layers:
        match layer:
            case nn.Sequential():
                replaced += with_all_pixels(list(layer))
            case nn.MaxPool2d():
                assert not isinstance(layer.padding, tuple)
                replaced.append(nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding))
            case nn.ReLU():
                replaced.append(nn.Identity())
            case nn.Conv2d():
                nn.init.ones_(layer.weight)
                replaced.append(layer)
            case _:
                replaced.append(layer)
    return replaced


@pytest.mark.parametrize("name", LAYERS)
def test_centres_agree_with_gradients(name: str) -> None:
    size = (37, 44)
    layers = LAYERS[name]
    field = ReceptiveField.identity(size).through(layers)
    value = torch.rand(1, 1, *size)
    for layer in layers:
        value = layer.eval()(value)
    assert field.size == value.shape[2:]
    rows, columns = field.size
    row, column = rows // 2, columns // 2
    depends = receptive_window(with_all_pixels(layers), size, row, column)
    down, across = depends.any(dim=1).nonzero()[:, 0], depends.any(dim=0).nonzero()[:, 0]
    centre = torch.tensor([across[0] + across[-1] + 1, down[0] + down[-1] + 1]) / 2
    point = torch.tensor([(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1])
    found = grid.to_pixels(field.to_source(point), *size)
    assert torch.allclose(found, centre, atol=1e-4), (found, centre)


def test_field_in_literal_numbers() -> None:
    """5x5 without padding, then 2x2 pooling, on a 12x8 image: the first pixel of the 4x2 map is
    the mean of the first two 5x5 windows, whose centres are at 2.5 and 3.5."""
    field = ReceptiveField.identity((8, 12)).through([convolution(1, 1, 5)])
    assert (field.size, field.step, field.start) == ((2, 4), (2.0, 2.0), (2.0, 2.0))
    centres = grid.to_pixels(field.to_source(grid.pixel_centres(2, 4)), 8, 12)
    assert centres[:4].tolist() == [[3, 3], [5, 3], [7, 3], [9, 3]]
    edges = grid.to_pixels(field.to_source(grid.corners()), 8, 12)
    assert edges.round(decimals=4).tolist() == [[2, 2], [10, 2], [10, 6], [2, 6]]


def test_from_source_inverts_to_source() -> None:
    field = ReceptiveField.identity((8, 12)).through(
        [nn.Conv2d(1, 1, 5, stride=2, padding=1), nn.MaxPool2d(2)]
    )
    assert torch.allclose(field.from_source(field.to_source(grid.lattice(4))), grid.lattice(4))


def test_only_layers_that_keep_positions_have_the_identity_field() -> None:
    identity = ReceptiveField.identity((5, 9))
    assert identity.through([nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()]).is_identity
    assert not identity.through([nn.Conv2d(1, 4, 3)]).is_identity


@pytest.mark.parametrize(
    "layer", [nn.Flatten(), nn.AdaptiveAvgPool2d(3), nn.MaxPool2d(2, ceil_mode=True)]
)
def test_layers_without_known_windows_raise(layer: nn.Module) -> None:
    with pytest.raises(TypeError):
        ReceptiveField.identity((9, 9)).through([layer])
