"""A transformer network and a loop as in PyTorch's tutorial, with three lines added to watch it.

python examples/digits.py                trains for some minutes; watch it with `stnscope serve`
python examples/digits.py --steps 20     a short run
"""

import argparse
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import stnscope

CLASSES = [str(digit) for digit in range(10)]


class Net(nn.Module):
    """A localisation network, a grid, a sampler and a classifier; nothing of stnscope."""

    def __init__(self) -> None:
        super().__init__()
        regression = nn.Linear(32, 6)
        nn.init.zeros_(regression.weight)
        regression.bias.data.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))
        self.localisation = nn.Sequential(
            nn.Conv2d(1, 8, 7), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(10 * 3 * 3, 32), nn.ReLU(), regression,
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(20 * 4 * 4, 50), nn.ReLU(), nn.Linear(50, 10),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        theta = self.localisation(images).view(-1, 2, 3)
        grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
        images = functional.grid_sample(images, grid, align_corners=False)
        return functional.log_softmax(self.classifier(images), dim=1)


def turned_digits() -> TensorDataset:
    """Return the digits that ship with stnscope, enlarged to 28x28 pixels and turned."""
    data = np.load(str(files("stnscope.backend.experiment.data") / "digits.npz"))
    images = torch.from_numpy(data["images"]).float()[:, None] / float(data["images"].max())
    count = len(images)
    angle, scale = (torch.rand(count) * 2 - 1) * 1.2, 1.4 + 0.5 * torch.rand(count)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    shift = torch.rand(2, count) * 0.4 - 0.2
    theta = torch.stack([cosine, -sine, shift[0], sine, cosine, shift[1]], 1).view(-1, 2, 3)
    grid = functional.affine_grid(theta, [count, 1, 28, 28], align_corners=False)
    turned = functional.grid_sample(images, grid, align_corners=False)
    return TensorDataset(turned, torch.from_numpy(data["labels"]).long())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    torch.manual_seed(0)
    dataset = turned_digits()
    loader = DataLoader(dataset, batch_size=64, shuffle=True)
    model = Net()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    run = stnscope.watch(model, dataset, classes=CLASSES, steps_per_epoch=len(loader))
    done = 0
    while done < steps:
        for images, labels in loader:
            optimiser.zero_grad()
            outputs = model(images)
            loss = functional.nll_loss(outputs, labels)
            loss.backward()
            optimiser.step()
            accuracy = (outputs.argmax(1) == labels).float().mean()
            run.step(loss=loss, accuracy=accuracy)
            done += 1
            if done == steps:
                break


if __name__ == "__main__":
    main()
