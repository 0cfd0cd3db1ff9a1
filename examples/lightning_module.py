"""A LightningModule, watched by a callback.

python examples/lightning_module.py                trains for some minutes
python examples/lightning_module.py --steps 20     a short run
"""

import argparse

import torch
from digits import CLASSES, Net, turned_digits
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from stnscope.lightning import StnscopeCallback


class Digits(LightningModule):
    """The network of `digits.py`."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.net(images)
        return scores

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, labels = batch
        outputs = self(images)
        self.log("accuracy", (outputs.argmax(1) == labels).float().mean())
        return functional.nll_loss(outputs, labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    torch.manual_seed(0)
    dataset = turned_digits()
    trainer = Trainer(
        max_steps=steps,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[StnscopeCallback(dataset, classes=CLASSES)],
    )
    trainer.fit(Digits(), DataLoader(dataset, batch_size=64, shuffle=True))


if __name__ == "__main__":
    main()
