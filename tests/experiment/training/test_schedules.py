"""Learning rate schedules."""

import pytest

from stnscope.backend.experiment.catalog import SCHEDULES
from stnscope.backend.experiment.training.schedules import (
    IMPLEMENTATIONS,
    constant,
    one_cycle,
    stepped,
)


def test_catalog_and_implementation_have_the_same_schedules() -> None:
    assert list(SCHEDULES) == list(IMPLEMENTATIONS)


def test_one_cycle_rises_and_falls_once() -> None:
    shares = [one_cycle(step, 1000) for step in range(1, 1001)]
    peak = shares.index(max(shares))
    assert peak == 149
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    found = [shares[step - 1] for step in (1, 75, 150, 575, 1000)]
    assert found == pytest.approx([0.040105, 0.52, 1.0, 0.505, 0.01], abs=1e-6)


def test_steps_are_thirds_each_a_tenth_of_the_one_before() -> None:
    assert [stepped(step, 9) for step in range(1, 10)] == [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
    assert [stepped(step, 150_000) for step in (50_000, 50_001, 100_000, 100_001, 150_000)] == [
        1, 0.1, 0.1, 0.01, 0.01,
    ]  # fmt: skip


def test_constant_is_the_peak() -> None:
    assert {constant(step, 100) for step in range(1, 101)} == {1.0}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_runs_have_rates_too(name: str, steps: int) -> None:
    assert all(0 < IMPLEMENTATIONS[name](step, steps) <= 1 for step in range(1, steps + 1))
