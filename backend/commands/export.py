"""`stnscope export`: make a file from a run."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from stnscope.backend.commands.options import (
    RUN_HELP,
    Commands,
    command,
    existing_runs,
    find_run,
    option_help,
)
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.formats import FORMATS, options_for
from stnscope.backend.experiment.export.options import ExportOptions

EXAMPLES = """\
  stnscope export RUN                     the first epoch's tenths, as RUN.gif
  stnscope export RUN all.gif --frames 100 --samples 4 --scale 2
  stnscope export RUN moving.gif --layout moving    the closing lap
  stnscope export RUN talk.mp4 --layout stage --charts loss,accuracy --seconds 10
  stnscope export RUN figure.pdf --probes 0,1 --last 500
  stnscope export RUN arrays.npz
"""
FORMS = "forms:\n" + "\n".join(
    f"  {name:<12} {row.title}: {row.description}" for name, row in FORMATS.items()
)


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Make a file from a run: an animation, a figure, numbers, weights."
    parser = command(commands, "export", _export, text, EXAMPLES)
    parser.epilog = f"{parser.epilog}\n{FORMS}"
    parser.add_argument("run", help=RUN_HELP)
    parser.add_argument(
        "file", type=Path, nargs="?", help="the file to write, or a folder (RUN.FORMAT)"
    )
    for name, field in ExportOptions.model_fields.items():
        parser.add_argument(
            f"--{name}", default=argparse.SUPPRESS, help=option_help(str(field.description))
        )


def _export(arguments: argparse.Namespace) -> int:
    values = {k: v for k, v in vars(arguments).items() if k in ExportOptions.model_fields}
    options = options_for(arguments.file, values)
    runs = existing_runs(arguments)
    run_id = find_run(runs, arguments.run)
    target = _target(arguments.file, run_id, FORMATS[options.format].suffix)
    with ExitStack() as stack:
        recording = stack.enter_context(runs.open(run_id))
        compared = None
        if options.compare is not None:
            compared = stack.enter_context(runs.open(find_run(runs, options.compare)))
        export(recording, options, target, compared=compared)
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")
    return 0


def _target(file: Path | None, run_id: str, suffix: str) -> Path:
    """Return the file to write: the given one, or one named after the run.

    Raises:
        InvalidInput: the file's name has the suffix of another format.
    """
    name = f"{run_id}.{suffix}"
    if file is None:
        return Path(name)
    if file.is_dir():
        return file / name
    if file.suffix.lower() != f".{suffix}":
        raise InvalidInput(f"The file would be a {suffix.upper()}; call it {file.stem}.{suffix}.")
    return file
