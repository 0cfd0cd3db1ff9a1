"""The command line: serve, train, export, runs, committee, fetch."""

import argparse
import sys

from pydantic import ValidationError

from stnscope.backend.commands import committee, export, fetch, runs, serve, train
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.version import VERSION


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; answers with the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (StnscopeError, ValidationError) as error:
        print(f"stnscope: {_sentence(error)}", file=sys.stderr)
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
    for command in (serve, train, export, runs, committee, fetch):
        command.add(commands)
    return parser


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return format_error(first, first["loc"], RunConfig)
    return str(error)
