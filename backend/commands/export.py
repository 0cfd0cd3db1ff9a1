"""`stnscope export`: make a file from a run."""

import argparse
from pathlib import Path

from pydantic.fields import FieldInfo

from stnscope.backend.commands.options import Commands, command, recordings
from stnscope.backend.experiment.export.export import ExportOptions, export
from stnscope.backend.server.runs import Runs

EXAMPLES = """\
  stnscope export RUN                     the first epoch's tenths, as RUN.gif
  stnscope export RUN all.gif --frames 100 --samples 4 --scale 2
  stnscope export RUN moving.gif --layout moving    the closing lap
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Make an animation of a run from its recording."
    parser = command(commands, "export", _export, text, EXAMPLES)
    parser.add_argument("run", help="the run's id, as `stnscope runs` lists it")
    parser.add_argument("file", type=Path, nargs="?", help="the file to write (RUN.FORMAT)")
    for name, field in ExportOptions.model_fields.items():
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=_describe(field))


def _describe(field: FieldInfo) -> str:
    """Return a field's description in the form of the other options: no capital, no full stop."""
    text = str(field.description).rstrip(".")
    return text[0].lower() + text[1:]


def _export(arguments: argparse.Namespace) -> int:
    values = {k: v for k, v in vars(arguments).items() if k in ExportOptions.model_fields}
    options = ExportOptions.model_validate(values)
    with Runs(recordings(arguments)).open(arguments.run) as recording:
        data = export(recording, options)
    target = arguments.file or Path(f"{arguments.run}.{options.format}")
    target.write_bytes(data)
    print(f"{target}: {len(data) / 1000:.0f} kB")
    return 0
