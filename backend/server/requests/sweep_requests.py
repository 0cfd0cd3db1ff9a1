"""What is done with all runs of a sweep as one: create them, stop, resume and delete them."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.errors import NotFound, StnscopeError
from stnscope.backend.experiment.run_status import TRAINING
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.trainers import Trainers
from stnscope.backend.server.requests.run_requests import RunRequests
from stnscope.backend.server.runs import Run
from stnscope.backend.server.schemas import SweepAction, SweepOperation
from stnscope.backend.server.sweeps import PlannedRun, Sweep, Sweeps, check_not_trained


async def plan_sweep(sweeps: Sweeps, devices: Devices, config: SweepConfig) -> list[PlannedRun]:
    """Return the runs of a sweep's configuration, with the devices that they mean here.

    Raises:
        InvalidInput: as for `Sweeps.plan`; or there is no such device.
    """
    planned = []
    for each in await run_in_threadpool(sweeps.plan, config):
        with each.run.naming_location():
            planned.append(replace(each, config=await devices.resolve(each.config)))
    return planned


def allowed_now(requests: RunRequests, runs: Sequence[Run]) -> list[SweepOperation]:
    """Return what can be requested of a sweep now.

    Nothing while a command trains it: that would train the same runs.

    Args:
        runs: the summaries of the sweep's runs.
    """
    if any(run["status"] in TRAINING and not requests.trainers.owns(run["id"]) for run in runs):
        return []
    allowed: list[SweepOperation] = []
    if any(_can_stop(requests, run) for run in runs):
        allowed.append("stop")
    if any(_can_resume(requests, run) for run in runs):
        allowed.append("resume")
    if not any(run["status"] in TRAINING for run in runs):
        allowed.append("delete")
    return allowed


async def submit_sweep(trainers: Trainers, sweeps: Sweeps, sweep: Sweep) -> None:
    """Queue all runs of a sweep that are queued in their recordings only."""
    for run in await run_in_threadpool(sweeps.summaries, sweep):
        if _is_not_begun(trainers, run):
            await trainers.submit(run["id"])


async def control_sweep(
    requests: RunRequests, sweeps: Sweeps, sweep: Sweep, action: SweepAction
) -> None:
    """Stop or resume all runs of a sweep that can be; all are tried, also if one fails.

    Raises:
        StnscopeError: as for `RunRequests.control`, of the first run with an error.
    """
    runs = await run_in_threadpool(sweeps.summaries, sweep)
    errors: list[StnscopeError] = []
    # Stopped from the end, so that none of them begins meanwhile.
    for run in runs if action == "resume" else reversed(runs):
        can = _can_resume if action == "resume" else _can_stop
        if not can(requests, run):
            continue
        try:
            if action == "resume" and _is_not_begun(requests.trainers, run):
                await requests.trainers.submit(run["id"])
            else:
                await requests.control(run["id"], action)
        except NotFound:  # deleted meanwhile
            continue
        except StnscopeError as error:
            errors.append(error)
    if errors:
        raise errors[0]


async def delete_sweep(requests: RunRequests, sweeps: Sweeps, sweep: Sweep) -> list[str]:
    """Delete a sweep with all its runs; return their ids.

    Raises:
        Conflict: one of them is being trained.
    """
    runs = await run_in_threadpool(sweeps.summaries, sweep)
    check_not_trained(sweep, runs)
    # From the end, so that none of them begins meanwhile.
    for run in reversed(runs):
        try:
            await requests.delete(run["id"])
        except NotFound:
            continue
    await run_in_threadpool(sweeps.remove_file, sweep)
    return [run["id"] for run in runs]


def _can_stop(requests: RunRequests, run: Run) -> bool:
    return "stop" in requests.allowed(run)


def _can_resume(requests: RunRequests, run: Run) -> bool:
    return "resume" in requests.allowed(run) or _is_not_begun(requests.trainers, run)


def _is_not_begun(trainers: Trainers, run: Run) -> bool:
    """Whether a run waits for a trainer, and not in this server's queue."""
    return bool(run["status"] == "queued") and not trainers.owns(run["id"])
