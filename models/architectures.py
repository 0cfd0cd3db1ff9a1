"""The named networks. Images are (N, C, H, W) in [0, 1]; comments give shapes per image."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import cast

import torch
from torch import Tensor, nn

from models import families, grid
from models.transformer import Prediction, SpatialTransformer


class Network(nn.Module):
    """Transformers one after another on the input, then a classifier."""

    def __init__(self, transformers: list[SpatialTransformer], classifier: nn.Module) -> None:
        super().__init__()
        # A ModuleList registers them; to everyone else they are a sequence.
        self.transformers = cast("Sequence[SpatialTransformer]", nn.ModuleList(transformers))
        self.classifier = classifier

    def forward(self, images: Tensor) -> Prediction:
        """Classifies images (N, C, H, W) in [0, 1]."""
        warps = []
        for transformer in self.transformers:
            warps.append(transformer(images))
            images = warps[-1].output
        return Prediction(self.classifier(images), tuple(warps))

    def localisation_parameters(self) -> Iterator[nn.Parameter]:
        """What decides where to look; trained at a rate of its own."""
        return chain.from_iterable(each.parameters() for each in self.transformers)

    def classifier_parameters(self) -> Iterator[nn.Parameter]:
        """Everything else."""
        return self.classifier.parameters()


class Peaks(nn.Module):
    """Where each map is lit: maps (N, C, H, W) -> the mean x and y of each, (N, 2 C).

    The mean is weighted by a softmax over the map, whose sharpness is learnt for each channel.
    """

    points: Tensor

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.ones(channels, 1))
        self.register_buffer("points", grid.pixel_centres(height, width), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        weights = (maps.flatten(2) * self.sharpness).softmax(dim=2)  # (N, C, H * W)
        return (weights @ self.points).flatten(1)


class DigitsLocalisation(nn.Module):
    """1x48x48 -> 64 features: where things are, from peaks, and how they look, from all maps.

    Peaks find the digit within a few hundred steps; looks tell its size and its turn.
    """

    features = 64

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            *_convolution(1, 16, 8, stride=4, padding=2),  # 16x12x12
            *_convolution(16, 32, 3, padding=1),  # 32x12x12
            *_convolution(32, 32, 3, padding=1),  # 32x12x12
        )
        self.peaks = nn.Sequential(
            nn.Conv2d(32, 16, 1),  # 16x12x12
            Peaks(16, 12, 12),  # 32
        )
        self.looks = nn.Sequential(
            nn.MaxPool2d(2),  # 32x6x6
            nn.Flatten(),  # 1152
            nn.Linear(1152, 32),
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
    """1 x side x side -> 10.

    It averages nothing over places and reads at half resolution, so it can tell digits apart only
    where it expects them and where they are large: the transformer has to bring them there.
    """
    return nn.Sequential(  # for a side of 28
        nn.AvgPool2d(2),  # 1x14x14
        *_convolution(1, 16, 3, padding=1),  # 16x14x14
        nn.Conv2d(16, 32, 3, padding=1, bias=False),  # 32x14x14
        nn.MaxPool2d(2),  # 32x7x7, before the normalisation, which is then cheaper
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
    """The compact ST-CNN: 1x48x48 -> a 28x28 region -> 10 classes."""
    localisation = DigitsLocalisation()
    transformer = SpatialTransformer(
        "st", families.get(family), localisation, localisation.features, size=(28, 28)
    )
    return Network([transformer], _digits_classifier(28))


def digits_cnn(family: str) -> Network:
    """The same classifier, made for the whole 1x48x48 input; it has no transformer."""
    return Network([], _digits_classifier(48))


BUILDERS = {"digits": digits, "digits-cnn": digits_cnn}


def build(name: str, family: str = "affine") -> Network:
    """An untrained network, its start drawn from torch's global generator.

    Raises:
        KeyError: there is no such architecture or family; the text lists those that exist.
    """
    if name not in BUILDERS:
        raise KeyError(f"There is no architecture {name!r}; there are {', '.join(BUILDERS)}.")
    return BUILDERS[name](family)
