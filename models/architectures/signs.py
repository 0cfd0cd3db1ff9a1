"""Networks for traffic signs of 43 classes: IDSIA's, and those of Moodstocks/gtsrb.torch."""

from torch import nn

from stnscope.models import families
from stnscope.models.layers import GlobalContrast, LocalContrast, ScaledTanh, init_uniform
from stnscope.models.network import Chain, Network
from stnscope.models.transformer import SpatialTransformer

SIDE = 48
CLASSES = 43
SIGNS_MEAN, SIGNS_DEVIATION = 0.3260, 0.2692
"""Of all values of GTSRB's training images at 48x48."""


def idsia(family: str) -> Network:
    """3x48x48 -> 43: one network of the committee of Ciresan et al., 2012."""
    return Chain(
        (SIDE, SIDE),
        init_uniform(
            nn.Sequential(
                nn.Conv2d(3, 100, 7),  # 100x42x42
                ScaledTanh(),
                nn.MaxPool2d(2),  # 100x21x21
                nn.Conv2d(100, 150, 4),  # 150x18x18
                ScaledTanh(),
                nn.MaxPool2d(2),  # 150x9x9
                nn.Conv2d(150, 250, 4),  # 250x6x6
                ScaledTanh(),
                nn.MaxPool2d(2),  # 250x3x3
                nn.Flatten(),  # 2250
                nn.Linear(2250, 300),
                ScaledTanh(),
                nn.Linear(300, CLASSES),
            ),
            0.05,
        ),
    )


Widths = tuple[int, int, int]
"""Filters of a localisation network's two convolutions, and units of its hidden layer."""


def moodstocks(
    family: str,
    *,
    widths: tuple[int, int, int, int],
    at_input: Widths | None = None,
    after_second: Widths | None = None,
) -> Network:
    """3x48x48 -> 43.

    Args:
        widths: filters of the three convolutions and units of the hidden layer.
        at_input: widths of the transformer at the input; None for no such transformer.
        after_second: widths of the transformer after the second convolution; None for none.
    """
    one, two, three, hidden = widths
    first, second = [], []
    if at_input:
        first = [_transformer("st1", family, 3, SIDE, at_input)]
    if after_second:
        second = [_transformer("st3", family, two, 12, after_second)]
    return Chain(
        (SIDE, SIDE),
        GlobalContrast(SIGNS_MEAN, SIGNS_DEVIATION),
        LocalContrast.gaussian(7),
        *first,
        _block(3, one, 7),  # 46x46, halved to 23x23
        _block(one, two, 4),  # 24x24, halved to 12x12
        *second,
        _block(two, three, 4),  # 13x13, halved to 6x6
        nn.Flatten(),
        nn.Linear(three * 36, hidden),
        nn.ReLU(),
        nn.Linear(hidden, CLASSES),
    )


def _block(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        LocalContrast.box(9),
    )


def _transformer(
    name: str, family: str, channels: int, side: int, widths: Widths
) -> SpatialTransformer:
    one, two, hidden = widths
    last = side // 8
    localisation = nn.Sequential(
        nn.MaxPool2d(2),
        nn.Conv2d(channels, one, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(one, two, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(two * last**2, hidden),
        nn.ReLU(),
    )
    return SpatialTransformer(name, families.get(family), localisation, hidden, (side, side))
