"""`stnscope committee`: what several runs are worth together."""

import argparse
import json
import subprocess
import sys

from stnscope.backend.commands.options import Commands, add_data, command, percent, recordings
from stnscope.backend.server.processes.error_codec import told
from stnscope.backend.server.runs import Runs

EXAMPLES = """\
  stnscope committee RUN RUN RUN          averages what they say of images held out
IDSIA's committee has 25 runs of its network: five seeds, each with the distortions RTS,
RTS+imadjust, RTS+histeq, RTS+adapthisteq and RTS+conorm.
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    text = "Average what several runs say, and tell how right that is."
    parser = command(commands, "committee", _judge, text, EXAMPLES)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="ids, as `stnscope runs` lists them")
    add_data(parser)


def _judge(options: argparse.Namespace) -> int:
    runs = Runs(recordings(options), data=options.data)
    asked = {"recordings": [str(runs.path(run)) for run in options.runs], "data": str(runs.data)}
    # A process of its own: this one has no torch, and starts at once.
    done = subprocess.run(
        [sys.executable, "-m", "stnscope.backend.server.processes.committee_main"],
        input=json.dumps(asked) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    verdict = json.loads(done.stdout)
    if "error" in verdict:
        raise told(verdict)
    for member in verdict["members"]:
        print(f"{member['run']}  step {member['step']:>6}  {percent(member['accuracy']):>6}")
    print(f"Together: {percent(verdict['accuracy'])} of {verdict['labels']:,} labels.")
    return 0
