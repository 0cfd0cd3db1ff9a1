"""Counting: steps are optimiser steps done; epochs count from 1, their tenths from 0 to 10."""


def epoch_of(step: int, steps_per_epoch: int) -> int:
    """The epoch that `step` belongs to, counted from 1; step 0 belongs to the first."""
    return max(1, -(-step // steps_per_epoch))


def tenths_of(step: int, steps_per_epoch: int) -> int:
    """How many whole tenths of its epoch are done at `step`: 0 before training, 10 at its end."""
    return 10 * (step - (epoch_of(step, steps_per_epoch) - 1) * steps_per_epoch) // steps_per_epoch
