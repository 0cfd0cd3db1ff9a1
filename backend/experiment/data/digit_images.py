"""1,797 real handwritten digits, stored in `digits.npz` beside this file.

They are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak (1998, UCI Machine Learning Repository, doi.org/10.24432/C50P49, licensed CC BY 4.0),
as distributed with scikit-learn. Each of the 8x8 pixels is the number, 0 to 16, of inked pixels
in a 4x4 block.

The file holds `images` uint8 (1797, 8, 8), `labels` uint8 (1797,) and `held_out` bool (1797,).
297 are held out: the same share of every class, chosen at random once.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from stnscope.backend.experiment.data.images import Images

FILE = Path(__file__).with_name("digits.npz")
MAX_VALUE = 16.0
SIDE = 28


def load() -> tuple[Images, Images]:
    """Load the digits, enlarged to 28x28 and light on black: training and held-out images."""
    with np.load(FILE, allow_pickle=False) as file:
        small = torch.from_numpy(file["images"]).float()[:, None] / MAX_VALUE  # (1797, 1, 8, 8)
        labels = torch.from_numpy(file["labels"]).long()
        held_out = torch.from_numpy(file["held_out"])
    # Bicubic interpolation keeps strokes sharp; it overshoots at edges, hence the clamp.
    images = functional.interpolate(small, (SIDE, SIDE), mode="bicubic", align_corners=False)
    images = images.clamp(0, 1)
    return (
        Images(images[~held_out], labels[~held_out]),
        Images(images[held_out], labels[held_out]),
    )
