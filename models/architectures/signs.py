"""Networks for traffic signs: IDSIA's, those of Moodstocks/gtsrb.torch, and ones of 3x3 filters."""

from torch import nn

from stnscope.models import families
from stnscope.models.architectures.compact import Localisation
from stnscope.models.layers import GlobalContrast, LocalContrast, ScaledTanh, init_uniform
from stnscope.models.network import Chain, Network
from stnscope.models.transformer import SpatialTransformer

SIDE = 48
CLASSES = 43
SIGNS_MEAN, SIGNS_DEVIATION = 0.3260, 0.2692
"""Mean and deviation of all values of GTSRB's training images at 48x48."""


def idsia(family: str) -> Network:
    """Build one network of the committee of Ciresan et al., 2012, 3x48x48 -> 43."""
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
    """Build a network of Moodstocks/gtsrb.torch, 3x48x48 -> 43.

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


VGG_REGION = 40
"""Side of the output of the transformer at the input."""
VGG_MAP = VGG_REGION // 2
VGG_HIDDEN = 200


def vgg(family: str, classes: int = CLASSES) -> Network:
    """Build pairs of 3x3 convolutions (Simonyan and Zisserman, 2015), 3x48x48 -> classes."""
    return Chain(
        (SIDE, SIDE),
        LocalContrast.box(9),
        _pair(3, 48),  # 48x24x24
        _pair(48, 96),  # 96x12x12
        _pair(96, 160),  # 160x6x6
        _vgg_head(SIDE // 8, classes),
    )


def vgg_2st(family: str, classes: int = CLASSES) -> Network:
    """Build `vgg` with two transformers, 3x48x48 -> an output of 40x40 -> classes.

    The first one samples the image after local contrast normalisation, the second one the maps
    after the first pair of convolutions.
    """
    at_input = SpatialTransformer(
        "st1",
        families.get(family),
        Localisation(channels=3),
        Localisation.features,
        (VGG_REGION, VGG_REGION),
    )
    after_first = SpatialTransformer(
        "st2", families.get(family), _map_localisation(48, VGG_MAP), 64, (VGG_MAP, VGG_MAP)
    )
    return Chain(
        (SIDE, SIDE),
        LocalContrast.box(9),
        at_input,
        _pair(3, 48),  # 48x20x20
        after_first,
        _pair(48, 96),  # 96x10x10
        _pair(96, 160),  # 160x5x5
        _vgg_head(VGG_REGION // 8, classes),
    )


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    """Return two 3x3 convolutions with batch normalisation, and 2x2 max pooling."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def _vgg_head(side: int, classes: int) -> nn.Sequential:
    """Return the classifier of maps, 160 x side x side -> classes."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(160 * side**2, VGG_HIDDEN, bias=False),
        nn.BatchNorm1d(VGG_HIDDEN),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(VGG_HIDDEN, classes),
    )


def _map_localisation(channels: int, side: int) -> nn.Sequential:
    """Return the localisation network of a map: channels x side x side -> 64."""
    return nn.Sequential(
        nn.MaxPool2d(2),
        nn.Conv2d(channels, 32, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * (side // 4) ** 2, 64),
        nn.ReLU(),
    )
