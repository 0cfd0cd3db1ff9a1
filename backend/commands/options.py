"""Options that several commands share, and how they print numbers."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from stnscope.backend.experiment.recording.quota import Quota, format_bytes
from stnscope.backend.server import runs
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
    """Add a command with its help and the option `--home`.

    Args:
        commands: where the command is added.
        name: its name.
        run: runs it; returns the exit status.
        text: its description, a sentence.
        examples: printed below its help.
        help_action: what `--help` does.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text[0].lower() + text.rstrip(".")[1:], description=text, add_help=False
    )
    parser.add_argument("-h", "--help", action=help_action, help="show this message and exit")
    parser.set_defaults(command=run)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"examples:\n{examples}"
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("STNSCOPE_HOME") or user_data_path("stnscope")),
        help="folder with recordings and everything else that is kept (%(default)s)",
    )
    return parser


def add_quota(parser: argparse.ArgumentParser) -> None:
    """Add the options that limit the disk space for recordings."""
    parser.add_argument(
        "--run-limit",
        type=_size,
        default=Quota.run,
        metavar="SIZE",
        help="maximum size of one recording, such as 500MB or 2GB; at its limit it drops every "
        f"second ordinary frame ({format_bytes(Quota.run)})",
    )
    parser.add_argument(
        "--home-limit",
        type=_size,
        default=Quota.home,
        metavar="SIZE",
        help="maximum size of all recordings together; at this limit runs are paused and no new "
        f"one starts ({format_bytes(Quota.home)})",
    )


def _size(text: str) -> int:
    """Parse a number of bytes: `800000`, `500MB`, `1.5 GB`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 500MB or 2GB")
    number, unit = found.groups()
    return int(float(number) * 1000 ** " kmgt".index(unit or " "))


def quota(options: argparse.Namespace) -> Quota:
    """Return the disk space for recordings, from the options of `add_quota`."""
    return Quota(run=options.run_limit, home=options.home_limit)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option `--data`."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("STNSCOPE_DATA") or None,
        help="folder that data sets are read from (`datasets` in the home)",
    )


def add_mirror(parser: argparse.ArgumentParser) -> None:
    """Add the option `--mirror`."""
    parser.add_argument(
        "--mirror",
        metavar="ADDRESS",
        type=_address,
        default=os.environ.get("STNSCOPE_MIRROR") or None,
        help="download data sets from here instead, each file by its path in the data folder",
    )


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an address; it must start with http:// or https://"
        )
    return text


def recordings(options: argparse.Namespace) -> Path:
    """Return the folder of recordings."""
    return Settings(home=options.home).recordings


def data_folder(options: argparse.Namespace) -> Path:
    """Return the folder that data sets are read from."""
    return runs.data_folder(recordings(options), options.data)


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage, or `-` if it is unknown."""
    return "-" if fraction is None else f"{100 * fraction:.1f} %"


def progress_bar(done: int, total: int, width: int = 30) -> str:
    """Return a progress bar of block characters."""
    filled = width * done // total
    return "█" * filled + "░" * (width - filled)
