"""The operations that each status of a run allows."""

import pytest

from stnscope.backend.experiment.run_status import (
    ALLOWED_IN,
    DELETED,
    FAULTS,
    STATUSES,
    TRANSITIONS,
    Operation,
    can,
    flags,
)

ALLOWED = {
    "queued": {"stop"},
    "running": {"pause", "stop", "change", "add_picture"},
    "paused": {"resume", "step", "stop", "change", "add_picture"},
    "finished": {"delete"},
    "stopped": {"resume", "delete"},
    "failed": {"resume", "delete"},
    "interrupted": {"resume", "delete"},
}


@pytest.mark.parametrize("status", STATUSES)
def test_can_returns_the_operations_that_a_status_allows(status: str) -> None:
    allowed: set[Operation] = {operation for operation in ALLOWED_IN if can(operation, status)}
    assert allowed == ALLOWED[status]


def test_target_of_a_transition_does_not_allow_it_again() -> None:
    for action, transition in TRANSITIONS.items():
        assert transition.target is None or not can(action, transition.target)


@pytest.mark.parametrize("status", [*STATUSES, *sorted(FAULTS), DELETED])
def test_flags_of_a_status(status: str) -> None:
    expected: dict[str, set[str]] = {
        "queued": {"live"},
        "running": {"live", "running"},
        "paused": {"live"},
        "finished": {"complete"},
        "stopped": {"complete"},
        "failed": {"broken"},
        "interrupted": {"broken"},
        **{fault: {"broken"} for fault in FAULTS},
        "deleted": {"deleted"},
    }
    assert {name for name, value in flags(status).items() if value} == expected.get(status, set())


def test_deleted_run_allows_nothing() -> None:
    assert not any(can(operation, DELETED) for operation in ALLOWED_IN)
