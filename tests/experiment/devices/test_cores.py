"""The available cores, and the automatic number of threads."""

from pathlib import Path

import pytest

from stnscope.backend.experiment.devices.cores import (
    automatic_threads,
    count_cores,
    processor_name,
)


@pytest.mark.parametrize(
    ("cores", "trainers", "threads"),
    [(1, 2, 1), (2, 2, 1), (4, 2, 1), (5, 2, 2), (8, 2, 3), (16, 2, 7), (128, 2, 8), (8, 1, 7)],
)
def test_runs_share_all_cores_but_one(cores: int, trainers: int, threads: int) -> None:
    assert automatic_threads(cores, trainers) == threads


def test_container_has_as_many_cores_as_its_quota(tmp_path: Path) -> None:
    quota, without = tmp_path / "cpu.max", count_cores(tmp_path / "none")
    quota.write_text("max 100000\n")
    assert count_cores(quota) == without >= 1
    quota.write_text("50000 100000\n")
    assert count_cores(quota) == 1
    quota.write_text("999900000 100000\n")
    assert count_cores(quota) == without, "never more than there are"


def test_processor_has_a_name() -> None:
    assert processor_name()
