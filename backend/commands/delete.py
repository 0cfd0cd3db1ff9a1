"""`stnscope delete`: delete runs."""

import argparse

from stnscope.backend.commands.options import (
    RUNS_HELP,
    Commands,
    command,
    existing_runs,
    find_run,
    find_sweep,
)
from stnscope.backend.server.sweeps import Sweeps

EXAMPLES = """\
  stnscope delete RUN                     a run that no trainer trains
  stnscope delete RUN RUN                 several; they cannot be restored
  stnscope delete SWEEP                   a sweep with all its runs
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Delete runs, with everything that was recorded of them."
    parser = command(commands, "delete", _delete, text, EXAMPLES)
    parser.add_argument("runs", nargs="+", metavar="RUN", help=RUNS_HELP)


def _delete(options: argparse.Namespace) -> int:
    runs = existing_runs(options)
    # All names are resolved before the first run is deleted.
    found = [find_sweep(runs, text) or find_run(runs, text) for text in options.runs]
    for each in {(each if isinstance(each, str) else each.id): each for each in found}.values():
        if isinstance(each, str):
            runs.delete(each)
            print(f"Deleted {each}.")
        else:
            Sweeps(runs).delete(each)
            print(f"Deleted {each.id} with its runs.")
    return 0
