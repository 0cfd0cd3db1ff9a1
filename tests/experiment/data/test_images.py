"""Images are returned as floats, composed of their parts."""

import pytest
import torch

from stnscope.backend.experiment.data.images import Images


def test_missing_parts_are_black() -> None:
    images = Images(torch.ones(2, 1, 3, 2), torch.zeros(1), torch.tensor([[1, -1, 0]]))
    assert images.take(torch.tensor([0]))[0, 0, 0].tolist() == [1, 1, 0, 0, 1, 1]


def test_bytes_are_converted_to_floats() -> None:
    images = Images(torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1), torch.zeros(3))
    assert images.take(torch.tensor([2, 0, 1])).flatten().tolist() == pytest.approx([1, 0, 0.2])
