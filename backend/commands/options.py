"""Options that several commands share, and how they print numbers."""

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from stnscope.backend.commands import parser as types
from stnscope.backend.commands.parser import Parser, suggestion
from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.home import default_home
from stnscope.backend.experiment.recording.quota import Quota, format_bytes
from stnscope.backend.server import runs as server_runs
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.sweeps import Sweep, Sweeps

Commands = Any  # argparse keeps the type of its subparsers private

RUN_HELP = "a run's id, as `stnscope runs` lists it, or its beginning"
RUNS_HELP = f"{RUN_HELP}; or the id of a sweep, for all its runs"


def command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    examples: str,
    help_action: str | type[argparse.Action] = "help",
) -> Parser:
    """Add a command with its help and the option `--home`.

    Args:
        commands: where the command is added.
        name: its name.
        run: runs it; returns the exit status.
        text: its description, a sentence.
        examples: printed below its help.
        help_action: what `--help` does.
    """
    parser: Parser = commands.add_parser(
        name, help=text[0].lower() + text.rstrip(".")[1:], description=text, add_help=False
    )
    parser.add_argument("-h", "--help", action=help_action, help="show this message and exit")
    parser.set_defaults(command=run, parser=parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"examples:\n{examples}"
    parser.add_argument(
        "--home",
        type=types.folder,
        default=_default_home(),
        help="folder with recordings and everything else that is kept (%(default)s)",
    )
    parser.add_argument(
        "--debug", action="store_true", help="print where in the program an error arose"
    )
    return parser


def option_help(description: str) -> str:
    """Return a field's description in the form of the options: no capital, no full stop."""
    text = description.rstrip(".")
    # An abbreviation keeps its capitals.
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def _default_home() -> Path | None:
    """Return the home folder without `--home`; None if this user has no home directory."""
    with suppress(argparse.ArgumentTypeError):
        return types.folder(str(default_home(os.environ)))
    return None


def add_quota(parser: argparse.ArgumentParser) -> None:
    """Add the options that limit the disk space for recordings."""
    parser.add_argument(
        "--run-limit",
        type=types.size,
        default=Quota.run,
        metavar="SIZE",
        help="maximum size of one recording, such as 500MB or 2GB; at its limit it drops every "
        f"second ordinary frame ({format_bytes(Quota.run)})",
    )
    parser.add_argument(
        "--home-limit",
        type=types.size,
        default=Quota.home,
        metavar="SIZE",
        help="maximum size of all recordings together; at this limit runs are paused and no new "
        f"one starts ({format_bytes(Quota.home)})",
    )


def quota(options: argparse.Namespace) -> Quota:
    """Return the disk space for recordings, from the options of `add_quota`."""
    return Quota(run=options.run_limit, home=options.home_limit)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option `--data`."""
    parser.add_argument(
        "--data",
        type=types.folder,
        default=os.environ.get("STNSCOPE_DATA") or None,
        help="folder that data sets are read from (`datasets` in the home)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option `--device`."""
    parser.add_argument(
        "--device",
        default=CPU,
        help="device that networks are applied on: auto, cpu, cuda, cuda:1 and so on, mps "
        "(%(default)s)",
    )


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the options that have a Ray cluster train."""
    parser.add_argument(
        "--cluster",
        type=types.cluster,
        metavar="ADDRESS",
        help="train on the nodes of this Ray cluster: HOST:PORT of its head, or auto for the one "
        "that this machine is a node of; needs stnscope[cluster]",
    )
    parser.add_argument(
        "--retries",
        type=types.retries,
        default=Settings.retries,
        metavar="N",
        help="with --cluster, go on with a run on another node so many times when its node is lost "
        "(%(default)s)",
    )


def add_mirror(parser: argparse.ArgumentParser) -> None:
    """Add the option `--mirror`."""
    parser.add_argument(
        "--mirror",
        metavar="ADDRESS",
        type=types.address,
        default=os.environ.get("STNSCOPE_MIRROR") or None,
        help="download data sets from here instead, each file by its path in the data folder",
    )


def recordings(options: argparse.Namespace) -> Path:
    """Return the folder of recordings."""
    return Settings(home=options.home).recordings


def existing_runs(options: argparse.Namespace) -> Runs:
    """Return the runs of a home, which is not created.

    Raises:
        NotFound: there is no home.
    """
    folder = recordings(options)
    if not folder.is_dir():
        raise NotFound(f"There are no runs in {options.home} yet.")
    return Runs(folder, data=data_folder(options) if hasattr(options, "data") else None)


def find_run(runs: Runs, text: str) -> str:
    """Return the id of the run that a text is, or is the beginning of.

    Raises:
        NotFound: it begins no run's id, or that of several.
    """
    if runs.exists(text):
        return text
    ids = runs.ids()
    matches = [run_id for run_id in ids if run_id.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotFound(f"{len(matches)} runs begin with {text!r}: {', '.join(matches[:5])}.")
    raise NotFound(
        f"There is no run {text!r}; `stnscope runs` lists them{suggestion(text, ids) or '.'}"
    )


def find_sweep(runs: Runs, text: str) -> Sweep | None:
    """Return the sweep with an id; None if there is none, as for the id of a run."""
    with suppress(NotFound):
        return Sweeps(runs).get(text)
    return None


def data_folder(options: argparse.Namespace) -> Path:
    """Return the folder that data sets are read from."""
    return server_runs.data_folder(recordings(options), options.data)


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage, or `-` if it is unknown."""
    return "-" if fraction is None else f"{100 * fraction:.1f} %"


def progress_bar(done: int, total: int, width: int = 30) -> str:
    """Return a progress bar of block characters."""
    filled = width * done // total
    return "█" * filled + "░" * (width - filled)
