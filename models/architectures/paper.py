"""The networks of Jaderberg et al., 2015 (arXiv 1506.02025), on digits and on house numbers.

Hidden widths are chosen for about 400,000 parameters a network; the paper gives only that total.
Comments give shapes.
"""

from itertools import pairwise

from torch import nn

from stnscope.models import families
from stnscope.models.layers import SequenceHead
from stnscope.models.network import Chain, Network, Parallel
from stnscope.models.transformer import SpatialTransformer

HIDDEN = 32
"""Units in each layer of a fully connected localisation network."""
FIRST = 64
"""Filters of the CNN's first layer."""


def _layers(inputs: int, *widths: int) -> list[nn.Module]:
    """Return fully connected layers of these widths, each with a ReLU."""
    layers: list[nn.Module] = [nn.Flatten()]
    for before, width in pairwise((inputs, *widths)):
        layers += [nn.Linear(before, width), nn.ReLU()]
    return layers


def _fully_connected(inputs: int, hidden: int, classes: int = 10) -> nn.Sequential:
    """Return the FCN: two hidden layers and a classifier."""
    return nn.Sequential(*_layers(inputs, hidden, hidden), nn.Linear(hidden, classes))


def _convolutional(second: int, flat: int, *, ceil_mode: bool = False) -> nn.Sequential:
    """Return the CNN: 9x9 and 7x7 convolutions, each with 2x2 pooling."""
    return nn.Sequential(
        nn.Conv2d(1, FIRST, 9),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=ceil_mode),
        nn.Conv2d(FIRST, second, 7),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=ceil_mode),
        nn.Flatten(),
        nn.Linear(second * flat, 10),
    )


def _connected_localisation(inputs: int) -> nn.Sequential:
    return nn.Sequential(*_layers(inputs, HIDDEN, HIDDEN, HIDDEN))


def _convolutional_localisation(flat: int) -> nn.Sequential:
    return nn.Sequential(
        nn.AvgPool2d(2),
        nn.Conv2d(1, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 20, 5),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(20 * flat, 20),
        nn.ReLU(),
    )


def fcn(family: str, *, side: int, hidden: int) -> Network:
    """Build the FCN, 1 x side x side -> 10."""
    return Chain((side, side), _fully_connected(side**2, hidden))


def cnn(family: str, *, side: int, second: int, flat: int) -> Network:
    """Build the CNN, 1 x side x side -> 10."""
    return Chain((side, side), _convolutional(second, flat))


def st_fcn(family: str, *, side: int, hidden: int) -> Network:
    """Build the ST-FCN, 1 x side x side -> an output of the same size -> 10."""
    transformer = SpatialTransformer(
        "st", families.get(family), _connected_localisation(side**2), HIDDEN, (side, side)
    )
    return Chain((side, side), transformer, _fully_connected(side**2, hidden))


def st_cnn(
    family: str, *, side: int, second: int, localised: int, flat: int, ceil_mode: bool
) -> Network:
    """Build the ST-CNN, 1 x side x side -> an output of the same size, halved -> 10.

    Args:
        second: filters of the second convolution.
        localised: pixels of the localisation network's last map.
        flat: pixels of the classifier's last map.
        ceil_mode: of the classifier's pooling.
    """
    transformer = SpatialTransformer(
        "st", families.get(family), _convolutional_localisation(localised), 20, (side, side)
    )
    classifier = _convolutional(second, flat, ceil_mode=ceil_mode)
    return Chain((side, side), transformer, nn.AvgPool2d(2), classifier)


ADDITION_SIDE = 42
ADDITION_REGION = 28
ADDITION_CLASSES = 19
"""Sums of two digits."""


def addition(family: str, *, transformers: int, hidden: int) -> Network:
    """Build the networks for addition, 2x42x42 -> 2x28x28 per transformer -> 19 (A.1).

    A digit is in each channel of the input.
    """
    inputs = 2 * ADDITION_SIDE**2
    size = (ADDITION_SIDE, ADDITION_SIDE)
    if not transformers:
        return Chain(size, _fully_connected(inputs, hidden, ADDITION_CLASSES))
    parallel = Parallel(
        *(
            SpatialTransformer(
                "st" if transformers == 1 else f"st{number}",
                families.get(family),
                _connected_localisation(inputs),
                HIDDEN,
                (ADDITION_REGION, ADDITION_REGION),
            )
            for number in range(1, transformers + 1)
        )
    )
    pixels = transformers * 2 * ADDITION_REGION**2
    return Chain(size, parallel, _fully_connected(pixels, hidden, ADDITION_CLASSES))


NUMBER_SIDE = 64
NUMBER_DIGITS = 5
NUMBER_CLASSES = 11
"""Ten digits, and one class for no digit."""


MAPS = ((3, 64), (48, 32), (64, 32), (128, 16))
"""Channels and side of the inputs of the first four convolutions."""


def svhn(family: str, *, transformers: int) -> Network:
    """Build the networks for house numbers, 3x64x64 -> 5 x 11 logits (sec. 4.2, A.5).

    With no transformer, one at the input, or one before each of the first four convolutions.
    """
    before: list[list[nn.Module]] = [[], [], [], []]
    for number, (channels, side) in enumerate(MAPS[:transformers]):
        is_single = transformers == 1
        before[number] = [
            SpatialTransformer(
                "st" if is_single else f"st{number + 1}",
                families.get(family),
                _four_layers() if is_single else _two_layers(channels * side**2),
                HIDDEN,
                (side, side),
            )
        ]
    return Chain(
        (NUMBER_SIDE, NUMBER_SIDE),
        *before[0],
        _padded(3, 48, dropout=0),  # 48x64x64
        nn.MaxPool2d(2),  # 48x32x32
        *before[1],
        _padded(48, 64),
        *before[2],
        _padded(64, 128),
        nn.MaxPool2d(2),  # 128x16x16
        *before[3],
        _padded(128, 160),
        _padded(160, 192),
        nn.MaxPool2d(2),  # 192x8x8
        _padded(192, 192),
        _padded(192, 192),
        nn.MaxPool2d(2),  # 192x4x4
        _padded(192, 192),
        nn.Flatten(),  # 3072
        *(_dense() for _ in range(3)),
        SequenceHead(3072, NUMBER_DIGITS, NUMBER_CLASSES),
    )


def _two_layers(inputs: int) -> nn.Sequential:
    """Return the localisation network of each of four transformers."""
    return nn.Sequential(*_layers(inputs, HIDDEN, HIDDEN))


def _four_layers() -> nn.Sequential:
    """Return the localisation network of a single transformer: 3x64x64 -> 32."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2),  # 32x64x64
        nn.ReLU(),
        nn.MaxPool2d(2),  # 32x32x32
        nn.Conv2d(32, 32, 5, padding=2),
        nn.ReLU(),
        _two_layers(32 * 32 * 32),
    )


def _padded(inputs: int, outputs: int, *, dropout: float = 0.5) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 5, padding=2), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []))


def _dense() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3072, 3072), nn.ReLU(), nn.Dropout(0.5))
