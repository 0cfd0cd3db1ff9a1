"""How a network can be trained, and which padding its transformers can sample."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One of several ways to do a thing."""

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Optimiser(Choice):
    """One way to go down the gradient."""

    rates: float
    """Learning rates that are offered first, in those of the network."""
    weight_decay: float
    """What is offered first."""


OPTIMISERS: Mapping[str, Optimiser] = {
    entry.name: entry
    for entry in (
        Optimiser(
            "adamw",
            "AdamW",
            "Steps as large as the gradient is steady; weights decay on their own, not through "
            "the gradient.",
            rates=1.0,
            weight_decay=1e-2,
        ),
        Optimiser(
            "adam",
            "Adam",
            "The same steps; weight decay, where there is any, joins the gradient.",
            rates=1.0,
            weight_decay=0.0,
        ),
        Optimiser(
            "sgd",
            "SGD with momentum",
            "Steps along the gradient with a momentum of 0.9, ten times as long as without one.",
            rates=10.0,
            weight_decay=0.0,
        ),
        Optimiser(
            "rmsprop",
            "RMSprop",
            "The gradient divided by the root of its mean square of late.",
            rates=1.0,
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
            "Rates rise over the first 15 % of the steps and fall to a hundredth, both ways along "
            "a cosine.",
        ),
        Choice("constant", "Constant", "Rates stay at their peak."),
        Choice(
            "steps",
            "In steps",
            "Rates are divided by ten after each third of the run, as in the paper.",
        ),
    )
}
PADDINGS: Mapping[str, Choice] = {
    entry.name: entry
    for entry in (
        Choice("network", "Network's default", "That of its source, or one that suits its data."),
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
