"""Tests of the table of export formats."""

from typing import get_args

import pytest

from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.options import ExportOptions, FormatName
from tests.exports import Record, exported, frame


@pytest.mark.parametrize("name", get_args(FormatName))
def test_format_writes_a_file(record: Record, name: FormatName) -> None:
    assert exported(record(frame(0), frame(4)), ExportOptions(format=name))


def test_rows_name_options_that_exist() -> None:
    assert ExportOptions().format in FORMATS
    for row in FORMATS.values():
        assert set(row.options) <= ExportOptions.model_fields.keys() - {"format"}
        assert row.description.endswith(".")
