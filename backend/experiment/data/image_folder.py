"""Pictures of one's own: a folder for each class."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.data import image_folder_files
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.errors import DatasetError, StnscopeError
from stnscope.backend.experiment.pictures.decode import decode
from stnscope.backend.experiment.pictures.fit import fit


def load(entry: DatasetEntry, folder: Path) -> tuple[Images, Images]:
    """The pictures, each fitted whole into the entry's size; every fifth of a class is held out.

    Raises:
        DatasetError: a picture cannot be read, or the folder has just changed; names it.
    """
    pixels: tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]] = [], []
    labels: tuple[list[int], list[int]] = [], []
    found = image_folder_files.look(folder)
    if found is None or tuple(found.classes) != entry.classes:
        raise DatasetError(f"{folder} has just changed. Try again.")
    for label, pictures in enumerate(found.classes.values()):
        for number, path in enumerate(pictures):
            part = image_folder_files.is_held_out(number)
            pixels[part].append(_pixels(path, (entry.height, entry.width)))
            labels[part].append(label)
    train, held_out = (
        Images(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.tensor(numbers))
        for images, numbers in zip(pixels, labels, strict=True)
    )
    return train, held_out


def _pixels(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture as (H, W, 3), fitted as one is that is put through the trained network."""
    try:
        picture = decode(path.read_bytes())
    except (OSError, StnscopeError) as error:
        name = "/".join(path.parts[-3:])
        raise DatasetError(f"{name} cannot be used. {error}") from error
    fitted = fit(picture, size, channels=3, light_on_dark=False)
    return (fitted.image * 255).round().astype(np.uint8)
