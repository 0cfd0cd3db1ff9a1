"""`stnscope download`: download a data set into the data folder."""

import argparse
import sys

from stnscope.backend.commands.options import (
    Commands,
    add_data,
    add_mirror,
    command,
    data_folder,
    progress_bar,
)
from stnscope.backend.experiment.data.download import download, with_mirror
from stnscope.backend.experiment.data.registry import DOWNLOADS

EXAMPLES = """\
  stnscope download mnist                 11 MB
  stnscope download gtsrb                 276 MB
An interrupted download continues the next time from where it ended.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Download a data set; only files with the right checksum are kept."
    parser = command(commands, "download", _download, text, EXAMPLES)
    parser.add_argument("dataset", choices=sorted(DOWNLOADS), help="its name")
    add_data(parser)
    add_mirror(parser)


def _download(options: argparse.Namespace) -> int:
    data = data_folder(options)
    files = DOWNLOADS[options.dataset]
    download(with_mirror(files, options.mirror) if options.mirror else files, data, _print_progress)
    print(f"\n{options.dataset} is available, in {data}.")
    return 0


def _print_progress(done: int, total: int) -> None:
    if not sys.stdout.isatty() and done < total:
        return
    bar = progress_bar(done, total)
    print(f"\r{bar} {done / 1e6:6.1f}/{total / 1e6:.1f} MB ", end="", flush=True)
