"""Optimisers, learning rate schedules, precisions, and paddings of the sampler."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """A setting's choice, as it is described to the user."""

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Optimiser(Choice):
    """An optimiser and its defaults."""

    rate_factor: float
    """Factor from a network's default learning rates to the defaults with this optimiser."""
    weight_decay: float
    """Default weight decay."""


OPTIMISERS: Mapping[str, Optimiser] = {
    entry.name: entry
    for entry in (
        Optimiser(
            "adamw",
            "AdamW",
            "Adam with decoupled weight decay.",
            rate_factor=1.0,
            weight_decay=1e-2,
        ),
        Optimiser(
            "adam",
            "Adam",
            "Step sizes adapt to the first and second moments of the gradient; weight decay is "
            "added to the gradient.",
            rate_factor=1.0,
            weight_decay=0.0,
        ),
        Optimiser(
            "sgd",
            "SGD with momentum",
            "Stochastic gradient descent with a momentum of 0.9.",
            rate_factor=10.0,
            weight_decay=0.0,
        ),
        Optimiser(
            "rmsprop",
            "RMSprop",
            "The gradient is divided by the root of its running mean square.",
            rate_factor=1.0,
            weight_decay=0.0,
        ),
    )
}
SCHEDULES: Mapping[str, Choice] = {
    entry.name: entry
    for entry in (
        Choice(
            "one_cycle",
            "One cycle",
            "Rates rise over the first 15 % of the steps and then fall to a hundredth, both along "
            "a cosine.",
        ),
        Choice("constant", "Constant", "Rates stay at their peak."),
        Choice(
            "steps",
            "Steps",
            "Rates are divided by ten after each third of the run, as in the paper.",
        ),
    )
}
PRECISIONS: Mapping[str, Choice] = {
    entry.name: entry
    for entry in (
        Choice("float32", "float32", "Single precision throughout."),
        Choice(
            "bfloat16",
            "bfloat16",
            "Automatic mixed precision: convolutions and linear layers in bfloat16, about twice as "
            "fast for large networks on a CPU that has it, slow on others. Theta, grids and "
            "evaluation stay in float32.",
        ),
    )
}
PADDINGS: Mapping[str, Choice] = {
    entry.name: entry
    for entry in (
        Choice("network", "Network's default", "As in its source, or suited to its data."),
        Choice("zeros", "Zeros", "Black outside the image, as in the paper."),
        Choice("border", "Border", "The image's edge pixels are repeated."),
        Choice(
            "background",
            "Background value",
            "One value, from black to white. Transformers on feature maps keep the network's "
            "default.",
        ),
    )
}
