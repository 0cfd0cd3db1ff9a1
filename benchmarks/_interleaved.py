"""Measure several ways of doing something, interleaved: a machine's pace changes meanwhile."""

from collections.abc import Callable, Mapping


def measure(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return the values of each way, one of each round.

    Args:
        ways: what is measured, by name.
        rounds: in each, all ways are measured once, in an order that rotates: the machine may be
            faster at the start of a round than at its end.
    """
    values: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            values[name].append(ways[name]())
    return values
