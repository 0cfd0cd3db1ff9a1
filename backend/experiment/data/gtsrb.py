"""The training images of GTSRB, whole or cropped to the sign, at 48x48."""

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from stnscope.backend.experiment.data import gtsrb_files
from stnscope.backend.experiment.data.decoded_cache import kept
from stnscope.backend.experiment.data.file_tree import Tree
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.errors import DatasetError

SIDE = 48


def load(folder: Path, *, cropped: bool = False) -> tuple[Images, Images]:
    """The training images; some of their tracks are held out.

    Args:
        folder: holds the benchmark.
        cropped: to the sign, as the lists have it.

    Raises:
        DatasetError: it is not there, or damaged; names the file and the line.
    """
    with gtsrb_files.listed(folder) as (tree, rows):
        name = f".decoded-{'regions' if cropped else 'whole'}-{SIDE}"
        images = kept(folder / name, tree.stamp(), lambda: _decoded(tree, rows, cropped=cropped))
    labels = torch.tensor([row.label for row in rows])
    held_out = torch.from_numpy(gtsrb_files.held_out(rows))
    return (
        Images(images[~held_out], labels[~held_out]),
        Images(images[held_out], labels[held_out]),
    )


def _decoded(tree: Tree, rows: list[gtsrb_files.Row], *, cropped: bool) -> Tensor:
    """All images, (N, 3, SIDE, SIDE)."""
    pixels = np.empty((len(rows), 3, SIDE, SIDE), dtype=np.uint8)
    for number, row in enumerate(rows):
        pixels[number] = _pixels(tree, row, cropped=cropped)
    return torch.from_numpy(pixels)


def _pixels(tree: Tree, row: gtsrb_files.Row, *, cropped: bool) -> NDArray[np.uint8]:
    """An image as (3, SIDE, SIDE), smoothly made smaller."""
    try:
        with Image.open(io.BytesIO(tree.read(row.path)), formats=("PPM", "PNG")) as image:
            colour = image.convert("RGB")
    except (KeyError, FileNotFoundError):
        raise DatasetError(f"{row.where}: {row.path} is not there.") from None
    except (OSError, ValueError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
        raise DatasetError(f"{row.where}: {row.path} cannot be read: {error}.") from error
    if cropped:
        left, top, right, bottom = row.box
        colour = colour.crop((left, top, right + 1, bottom + 1))
    if colour.size != (SIDE, SIDE):
        colour = colour.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(colour).transpose(2, 0, 1)
