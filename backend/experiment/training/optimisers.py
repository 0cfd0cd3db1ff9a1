"""Optimisers by name: how each is made, and what it remembers from step to step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from stnscope.backend.experiment.config import RunConfig
from stnscope.models.network import Network

BETAS = (0.9, 0.99)
"""Shorter memory than Adam's usual 0.999, for runs of about a thousand steps."""
MOMENTUM = 0.9
DECAY = 0.9
"""Of RMSprop's mean square, as in Tieleman and Hinton, 2012."""
PREFIX = "optimiser"
PEAK = "peak"
"""In a group of parameters: which setting is their peak learning rate."""


@dataclass(frozen=True)
class Kind:
    """One optimiser of torch's."""

    make: Callable[..., torch.optim.Optimizer]
    memory: tuple[str, ...]
    """What it keeps of each parameter, by torch's names."""


KINDS: Mapping[str, Kind] = {
    "adamw": Kind(partial(torch.optim.AdamW, betas=BETAS), ("step", "exp_avg", "exp_avg_sq")),
    "adam": Kind(partial(torch.optim.Adam, betas=BETAS), ("step", "exp_avg", "exp_avg_sq")),
    "sgd": Kind(partial(torch.optim.SGD, momentum=MOMENTUM), ("momentum_buffer",)),
    "rmsprop": Kind(partial(torch.optim.RMSprop, alpha=DECAY), ("step", "square_avg")),
}


def optimiser_of(config: RunConfig, model: Network) -> torch.optim.Optimizer:
    """The run's optimiser; its groups name their peak learning rate under `PEAK`."""
    groups = [
        {"params": list(model.classifier_parameters()), PEAK: "learning_rate"},
        {"params": list(model.localisation_parameters()), PEAK: "localisation_learning_rate"},
    ]
    return KINDS[config.optimiser].make(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        foreach=True,
    )


def optimiser_state(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Copies of all that the optimiser remembers, for `load_optimiser_state`."""
    return {
        f"{PREFIX}.{kind}.{name}": value.clone()
        for name, parameter in model.named_parameters()
        for kind, value in optimiser.state[parameter].items()
    }


def load_optimiser_state(
    name: str, model: nn.Module, optimiser: torch.optim.Optimizer, memory: Mapping[str, Tensor]
) -> None:
    """Gives an optimiser of that name back what it remembered.

    Raises:
        KeyError: something of it is missing.
    """
    for parameter_name, parameter in model.named_parameters():
        optimiser.state[parameter] = {
            kind: memory[f"{PREFIX}.{kind}.{parameter_name}"].clone() for kind in KINDS[name].memory
        }
