"""Networks that read a row of three digits: Sonderby et al., 2015 (arXiv 1509.05329)."""

import torch
from torch import Tensor, nn

from stnscope.models import families
from stnscope.models.layers import SequenceHead, convolution
from stnscope.models.network import Chain, InputPath, Network, Prediction, Thetas
from stnscope.models.receptive_field import ReceptiveField
from stnscope.models.transformer import Regression, Sampler, SpatialTransformer

SIDE = 100
DIGIT_COUNT = 3
MAPS = 20 * 9 * 9


def _features() -> nn.Sequential:
    """Return convolutions, 1x100x100 -> 1620."""
    return nn.Sequential(
        nn.MaxPool2d(2),  # 1x50x50
        convolution(1, 20, 3),  # 20x24x24
        convolution(20, 20, 3),  # 20x11x11
        nn.Conv2d(20, 20, 3),  # 20x9x9
        nn.ReLU(),
        nn.Flatten(),
    )


class Recurrent(Network):
    """The recurrent ST: 1x100x100 -> three outputs of 33x33 in turn -> 3 x 10 logits.

    A GRU, with the same features as input in each time step, predicts the next theta. One
    classifier reads all outputs. The attributes' names are keys of checkpoints.
    """

    REGION = (33, 33)

    def __init__(self, family: str) -> None:
        super().__init__()
        kind = families.get(family)
        self.looks = _features()
        self.memory = nn.GRU(MAPS, 256, batch_first=True)
        self.regression = Regression(256, kind)
        self.classifier = nn.Sequential(
            convolution(1, 32, 3),  # 32x15x15
            nn.Dropout(0.2),
            convolution(32, 32, 3),  # 32x6x6
            nn.Dropout(0.2),
            nn.Conv2d(32, 32, 3),  # 32x4x4
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 400),
            nn.ReLU(),
            nn.Linear(400, 10),
        )
        self.transformers = [
            Sampler(f"st{time}", kind, self.REGION) for time in range(1, DIGIT_COUNT + 1)
        ]
        # Registered, so that they move to a device with the network; they have no weights.
        self.samplers = nn.ModuleList(self.transformers)
        field = ReceptiveField.identity((SIDE, SIDE))
        self.input_paths = [InputPath(field, time_step=time) for time in range(1, DIGIT_COUNT + 1)]
        self.localisation_modules = [self.looks, self.memory, self.regression]

    def forward(self, images: Tensor, thetas: Thetas | None = None) -> Prediction:
        """Classify images (N, 1, 100, 100)."""
        features = self.looks(images)[:, None].expand(-1, DIGIT_COUNT, -1)
        states, _ = self.memory(features)  # (N, 3, 256)
        predicted = self.regression(states).unbind(1)
        warps = tuple(
            sampler.warp(images, (thetas or {}).get(sampler.name, theta))
            for sampler, theta in zip(self.transformers, predicted, strict=True)
        )
        outputs = torch.stack([warp.output for warp in warps], dim=1)
        logits = self.classifier(outputs.flatten(0, 1))
        return Prediction(logits.unflatten(0, (-1, DIGIT_COUNT)), warps)


def feed_forward(family: str) -> Network:
    """Build the feed-forward ST, 1x100x100 -> one output of 50x50 -> 3 x 10 logits."""
    localisation = nn.Sequential(_features(), nn.Linear(MAPS, 200), nn.ReLU())
    transformer = SpatialTransformer("st", families.get(family), localisation, 200, (50, 50))
    return Chain(
        (SIDE, SIDE),
        transformer,
        convolution(1, 96, 3),  # 96x24x24
        nn.Dropout(0.2),
        convolution(96, 96, 3),  # 96x11x11
        nn.Dropout(0.2),
        nn.Conv2d(96, 96, 3),  # 96x9x9
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(96 * 81, 400),
        nn.ReLU(),
        SequenceHead(400, DIGIT_COUNT, 10),
    )
