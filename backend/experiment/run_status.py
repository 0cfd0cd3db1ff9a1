"""The statuses of a run, the actions that change them, and what each status allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
Action = Literal["pause", "resume", "step", "stop"]
"""What a user can request of a run's training."""
Operation = Action | Literal["change", "add_picture", "delete"]
"""All that a user can request of a run; `change` is of its live settings."""

STATUSES: tuple[Status, ...] = get_args(Status)
TRAINING: frozenset[Status] = frozenset({"running", "paused"})
"""A trainer process holds the recording's lock; if none does, the run is `interrupted`."""
LIVE: frozenset[Status] = TRAINING | {"queued"}
"""More frames may come without a request."""
COMPLETE: frozenset[Status] = frozenset({"finished", "stopped"})
"""The run ended as its user wanted."""
ENDED: frozenset[Status] = COMPLETE | {"failed"}
"""The trainer wrote the run's end."""


@dataclass(frozen=True)
class Transition:
    """What an action does to a run's status."""

    sources: frozenset[Status]
    """The statuses in which it can be requested."""
    target: Status | None
    """The status that shows that it took effect; None if it leaves the status as it is."""


TRANSITIONS: Mapping[Action, Transition] = {
    "pause": Transition(frozenset({"running"}), "paused"),
    "step": Transition(frozenset({"paused"}), None),
    "resume": Transition(frozenset({"paused", "interrupted", "stopped", "failed"}), "running"),
    "stop": Transition(frozenset({"queued", "running", "paused"}), "stopped"),
}

ALLOWED_IN: Mapping[Operation, frozenset[Status]] = {
    **{action: transition.sources for action, transition in TRANSITIONS.items()},
    "change": TRAINING,
    "add_picture": TRAINING,
    "delete": frozenset(STATUSES) - LIVE,
}
"""The statuses in which each operation can be requested."""


def can(operation: Operation, status: str) -> bool:
    """Whether a run's status allows an operation."""
    return status in ALLOWED_IN[operation]


def format_statuses(statuses: frozenset[Status]) -> str:
    """Return statuses as a phrase for a sentence: `paused or running`."""
    return " or ".join(sorted(statuses))
