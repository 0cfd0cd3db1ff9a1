"""The command line: its commands are the rows of `COMMANDS`, each a file of this folder."""

import argparse
import sys

from pydantic import ValidationError

from stnscope.backend.commands import committee, download, export, runs, serve, train
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.version import VERSION

COMMANDS = (serve, train, export, runs, committee, download)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (StnscopeError, ValidationError) as error:
        print(f"stnscope: {_message(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stnscope", description="Watch a Spatial Transformer Network learn where to look."
    )
    parser.add_argument("--version", action="version", version=f"stnscope {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


def _message(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return format_error(first, first["loc"], RunConfig)
    return str(error)
