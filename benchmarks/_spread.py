"""Summaries of measured times."""

import statistics
from collections.abc import Sequence


def percentile_95(values: Sequence[float]) -> float:
    """Return the 95th percentile; of one value, that value."""
    return statistics.quantiles(values, n=20, method="inclusive")[18] if values[1:] else values[0]


def summary(milliseconds: Sequence[float], unit: str = "times") -> str:
    """Return median and 95th percentile as text."""
    median = statistics.median(milliseconds)
    p95 = percentile_95(milliseconds)
    return f"p50 {median:.0f} ms, p95 {p95:.0f} ms over {len(milliseconds)} {unit}"
