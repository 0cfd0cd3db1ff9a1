"""The epoch of a step, and the tenths of the epoch that are done; steps are optimiser steps."""


def epoch_of(step: int, steps_per_epoch: int) -> int:
    """Return the epoch of a step, counted from 1; step 0 is in epoch 1."""
    return max(1, -(-step // steps_per_epoch))


def begins_tenth(step: int, steps_per_epoch: int) -> bool:
    """Whether a step is the first of a tenth of its epoch, or the epoch's last."""
    return tenths_of(step, steps_per_epoch) != tenths_of(step - 1, steps_per_epoch) % 10


def tenths_of(step: int, steps_per_epoch: int) -> int:
    """Return the complete tenths of the step's epoch: 0 before training, 10 at its end."""
    return 10 * (step - (epoch_of(step, steps_per_epoch) - 1) * steps_per_epoch) // steps_per_epoch
