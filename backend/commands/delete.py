"""`stnscope delete`: delete runs."""

import argparse

from stnscope.backend.commands.options import RUN_HELP, Commands, command, existing_runs, find_run

EXAMPLES = """\
  stnscope delete RUN                     a run that no trainer trains
  stnscope delete RUN RUN                 several; they cannot be restored
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Delete runs, with everything that was recorded of them."
    parser = command(commands, "delete", _delete, text, EXAMPLES)
    parser.add_argument("runs", nargs="+", metavar="RUN", help=RUN_HELP)


def _delete(options: argparse.Namespace) -> int:
    runs = existing_runs(options)
    # All names are looked up before the first run is deleted.
    for run_id in list(dict.fromkeys(find_run(runs, text) for text in options.runs)):
        runs.delete(run_id)
        print(f"Deleted {run_id}.")
    return 0
