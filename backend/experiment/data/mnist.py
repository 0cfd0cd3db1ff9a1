"""MNIST, whose test images are held out."""

from pathlib import Path

import torch

from stnscope.backend.experiment.data import mnist_files
from stnscope.backend.experiment.data.images import Images


def load(folder: Path) -> tuple[Images, Images]:
    """MNIST, read from its four files.

    Raises:
        DatasetError: a file is missing, cut short or not what its name says; names it.
    """
    train, held_out = (_images(folder, name) for name in mnist_files.COUNTS)
    return train, held_out


def _images(folder: Path, name: str) -> Images:
    images, labels = mnist_files.part(folder, name)
    return Images(torch.from_numpy(images)[:, None], torch.from_numpy(labels).long())
