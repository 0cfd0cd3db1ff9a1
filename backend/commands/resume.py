"""`stnscope resume`: go on with a run that was stopped, interrupted or failed."""

import argparse
import asyncio

from stnscope.backend.commands.options import (
    RUN_HELP,
    Commands,
    add_cluster,
    add_data,
    add_quota,
    command,
    data_folder,
    existing_runs,
    find_run,
    quota,
)
from stnscope.backend.commands.train import cluster_of, connected, devices_of, train_and_follow
from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.run_status import ALLOWED_IN, can, status_mismatch
from stnscope.backend.server.cluster.cluster import Cluster
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.runs import Run, Runs, training_refusal

EXAMPLES = """\
  stnscope resume RUN                     from its last checkpoint
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Resume a run that was stopped or interrupted, without a server."
    parser = command(commands, "resume", _resume, text, EXAMPLES)
    parser.add_argument("run", help=RUN_HELP)
    add_data(parser)
    add_quota(parser)
    add_cluster(parser)


def _resume(options: argparse.Namespace) -> int:
    runs = Runs(existing_runs(options).folder, quota(options), data_folder(options))
    run_id = find_run(runs, options.run)
    run = runs.read_summary(run_id)
    status = run["status"]
    if refusal := training_refusal(run):
        raise Conflict(refusal)
    # A run whose trainer is interrupted before it begins stays queued.
    if status != "queued" and not can("resume", status):
        raise Conflict(status_mismatch("resume a run", ALLOWED_IN["resume"], status))
    cluster = cluster_of(options)
    return asyncio.run(_check_and_train(runs, run, devices_of(cluster), cluster))


async def _check_and_train(runs: Runs, run: Run, devices: Devices, cluster: Cluster | None) -> int:
    async with connected(cluster):
        await devices.check_resume(run["config"].get("device", CPU))
        await asyncio.to_thread(runs.check_disk_space)
        await asyncio.to_thread(runs.set_status, run["id"], "queued")
        return await train_and_follow(runs, run["id"], cluster)
