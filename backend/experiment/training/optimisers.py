"""Optimisers by name, and their state in checkpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor, nn

from stnscope.backend.experiment.config import RunConfig
from stnscope.models.network import Network

BETAS = (0.9, 0.99)
"""Shorter memory than Adam's usual 0.999, for runs of about a thousand steps."""
MOMENTUM = 0.9
DECAY = 0.9
"""Decay of RMSprop's mean square, as in Tieleman and Hinton, 2012."""
PREFIX = "optimiser"
PEAK = "peak"
"""Key in a parameter group: the setting that is its peak learning rate."""


@dataclass(frozen=True)
class Implementation:
    """An optimiser of torch, its options, and the keys of its state for each parameter."""

    optimiser: type[torch.optim.Optimizer]
    options: Mapping[str, Any]
    state_keys: tuple[str, ...]

    @property
    def build(self) -> Callable[..., torch.optim.Optimizer]:
        """The optimiser without its guards for torch.compile, which is not used here.

        The guards import the compiler, which costs each trainer a second of its start and 70 MB.
        """
        methods = {
            "step": torch.no_grad()(unwrap(self.optimiser.step)),
            "zero_grad": unwrap(self.optimiser.zero_grad),
            "add_param_group": unwrap(self.optimiser.add_param_group),
        }
        return partial(type(self.optimiser.__name__, (self.optimiser,), methods), **self.options)


IMPLEMENTATIONS: Mapping[str, Implementation] = {
    "adamw": Implementation(torch.optim.AdamW, {"betas": BETAS}, ("step", "exp_avg", "exp_avg_sq")),
    "adam": Implementation(torch.optim.Adam, {"betas": BETAS}, ("step", "exp_avg", "exp_avg_sq")),
    "sgd": Implementation(torch.optim.SGD, {"momentum": MOMENTUM}, ("momentum_buffer",)),
    "rmsprop": Implementation(torch.optim.RMSprop, {"alpha": DECAY}, ("step", "square_avg")),
}


def build_optimiser(config: RunConfig, model: Network) -> torch.optim.Optimizer:
    """Build the run's optimiser, with one parameter group for each learning rate."""
    groups = [
        {"params": list(model.classifier_parameters()), PEAK: "learning_rate"},
        {"params": list(model.localisation_parameters()), PEAK: "localisation_learning_rate"},
    ]
    return IMPLEMENTATIONS[config.optimiser].build(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        foreach=True,
    )


def optimiser_state(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return copies of an optimiser's state, for `load_optimiser_state`."""
    return {
        f"{PREFIX}.{key}.{name}": copy_to_cpu(value)
        for name, parameter in model.named_parameters()
        for key, value in optimiser.state[parameter].items()
    }


def load_optimiser_state(
    name: str, model: nn.Module, optimiser: torch.optim.Optimizer, state: Mapping[str, Tensor]
) -> None:
    """Load the state of the optimiser with this name.

    Raises:
        KeyError: a tensor is missing.
    """
    for parameter_name, parameter in model.named_parameters():
        optimiser.state[parameter] = {
            key: _in_layout_of(parameter, state[f"{PREFIX}.{key}.{parameter_name}"])
            for key in IMPLEMENTATIONS[name].state_keys
        }


def copy_to_cpu(tensor: Tensor) -> Tensor:
    """Return a copy of a tensor on the CPU, contiguous."""
    return tensor.to("cpu", copy=True, memory_format=torch.contiguous_format)


def _in_layout_of(parameter: Tensor, value: Tensor) -> Tensor:
    """Return a copy of a value, as the parameter is stored if it has its shape.

    What else there is, the number of steps, an optimiser keeps on the CPU.
    """
    return (
        torch.empty_like(parameter, requires_grad=False).copy_(value)
        if value.shape == parameter.shape
        else value.clone()
    )
