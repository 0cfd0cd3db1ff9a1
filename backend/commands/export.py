"""`stnscope export`: make a file from a run."""

import argparse
from pathlib import Path

from stnscope.backend.commands.options import Commands, command, recordings
from stnscope.backend.experiment.export.export import ExportOptions, export
from stnscope.backend.server.runs import Runs

EXAMPLES = """\
  stnscope export RUN                     the first epoch's tenths, as RUN.gif
  stnscope export RUN all.gif --frames 100 --samples 4 --scale 2
  stnscope export RUN moving.gif --layout moving    the final lap
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Make a GIF of a run from its recording."
    parser = command(commands, "export", _export, text, EXAMPLES)
    parser.add_argument("run", help="the run's id, as `stnscope runs` lists it")
    parser.add_argument("file", type=Path, nargs="?", help="the file to write (RUN.gif)")
    for name, field in ExportOptions.model_fields.items():
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=field.description)


def _export(options: argparse.Namespace) -> int:
    given = {k: v for k, v in vars(options).items() if k in ExportOptions.model_fields}
    target = options.file or Path(f"{options.run}.gif")
    with Runs(recordings(options)).open(options.run) as recording:
        data = export(recording, ExportOptions.model_validate(given))
    target.write_bytes(data)
    print(f"{target}: {len(data) / 1000:.0f} kB")
    return 0
