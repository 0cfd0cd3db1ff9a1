"""Pictures of one's own: a folder for each class."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from backend.experiment.catalog import DatasetEntry
from backend.experiment.datasets.dataset import Images
from backend.experiment.errors import DatasetError, StnscopeError
from backend.experiment.picture import decode
from backend.experiment.sources import own


def load(entry: DatasetEntry, folder: Path) -> tuple[Images, Images]:
    """The pictures, each fitted whole into the entry's size; every fifth of a class is held out.

    Raises:
        DatasetError: a picture cannot be read; names it.
    """
    pixels: tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]] = [], []
    labels: tuple[list[int], list[int]] = [], []
    for label, pictures in enumerate(own.classes(folder).values()):
        for number, path in enumerate(pictures):
            part = own.is_held_out(number)
            pixels[part].append(_pixels(path, (entry.height, entry.width)))
            labels[part].append(label)
    train, held_out = (
        Images(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.tensor(numbers))
        for images, numbers in zip(pixels, labels, strict=True)
    )
    return train, held_out


def _pixels(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture as (H, W, 3), whole, its edge colour around it where it has another shape."""
    try:
        picture = decode(path.read_bytes()).pixels
    except (OSError, StnscopeError) as error:
        raise DatasetError(f"{path.parent.name}/{path.name}: {error}") from error
    height, width = picture.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
    small = Image.fromarray(picture).resize((wide, tall), Image.Resampling.BILINEAR)
    top, left = (size[0] - tall) // 2, (size[1] - wide) // 2
    around = ((top, size[0] - tall - top), (left, size[1] - wide - left), (0, 0))
    return np.pad(np.asarray(small), around, mode="edge")
