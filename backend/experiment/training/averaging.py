"""An exponential moving average of a network's weights, which varies less from step to step."""

from typing import cast

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from stnscope.models.network import Network

Tensors = tuple[Tensor, ...] | list[Tensor]

WARM_UP_STEPS = 10
"""Over the first steps the decay rises as in TensorFlow, so that the initial weights fade."""


class WeightAverage:
    """The average of a network's parameters and normalisation statistics.

    Args:
        model: the network that is trained.
        decay: share of the average that a step keeps, below 1.
        steps: number of steps averaged so far.
    """

    def __init__(self, model: Network, decay: float, steps: int = 0) -> None:
        def update(average: Tensors, current: Tensors, count: Tensor | int) -> None:
            # Not `count`, which is on the network's device: reading it would wait for that.
            warm_up_decay = (1 + self._steps) / (WARM_UP_STEPS + self._steps)
            get_ema_multi_avg_fn(min(decay, warm_up_decay))(average, current, count)  # type: ignore[no-untyped-call]

        self._average = AveragedModel(model, multi_avg_fn=update, use_buffers=True)
        self._average.n_averaged.fill_(steps)
        self._steps = steps

    @property
    def model(self) -> Network:
        """The network with averaged weights; the same object throughout."""
        return cast("Network", self._average.module)

    def update(self, model: Network) -> None:
        """Add the weights after a step."""
        self._average.update_parameters(model)
        self._steps += 1
