"""Compact networks, which train on two cores in minutes."""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from stnscope.models import families
from stnscope.models.layers import SpatialSoftArgmax
from stnscope.models.network import Chain, Network
from stnscope.models.transformer import SpatialTransformer


class Localisation(nn.Module):
    """Localisation network, C x side x side -> 64 features.

    A spatial soft-argmax (`peaks`) finds the subject's position within a few hundred steps; pooled
    maps (`looks`) give its size and rotation. The attributes' names are keys of saved weights.
    """

    features = 64

    def __init__(self, channels: int = 1, side: int = 48) -> None:
        super().__init__()
        map_side = side // 4
        self.maps = nn.Sequential(
            *_convolution(channels, 16, 8, stride=4, padding=2),  # 16x12x12 for a side of 48
            *_convolution(16, 32, 3, padding=1),  # 32x12x12
            *_convolution(32, 32, 3, padding=1),  # 32x12x12
        )
        self.peaks = nn.Sequential(
            nn.Conv2d(32, 16, 1),  # 16x12x12
            SpatialSoftArgmax(16, map_side, map_side),  # 32
        )
        self.looks = nn.Sequential(
            nn.MaxPool2d(2),  # 32x6x6
            nn.Flatten(),  # 1152
            nn.Linear(32 * (map_side // 2) ** 2, 32),
            nn.ReLU(),
        )
        self.mix = nn.Sequential(nn.Linear(32 + 32, self.features), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        maps = self.maps(images)
        return cast("Tensor", self.mix(torch.cat([self.peaks(maps), self.looks(maps)], dim=1)))


def _convolution(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, padding: int
) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


def _digits_classifier(side: int) -> nn.Module:
    """Return the digits' classifier, 1 x side x side -> 10.

    It does not average over positions and works at half resolution, so it recognises digits only
    if they are centred and large: the transformer has to learn to centre and enlarge them.
    """
    return nn.Sequential(  # for a side of 28
        nn.AvgPool2d(2),  # 1x14x14
        *_convolution(1, 16, 3, padding=1),  # 16x14x14
        nn.Conv2d(16, 32, 3, padding=1, bias=False),  # 32x14x14
        nn.MaxPool2d(2),  # 32x7x7, before the normalisation, to make that cheaper
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),  # 1568
        nn.Dropout(0.2),
        nn.Linear(32 * (side // 4) ** 2, 64),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def digits(family: str) -> Network:
    """Build the compact ST-CNN, 1x48x48 -> an output of 28x28 -> 10."""
    localisation = Localisation()
    transformer = SpatialTransformer(
        "st", families.get(family), localisation, localisation.features, size=(28, 28)
    )
    return Chain((48, 48), transformer, _digits_classifier(28))


def digits_cnn(family: str) -> Network:
    """Build the compact CNN, 1x48x48 -> 10."""
    return Chain((48, 48), _digits_classifier(48))


def _signs_classifier(side: int, classes: int) -> nn.Module:
    """Return the signs' classifier, 3 x side x side -> classes; it expects centred subjects."""
    return nn.Sequential(  # for a side of 32
        *_convolution(3, 24, 5, stride=2, padding=2),  # 24x16x16
        nn.Conv2d(24, 48, 3, padding=1, bias=False),  # 48x16x16
        nn.MaxPool2d(2),  # 48x8x8
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.Conv2d(48, 64, 3, padding=1, bias=False),  # 64x8x8
        nn.MaxPool2d(2),  # 64x4x4
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),  # 1024
        nn.Dropout(0.2),
        nn.Linear(64 * (side // 8) ** 2, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )


def signs(family: str, classes: int = 43) -> Network:
    """Build the compact ST-CNN for signs, 3x48x48 -> an output of 32x32 -> classes."""
    localisation = Localisation(channels=3)
    transformer = SpatialTransformer(
        "st",
        families.get(family),
        localisation,
        localisation.features,
        size=(32, 32),
        padding="border",
    )
    return Chain((48, 48), transformer, _signs_classifier(32, classes))


def signs_2st(family: str, classes: int = 43) -> Network:
    """Build the compact two-stage ST-CNN for signs, 3x48x48 -> 40x40 -> 32x32 -> classes.

    The second transformer's input is the first one's output, so that it corrects what is left.
    """
    sides = (48, 40, 32)
    transformers = [
        SpatialTransformer(
            f"st{number}",
            families.get(family),
            Localisation(channels=3, side=side),
            Localisation.features,
            size=(output, output),
            padding="border",
        )
        for number, (side, output) in enumerate(pairwise(sides), start=1)
    ]
    return Chain((48, 48), *transformers, _signs_classifier(32, classes))


def signs_cnn(family: str, classes: int = 43) -> Network:
    """Build the compact CNN for signs, 3x48x48 -> classes."""
    return Chain((48, 48), _signs_classifier(48, classes))
