"""`stnscope runs`: list the runs of a home."""

import argparse
import json
from typing import Any

from stnscope.backend.commands.options import Commands, command, existing_runs, percent
from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.run_status import TRAINING

EXAMPLES = """\
  stnscope runs                           the newest first
  stnscope runs --json | jq '.[0].accuracy'
"""


def add(commands: Commands) -> None:
    """Add the command."""
    runs = command(commands, "runs", _list_runs, "List the runs and their progress.", EXAMPLES)
    runs.add_argument("--json", action="store_true", help="print all fields, as JSON")


def _describe(config: dict[str, Any]) -> str:
    """Return what distinguishes a run, in a few words."""
    if "model" in config:
        return f"{config['model']}, a loop of its own"
    return (
        f"{config['dataset']}, {config['architecture']}, {config['family']}, seed {config['seed']}"
    )


def _list_runs(options: argparse.Namespace) -> int:
    try:
        runs = existing_runs(options).list()
    except NotFound:
        runs = []
    if options.json:
        print(json.dumps(runs, indent=2))
        return 0
    for run in runs:
        config = run["config"]
        if config is None:
            print(f"{run['id']}  {run['status'].replace('_', ' '):<11}  {run['error']}")
            continue
        steps = "?" if run["steps"] is None else run["steps"]
        print(
            f"{run['id']}  {run['status']:<11}  step {run['step']:>6}/{steps:<6}"
            f"  accuracy {percent(run['accuracy']):>6}  {_describe(config)}"
        )
    if not runs:
        print(f"There are no runs in {options.home} yet.")
    elif any(run["status"] in TRAINING for run in runs):
        print("Runs in training can be watched with `stnscope serve`.")
    return 0
