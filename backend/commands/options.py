"""What several commands take, and how they tell it."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from stnscope.backend.experiment.recording.quota import Quota, in_words
from stnscope.backend.server.runs import DATA
from stnscope.backend.server.settings import Settings

Commands = Any  # argparse keeps the type of its subparsers private


def command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    examples: str,
    help_action: str | type[argparse.Action] = "help",
) -> argparse.ArgumentParser:
    """A command with its help and the folder that every command works in."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text[0].lower() + text.rstrip(".")[1:], description=text, add_help=False
    )
    parser.add_argument("-h", "--help", action=help_action, help="show this message and leave")
    parser.set_defaults(command=run)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"examples:\n{examples}"
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("STNSCOPE_HOME") or user_data_path("stnscope")),
        help="folder that holds recordings and all else that is kept (%(default)s)",
    )
    return parser


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Adds the limits of what recordings may take."""
    parser.add_argument(
        "--run-limit",
        type=_size,
        default=Quota.run,
        metavar="SIZE",
        help="how large one recording may become, such as 500MB or 2GB; at its limit it drops "
        f"every second frame that can be spared ({in_words(Quota.run)})",
    )
    parser.add_argument(
        "--home-limit",
        type=_size,
        default=Quota.home,
        metavar="SIZE",
        help="how much all recordings together may take; at this limit runs are paused and no new "
        f"one starts ({in_words(Quota.home)})",
    )


def _size(text: str) -> int:
    """A number of bytes: `800000`, `500MB`, `1.5 GB`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 500MB or 2GB")
    number, unit = found.groups()
    return int(float(number) * 1000 ** " kmgt".index(unit or " "))


def bounds(options: argparse.Namespace) -> Quota:
    """The room that was asked for."""
    return Quota(run=options.run_limit, home=options.home_limit)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds where data sets lie."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("STNSCOPE_DATA") or None,
        help="folder that data sets are read from (`datasets` in the home)",
    )


def add_mirror(parser: argparse.ArgumentParser) -> None:
    """Adds where data sets are fetched from."""
    parser.add_argument(
        "--mirror",
        metavar="ADDRESS",
        type=_address,
        default=os.environ.get("STNSCOPE_MIRROR") or None,
        help="fetch data sets from here instead, each file under its path in the data folder",
    )


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address; it starts with http:// or https://"
        )
    return text


def recordings(options: argparse.Namespace) -> Path:
    """The folder of the recordings."""
    return Settings(home=options.home).recordings


def data_folder(options: argparse.Namespace) -> Path:
    """The folder that data sets are read from."""
    return Path(options.data) if options.data else recordings(options).parent / DATA


def percent(share: float | None) -> str:
    """A share as people read it."""
    return "-" if share is None else f"{100 * share:.1f} %"


def bar(done: int, total: int, width: int = 30) -> str:
    """How far something is, drawn."""
    filled = width * done // total
    return "█" * filled + "░" * (width - filled)
