"""The training speed of this machine, measured from its runs."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from stnscope.backend.experiment.catalog import ARCHITECTURES
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.server.runs import Run, Runs

DEFAULT_IMAGES_PER_SECOND = 1500.0
"""Default before the first training: the speed of two cores of a few years ago."""
MIN_STEPS = 20
"""Steps after which a run's speed is representative."""
MAX_RUNS = 5
MACHINE_FIELDS = ("device", "precision", "channels_last", "threads")
"""Fields of a configuration that change the speed, and not what is trained."""


def images_per_second(runs: Runs) -> float:
    """Return the images a second on which the compact network would train, on one core.

    It is measured from the newest run that trained at full speed; other networks take
    `relative_cost` times as long.
    """
    for run in _newest(runs):
        if run["watched"] or not _is_on_one_core(run["config"]):
            continue
        architecture = ARCHITECTURES.get(run["config"]["architecture"])
        rate = _steps_per_second(runs, run)
        if architecture is not None and rate:
            return rate * int(run["config"]["batch_size"]) * architecture.relative_cost
    return DEFAULT_IMAGES_PER_SECOND


def _newest(runs: Runs) -> list[Run]:
    """Return the newest runs that have trained for a while; none if they cannot be listed."""
    with suppress(StnscopeError):
        return [run for run in runs.list() if run["step"] >= MIN_STEPS][:MAX_RUNS]
    return []


def _is_on_one_core(config: Mapping[str, Any]) -> bool:
    """Whether a run is computed as one is by default."""
    usual: dict[str, Any] = {name: RunConfig.model_fields[name].default for name in MACHINE_FIELDS}
    return {name: config.get(name, value) for name, value in usual.items()} == usual


def _steps_per_second(runs: Runs, run: Run) -> float | None:
    if run["settings"]["slow_motion"]:
        return None
    with suppress(StnscopeError), runs.open(run["id"]) as recording:
        rates = recording.metrics(after=run["step"] - MIN_STEPS)["steps_per_second"]
        return next((rate for rate in reversed(rates) if rate), None)
    return None
