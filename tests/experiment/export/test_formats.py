"""Tests of the table of export formats."""

from typing import get_args

import numpy as np
import pytest

from stnscope.backend.experiment.export.export import ExportOptions
from stnscope.backend.experiment.export.formats import FORMATS, FormatName


def test_each_format_that_can_be_chosen_has_a_row() -> None:
    assert set(FORMATS) == set(get_args(FormatName))
    assert ExportOptions().format in FORMATS


@pytest.mark.parametrize("name", get_args(FormatName))
def test_format_writes_a_file_of_two_frames(name: FormatName) -> None:
    palette = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    writer = FORMATS[name].open((4, 3), palette, "comment")
    for level in (0, 255):
        writer.add(np.full((3, 4), level, dtype=np.uint8), 10)
    assert writer.finish()
