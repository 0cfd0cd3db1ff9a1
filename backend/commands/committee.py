"""`stnscope committee`: the accuracy of several runs together."""

import argparse
import asyncio

from stnscope.backend.commands.options import (
    RUNS_HELP,
    Commands,
    add_data,
    command,
    existing_runs,
    find_run,
    find_sweep,
    percent,
)
from stnscope.backend.experiment.errors import Unavailable
from stnscope.backend.server.processes.child_process import ChildEnded, call

EXAMPLES = """\
  stnscope committee RUN RUN RUN          averages their predictions for held-out images
  stnscope committee SWEEP                those of all runs of a sweep
IDSIA's committee has 25 runs of its network: five seeds, each with the distortions RTS,
RTS+imadjust, RTS+histeq, RTS+adapthisteq and RTS+conorm.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Average the predictions of several runs, and print their accuracy."
    parser = command(commands, "committee", _evaluate, text, EXAMPLES)
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help=RUNS_HELP,
    )
    add_data(parser)


def _evaluate(options: argparse.Namespace) -> int:
    runs = existing_runs(options)
    ids: list[str] = []
    for text in options.runs:
        sweep = find_sweep(runs, text)
        # Runs of a sweep may have been deleted.
        members = list(runs.summaries(run.id for run in sweep.runs)) if sweep else None
        ids += [find_run(runs, text)] if members is None else members
    request = {"recordings": [str(runs.path(run_id)) for run_id in ids], "data": str(runs.data)}
    # A process of its own: this one has no torch, and starts at once.
    try:
        verdict, _ = asyncio.run(call("committee_main", request))
    except ChildEnded:
        raise Unavailable("The process that evaluates the committee ended unexpectedly.") from None
    for member in verdict["members"]:
        print(f"{member['run']}  step {member['step']:>6}  {percent(member['accuracy']):>6}")
    print(f"Together: {percent(verdict['accuracy'])} of {verdict['labels']:,} labels.")
    return 0
