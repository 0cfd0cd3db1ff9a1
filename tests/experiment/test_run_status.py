"""The operations that each status of a run allows."""

import pytest

from stnscope.backend.experiment.run_status import ALLOWED_IN, STATUSES, TRANSITIONS, Operation, can

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
