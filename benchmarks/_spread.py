"""How measured times spread, in words."""

import statistics
from collections.abc import Sequence


def at_95(values: Sequence[float]) -> float:
    """What 95 of 100 do not exceed; of few values, the greatest."""
    return statistics.quantiles(values, n=20, method="inclusive")[18] if values[1:] else values[0]


def told(milliseconds: Sequence[float], what: str = "times") -> str:
    """Median and 95th percentile."""
    middle = statistics.median(milliseconds)
    return f"p50 {middle:.0f} ms, p95 {at_95(milliseconds):.0f} ms over {len(milliseconds)} {what}"
