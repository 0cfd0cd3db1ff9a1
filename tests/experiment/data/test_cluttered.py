"""Damaged archives of cluttered MNIST are refused."""

from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment.sample_data import write_cluttered


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_valid": None}, "has no array y_valid"),
        ({"X_train": np.zeros((29, 1600))}, r"X_train is \(29, 1600\), not \(30, 1600\)"),
        ({"y_train": np.full(30, 12)}, "labels are not 0 to 9"),
        ({"X_valid": np.full((20, 1600), 2.0)}, "values not 0 to 1 in valid"),
        ({"X_train": np.array([None])}, "cannot be read"),
    ],
)
def test_load_refuses_wrong_arrays(
    tmp_path: Path, changed: dict[str, np.ndarray | None], message: str
) -> None:
    write_cluttered(tmp_path / "cluttered_mnist_40", **changed)
    with pytest.raises(DatasetError, match=message):
        load("cluttered-40", tmp_path)


def test_load_names_a_truncated_archive(tmp_path: Path) -> None:
    path = write_cluttered(tmp_path / "cluttered_mnist_40")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"clutter\.npz cannot be read"):
        load("cluttered-40", tmp_path)
