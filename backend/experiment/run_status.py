"""The statuses of a run, and the actions that lead from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
Action = Literal["pause", "resume", "step", "stop"]

STATUSES: tuple[Status, ...] = get_args(Status)
LIVE: frozenset[Status] = frozenset({"running", "paused"})
"""A trainer process holds the recording's lock; if none does, the run is `interrupted`."""
ACTIVE: frozenset[Status] = LIVE | {"queued"}
"""More frames may come without anyone's doing."""
ENDED: frozenset[Status] = frozenset({"finished", "stopped", "failed"})
"""The trainer has ended the run in order."""


@dataclass(frozen=True)
class Transition:
    """What an action does to a run's status."""

    sources: frozenset[Status]
    """The statuses that it can be asked for in."""
    target: Status | None
    """The status that shows that it took effect; None if it leaves the status as it is."""


TRANSITIONS: Mapping[Action, Transition] = {
    "pause": Transition(frozenset({"running"}), "paused"),
    "step": Transition(frozenset({"paused"}), None),
    "resume": Transition(frozenset({"paused", "interrupted", "stopped", "failed"}), "running"),
    "stop": Transition(frozenset({"queued", "running", "paused"}), "stopped"),
}


def can(action: Action, status: str) -> bool:
    """Whether an action fits a run's status."""
    return status in TRANSITIONS[action].sources


def actions_in(status: str) -> list[Action]:
    """The actions that fit a status."""
    return [action for action in TRANSITIONS if can(action, status)]


def one_of(statuses: frozenset[Status]) -> str:
    """Statuses for a sentence: `paused or running`."""
    return " or ".join(sorted(statuses))
