"""Wait until a request to the trainer or the loop of a run has taken effect."""

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.errors import RecordingUnavailable, TrainerTimeout
from stnscope.backend.experiment.run_status import ENDED, Transition
from stnscope.backend.server.runs import Run, Runs, just_ended

POLL_INTERVAL = 0.02


def effect(transition: Transition, before: Run) -> Callable[[Run], bool]:
    """Return the condition that shows that an action took effect."""
    target = transition.target
    if target is None:
        return lambda now: bool(now["step"] > before["step"])
    return lambda now: now["status"] == target


async def wait_for_effect(
    runs: Runs,
    run_id: str,
    is_done: Callable[[Run], bool],
    *,
    is_trained: Callable[[], bool],
    timeout: float,
    start_timeout: float,
    failure: str,
) -> Run:
    """Wait until a request has taken effect, or the run has ended; return the run then.

    Args:
        runs: all runs.
        run_id: of the run.
        is_done: whether a run's summary shows the effect.
        is_trained: whether there still is who can bring it about.
        timeout: seconds.
        start_timeout: seconds in which a queued run has to start before.
        failure: what did not happen, as the beginning of a sentence: `The trainer did not pause`.

    Raises:
        Conflict: the run is no longer trained.
        RecordingError: the recording cannot be read any more.
        TrainerTimeout: it took too long.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    start_deadline = loop.time() + start_timeout
    known = ""
    while True:
        was_trained = is_trained()
        try:
            run = await run_in_threadpool(runs.read_summary, run_id)
        except RecordingUnavailable as error:
            known = str(error)
        else:
            if is_done(run) or run["status"] in ENDED:
                return run
            known = f"The run is {run['status']} at step {run['step']}."
            if run["status"] == "queued" and loop.time() < start_deadline:
                deadline = loop.time() + timeout
        if not was_trained:
            raise just_ended(run_id)
        if loop.time() > deadline:
            raise TrainerTimeout(
                f"{failure} within {timeout:g} s. {known} The request may still take effect."
            )
        await asyncio.sleep(POLL_INTERVAL)
