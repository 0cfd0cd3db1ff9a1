"""The statuses of a run, the actions that change them, and what each status allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
Action = Literal["pause", "resume", "step", "stop"]
"""Requests that control the training of a run."""
Operation = Action | Literal["change", "add_picture", "delete", "rename"]
"""All requests that change a run; `change` changes its live settings."""

STATUSES: tuple[Status, ...] = get_args(Status)
Deleted = Literal["deleted"]
DELETED: Deleted = "deleted"
"""What the viewers of a run are sent in place of a status when its recording is removed."""
TRAINING: frozenset[Status] = frozenset({"running", "paused"})
"""Statuses in which a trainer holds the recording's lock; without one, it is `interrupted`."""
LIVE: frozenset[Status] = TRAINING | {"queued"}
"""Statuses in which frames may be added without a further request."""
COMPLETE: frozenset[Status] = frozenset({"finished", "stopped"})
"""Statuses of a run that ended without an error."""
ENDED: frozenset[Status] = COMPLETE | {"failed"}
"""Statuses in which the trainer has ended the run."""

Fault = Literal["damaged", "later_version", "unreadable", "unavailable"]
"""What a run has in place of a status while its recording cannot be read.

`damaged` or no recording at all; of a `later_version` of the program; `unreadable` by this user;
`unavailable` at the moment, for instance locked by another program.
"""
FAULTS: frozenset[Fault] = frozenset(get_args(Fault))
PERMANENT_FAULTS: frozenset[Fault] = FAULTS - {"unavailable"}
"""Faults that stay until the file is changed or deleted."""
BROKEN: frozenset[Status | Fault] = FAULTS | {"failed", "interrupted"}
"""What a run has as its status if it ended against its user's will, or cannot be read."""


@dataclass(frozen=True)
class Transition:
    """The change of a run's status by an action."""

    sources: frozenset[Status]
    """The statuses in which it can be requested."""
    target: Status | None
    """The status once it took effect; None if the status does not change."""
    needs_disk_space: bool = False
    """Whether more is recorded as a result."""
    fulfilled_by_end: bool = False
    """Whether the end of the run fulfils the request too."""


TRANSITIONS: Mapping[Action, Transition] = {
    "pause": Transition(frozenset({"running"}), "paused"),
    "step": Transition(frozenset({"paused"}), None, needs_disk_space=True),
    "resume": Transition(
        frozenset({"paused", "interrupted", "stopped", "failed"}),
        "running",
        needs_disk_space=True,
        fulfilled_by_end=True,
    ),
    "stop": Transition(
        frozenset({"queued", "running", "paused"}), "stopped", fulfilled_by_end=True
    ),
}

ALLOWED_IN: Mapping[Operation, frozenset[Status]] = {
    **{action: transition.sources for action, transition in TRANSITIONS.items()},
    "change": TRAINING,
    "add_picture": TRAINING,
    "delete": frozenset(STATUSES) - LIVE,
}
"""The statuses in which each operation can be requested; a run can be renamed in all."""


def can(operation: Operation, status: str) -> bool:
    """Whether a run's status allows an operation."""
    return status in ALLOWED_IN[operation]


def flags(status: str) -> dict[str, bool]:
    """Return what a client needs of a status, so that it needs no list of statuses.

    `running`: steps are being trained; `live`: more frames may come; `complete`: the run ended as
    its user wanted; `broken`: it failed, was interrupted, or cannot be read; `deleted`: its
    recording was removed.
    """
    return {
        "running": status == "running",
        "live": status in LIVE,
        "complete": status in COMPLETE,
        "broken": status in BROKEN,
        "deleted": status == DELETED,
    }


def status_mismatch(purpose: str, expected: frozenset[Status], status: str) -> str:
    """Return why a run's status does not fit a purpose such as `pause a run`, as a sentence."""
    return f"To {purpose} it must be {format_statuses(expected)}; this one is {status}."


def format_statuses(statuses: frozenset[Status]) -> str:
    """Return statuses as text for a message: `paused or running`."""
    return " or ".join(sorted(statuses))
