"""Which operations each status of a run allows."""

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
def test_status_allows_its_operations_and_no_other(status: str) -> None:
    allowed: set[Operation] = {operation for operation in ALLOWED_IN if can(operation, status)}
    assert allowed == ALLOWED[status]


def test_transition_leads_to_a_status_that_does_not_allow_it() -> None:
    for action, transition in TRANSITIONS.items():
        assert transition.target is None or not can(action, transition.target)
