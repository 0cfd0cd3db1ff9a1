"""Networks such as other people write: plain modules of torch that do not import this program."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Transform = Callable[[Tensor, Tensor], Tensor]
"""theta (N, 6), images (N, C, H, W) -> the grid (N, H, W, 2)."""


def affine_grid(theta: Tensor, images: Tensor) -> Tensor:
    size = [len(images), 1, *images.shape[-2:]]
    return functional.affine_grid(theta.view(-1, 2, 3), size, align_corners=False)


class TransformerNet(nn.Module):
    """PyTorch's tutorial in small: a localisation network, a transformer, a classifier."""

    def __init__(self, channels: int = 1, side: int = 12, classes: int = 4) -> None:
        super().__init__()
        regression = nn.Linear(8, 6)
        self.localisation = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * side * side, 8), nn.ReLU(), regression
        )
        self.norm = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout()
        self.classifier = nn.Linear(channels * side * side, classes)
        nn.init.normal_(regression.weight, std=0.1)
        with torch.no_grad():
            regression.bias.copy_(torch.tensor([0.8, 0.1, 0.05, -0.1, 0.8, 0.0]))

    def forward(self, images: Tensor) -> Tensor:
        grid = affine_grid(self.localisation(images), images)
        outputs = functional.grid_sample(images, grid, align_corners=False)
        features = self.dropout(self.norm(outputs).flatten(1))
        return functional.log_softmax(self.classifier(features), dim=1)


class Sampled(nn.Module):
    """Samples what `before` returns, at a grid that does not depend on the image."""

    def __init__(
        self, grid: Tensor, before: nn.Module | None = None, *, align_corners: bool = False
    ) -> None:
        super().__init__()
        self.register_buffer("grid", grid)
        self.before = before or nn.Identity()
        self.align_corners = align_corners

    def forward(self, images: Tensor) -> Tensor:
        maps = self.before(images)
        grid = self.get_buffer("grid").expand(len(maps), -1, -1, -1)
        return functional.grid_sample(maps, grid, align_corners=self.align_corners)


def regular_grid(height: int, width: int, *, align_corners: bool = False) -> Tensor:
    """Return the grid that samples the whole map, (1, h, w, 2)."""
    return functional.affine_grid(
        torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), [1, 1, height, width], align_corners=align_corners
    )
