"""What every data set is once it is loaded."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images float32 in [0, 1], background 0; labels int64 that index `classes`.

    Letters: N images to train on, M held out, C channels.
    """

    name: str
    classes: tuple[str, ...]
    images: Tensor
    """(N, C, h, w)."""
    labels: Tensor
    """(N,)."""
    held_out_images: Tensor
    """(M, C, h, w), never trained on."""
    held_out_labels: Tensor
    """(M,)."""
