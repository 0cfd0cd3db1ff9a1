"""A tracker for Accelerate: the training that it logs is watched.

accelerator = Accelerator(log_with=StnscopeTracker(model, images, labels=labels))
accelerator.init_trackers("name")
"""

from typing import Any

from accelerate.tracking import GeneralTracker
from torch import nn

from stnscope.backend.experiment.watching.watched_run import UnwatchedRun, WatchedRun
from stnscope.interface import watch


class StnscopeTracker(GeneralTracker):  # type: ignore[misc]
    """Records each call of `accelerator.log` as a step, at which the page may pause the loop.

    Args:
        model, images, labels, **options: as for `stnscope.watch`.
    """

    name = "stnscope"
    requires_logging_directory = False

    def __init__(self, model: nn.Module, images: Any, labels: Any = None, **options: Any) -> None:
        super().__init__()
        self.run = watch(model, images, labels, **options)

    @property
    def tracker(self) -> WatchedRun | UnwatchedRun:
        """The run."""
        return self.run

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """Do nothing: a run has no configuration of a loop that is not ours."""

    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: Any) -> None:
        """Record a step; each number in `values` becomes a chart.

        Args:
            values: metrics by name; `loss` and `accuracy` have charts of their own.
            step, **kwargs: of other trackers; steps are counted here.
        """
        self.run.step(**values)
        self.run.pause_point()

    def finish(self) -> None:
        """End the run."""
        self.run.end()
