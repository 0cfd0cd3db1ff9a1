"""Learning rate schedules: the rate in step 1 to `steps` as a fraction of its peak."""

import math
from collections.abc import Callable, Mapping

WARM_UP_FRACTION = 0.15
"""Fraction of the steps over which `one_cycle` rises."""
START, END = 0.04, 0.01
"""First and last learning rate of `one_cycle`, as fractions of the peak."""
THIRDS = (1.0, 0.1, 0.01)
"""Jaderberg et al., 2015, A.4: divided by ten every 50,000 of 150,000 steps."""


def one_cycle(step: int, steps: int) -> float:
    """Rise to the peak and fall once, both along a cosine."""
    peak = max(1.0, WARM_UP_FRACTION * steps)
    if step <= peak:
        return START + (1 - START) * (1 - math.cos(math.pi * step / peak)) / 2
    return END + (1 - END) * (1 + math.cos(math.pi * (step - peak) / (steps - peak))) / 2


def constant(step: int, steps: int) -> float:
    """Stay at the peak."""
    return 1.0


def stepped(step: int, steps: int) -> float:
    """Divide by ten after each third of the steps."""
    return THIRDS[(step - 1) * len(THIRDS) // steps]


IMPLEMENTATIONS: Mapping[str, Callable[[int, int], float]] = {
    "one_cycle": one_cycle,
    "constant": constant,
    "steps": stepped,
}
