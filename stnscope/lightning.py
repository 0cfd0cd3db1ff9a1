"""A callback for Lightning: the training of a LightningModule is watched.

trainer = Trainer(callbacks=[StnscopeCallback(images, labels=labels)])
"""

import math
from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from stnscope.backend.experiment.watching.loop_end import end_of
from stnscope.backend.experiment.watching.watched_run import UnwatchedRun, WatchedRun
from stnscope.interface import watch


class StnscopeCallback(Callback):
    """Watches each fit; what the module logs becomes a chart. The page may pause it.

    Args:
        images, labels, **options: as for `stnscope.watch`.
    """

    def __init__(self, images: Any, labels: Any = None, **options: Any) -> None:
        self.run: WatchedRun | UnwatchedRun | None = None
        self._images = images
        self._labels = labels
        self._options = options
        self._step = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start a run."""
        steps = trainer.num_training_batches / trainer.accumulate_grad_batches
        epochs = trainer.max_epochs
        known = {
            "steps_per_epoch": math.ceil(steps) if math.isfinite(steps) else None,
            "epochs": epochs if epochs and epochs > 0 else None,
        }
        self._step = trainer.global_step
        self.run = watch(pl_module, self._images, self._labels, **(known | self._options))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Record an optimiser step, which may take several batches."""
        if self.run is None or trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        self.run.step(**({**trainer.callback_metrics} | {"loss": loss}))
        self.run.pause_point(*trainer.optimizers)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the run."""
        if self.run is not None:
            self.run.end()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """End the run as failed or stopped."""
        if self.run is not None:
            self.run.end(*end_of(exception))
