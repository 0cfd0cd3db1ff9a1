"""A thin plate spline of one's own: the grid is computed by hand, and stnscope shows its shape.

python examples/thin_plate_spline.py                trains for a minute
python examples/thin_plate_spline.py --steps 20     a short run
"""

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional

import stnscope

SIDE = 32
CONTROLS = 4  # along each side


def radial(distances: Tensor) -> Tensor:
    """Return r^2 log r of squared distances r^2."""
    return 0.5 * distances * (distances + 1e-9).log()


class Unwarp(nn.Module):
    """Predicts where the control points lie, and samples on the spline through them."""

    def __init__(self) -> None:
        super().__init__()
        ticks = torch.linspace(-1, 1, CONTROLS)
        controls = torch.cartesian_prod(ticks, ticks).flip(1)
        centres = (2 * torch.arange(SIDE) + 1) / SIDE - 1
        points = torch.cartesian_prod(centres, centres).flip(1)
        count = len(controls)
        system = torch.zeros(count + 3, count + 3)
        system[:count, :count] = radial(torch.cdist(controls, controls).square())
        system[:count, count:] = torch.cat([torch.ones(count, 1), controls], dim=1)
        system[count:, :count] = system[:count, count:].T
        plane = torch.cat([torch.ones(len(points), 1), points], dim=1)
        weights = torch.cat([radial(torch.cdist(points, controls).square()), plane], dim=1)
        self.register_buffer("basis", (weights @ torch.linalg.inv(system))[:, :count])
        self.register_buffer("controls", controls)
        last = nn.Linear(64, 2 * count)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.localisation = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 5 * 5, 64), nn.ReLU(), last,
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        offsets = self.localisation(images).view(len(images), -1, 2)
        points = self.get_buffer("basis") @ (self.get_buffer("controls") + offsets)
        grid = points.view(-1, SIDE, SIDE, 2)
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def checks(count: int) -> tuple[Tensor, Tensor]:
    """Return checked cloth as it is bent, and as it was."""
    centres = (2 * torch.arange(SIDE) + 1) / SIDE - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    across, down = (torch.rand(2, count, 1, 1) - 0.5) * 0.6

    def draw(x: Tensor, y: Tensor) -> Tensor:
        return (0.5 + 0.25 * (torch.cos(8 * x) + torch.cos(8 * y)))[:, None]

    bent = draw(x + across * torch.sin(2.5 * y), y + down * torch.sin(2.5 * x))
    return bent, draw(x[None], y[None]).expand(count, -1, -1, -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    steps = parser.parse_args().steps
    torch.manual_seed(0)
    model = Unwarp()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    bent, _ = checks(12)

    with stnscope.watch(model, bent, name="Thin plate spline") as run:
        for _ in range(steps):
            images, targets = checks(64)
            outputs = model(images)
            loss = functional.mse_loss(outputs, targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            run.step(loss=loss, error=(outputs - targets).abs().mean())
            run.pause_point(optimiser)  # the page may pause the loop, and change its rate


if __name__ == "__main__":
    main()
