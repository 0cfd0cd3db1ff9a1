"""The command line: its commands are the rows of `COMMANDS`, each a file of this folder."""

import argparse
import io
import os
import sys

from pydantic import ValidationError

from stnscope.backend.commands import (
    committee,
    delete,
    download,
    evaluate,
    export,
    import_,
    invariance,
    publish,
    reproduce,
    resume,
    runs,
    serve,
    sweep,
    train,
    transform,
    weights,
)
from stnscope.backend.commands.parser import Parser
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import Conflict, InvalidInput, NotFound, StnscopeError
from stnscope.backend.experiment.os_errors import translate_os_error
from stnscope.backend.version import VERSION

COMMANDS = (
    serve,
    train,
    resume,
    sweep,
    runs,
    export,
    publish,
    transform,
    weights,
    evaluate,
    invariance,
    reproduce,
    committee,
    download,
    import_,
    delete,
)
FAILED, REFUSED, INTERRUPTED, OUTPUT_ENDED = 1, 2, 130, 141
EXIT_STATUSES = (
    f"exit status: 0 done; {FAILED} a failure, or a run that did not finish; {REFUSED} an option, "
    f"name or file that cannot be used; {INTERRUPTED} interrupted; {OUTPUT_ENDED} the program that "
    "read the output has ended"
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may not have all characters
    options = _parse(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python would write what is left at its end, and report that it cannot.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_ENDED
    except Exception as error:
        if options.debug:
            raise
        if isinstance(error, OSError):
            error = translate_os_error(error)
        print(f"stnscope: {_message(error)}", file=sys.stderr)
        is_refusal = isinstance(error, ValidationError | InvalidInput | NotFound | Conflict)
        return REFUSED if is_refusal else FAILED
    return status


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="stnscope",
        description="Watch a Spatial Transformer Network learn where to look.",
        epilog=EXIT_STATUSES,
    )
    parser.add_argument("--version", action="version", version=f"stnscope {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    options, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown)
    if options.home is None:
        options.parser.error("this user has no home directory; name a folder with --home")
    return options


def _message(error: Exception) -> str:
    match error:
        case ValidationError():
            first = error.errors(include_url=False)[0]
            return format_error(first, first["loc"], RunConfig)
        case StnscopeError():
            return str(error)
    return f"An unexpected error: {error!r}. With --debug it is shown where it arose."
