"""Counting of steps, epochs and their tenths."""

import pytest

from stnscope.backend.experiment.progress import epoch_of, tenths_of

PER_EPOCH = 20


@pytest.mark.parametrize(
    ("step", "epoch", "tenths"),
    [(0, 1, 0), (1, 1, 0), (2, 1, 1), (19, 1, 9), (20, 1, 10), (21, 2, 0), (40, 2, 10)],
)
def test_epochs_and_tenths_of_a_step(step: int, epoch: int, tenths: int) -> None:
    assert epoch_of(step, PER_EPOCH) == epoch
    assert tenths_of(step, PER_EPOCH) == tenths
