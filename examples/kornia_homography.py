"""A homography by kornia, whose warp a network learns to invert.

python examples/kornia_homography.py                trains for some minutes
python examples/kornia_homography.py --steps 20     a short run
"""

import argparse

import kornia.geometry.transform as warps
import torch
from torch import Tensor, nn
from torch.nn import functional

import stnscope

SIDE = 32


class Rectify(nn.Module):
    """Predicts the homography by which a page was photographed, and takes it back."""

    def __init__(self) -> None:
        super().__init__()
        last = nn.Linear(64, 8)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.localisation = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 5 * 5, 64), nn.ReLU(), last,
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        changes = functional.pad(0.3 * self.localisation(images), (0, 1)).view(-1, 3, 3)
        matrices = torch.eye(3) + changes
        return warps.homography_warp(images, matrices, (SIDE, SIDE), padding_mode="border")


def pages(count: int) -> tuple[Tensor, Tensor]:
    """Return pages as photographed, and flat."""
    flat = torch.full((count, 1, SIDE, SIDE), 0.1)
    flat[:, :, 6:26, 8:24] = 0.9
    lines = torch.rand(count, 1, 5, 1).expand(-1, -1, -1, 12).round()
    flat[:, :, 8:24:4, 10:22] -= 0.6 * lines[:, :, :4]
    flat[:, :, 7:9, 10:14] = 0.3  # marks the top of the page
    bent = torch.eye(3) + 0.18 * functional.pad(torch.rand(count, 8) * 2 - 1, (0, 1)).view(-1, 3, 3)
    return warps.homography_warp(flat, bent, (SIDE, SIDE), padding_mode="border"), flat


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    torch.manual_seed(0)
    model = Rectify()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    photographed, _ = pages(12)

    with stnscope.watch(model, photographed, name="Homography by kornia") as run:
        for _ in range(steps):
            images, targets = pages(64)
            loss = functional.mse_loss(model(images), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            run.step(loss=loss)


if __name__ == "__main__":
    main()
