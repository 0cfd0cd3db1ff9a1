"""`stnscope fetch`: a data set into the data folder."""

import argparse
import sys

from stnscope.backend.commands.options import (
    Commands,
    add_data,
    add_mirror,
    bar,
    command,
    recordings,
)
from stnscope.backend.experiment.data.download import download, with_mirror
from stnscope.backend.experiment.data.registry import DOWNLOADS
from stnscope.backend.server.runs import Runs

EXAMPLES = """\
  stnscope fetch mnist                    11 MB
  stnscope fetch gtsrb                    276 MB
Broken off with Ctrl-C or by the network, it goes on from there the next time.
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    text = "Fetch a data set; only complete and right files are kept."
    parser = command(commands, "fetch", _fetch, text, EXAMPLES)
    parser.add_argument("dataset", choices=sorted(DOWNLOADS), help="which")
    add_data(parser)
    add_mirror(parser)


def _fetch(options: argparse.Namespace) -> int:
    data = Runs(recordings(options), data=options.data).data
    files = DOWNLOADS[options.dataset]
    download(with_mirror(files, options.mirror) if options.mirror else files, data, _show)
    print(f"\n{options.dataset} is at hand, in {data}.")
    return 0


def _show(done: int, total: int) -> None:
    if not sys.stdout.isatty() and done < total:
        return
    print(f"\r{bar(done, total)} {done / 1e6:6.1f}/{total / 1e6:.1f} MB ", end="", flush=True)
