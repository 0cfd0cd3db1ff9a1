"""How fast this machine trains, from what it has trained."""

from contextlib import suppress

from stnscope.backend.experiment.catalog import ARCHITECTURES
from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.server.runs import Run, Runs

USUAL = 1500.0
"""Images a second where nothing has been trained yet: two cores of a few years ago."""
ENOUGH = 20
"""Steps after which a run's pace is its own."""
LATEST = 5


def images_per_second(runs: Runs) -> float:
    """Images that the compact network would be trained on in a second, on one core.

    From the newest run that went at full speed; other networks take their `work` times as long.
    """
    newest = (run for run in runs.list()[:LATEST] if run["step"] >= ENOUGH)
    for run in newest:
        architecture = ARCHITECTURES.get(run["config"]["architecture"])
        rate = _steps_per_second(runs, run)
        if architecture is not None and rate:
            return rate * int(run["config"]["batch_size"]) * architecture.relative_cost
    return USUAL


def _steps_per_second(runs: Runs, run: Run) -> float | None:
    if run["settings"]["slow_motion"]:
        return None
    with suppress(StnscopeError), runs.open(run["id"]) as recording:
        rates = recording.metrics(after=run["step"] - ENOUGH)["steps_per_second"]
        return next((rate for rate in reversed(rates) if rate), None)
    return None
