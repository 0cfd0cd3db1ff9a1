"""`stnscope sweep`: train the runs of a sweep, by a server that runs or by itself."""

import argparse
import asyncio
import os
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from stnscope.access.token import TOKEN_VARIABLE
from stnscope.backend.commands import parser as types
from stnscope.backend.commands.options import (
    Commands,
    add_data,
    add_quota,
    command,
    percent,
    quota,
    recordings,
)
from stnscope.backend.commands.running_server import Refused, submit_sweep
from stnscope.backend.commands.train import train_and_report
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.os_errors import translating_os_errors
from stnscope.backend.experiment.reproduction.row_groups import GROUPS
from stnscope.backend.experiment.run_status import TRAINING, can
from stnscope.backend.experiment.sweeps.sweep_config import (
    SweepConfig,
    SweepRun,
    format_value,
    published_sweep,
)
from stnscope.backend.experiment.sweeps.sweep_file import naming_line, read_sweep
from stnscope.backend.experiment.sweeps.table import Spread, combinations, write_csv
from stnscope.backend.experiment.watching.page_server import DEFAULT_ADDRESS
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.requests.sweep_requests import plan_sweep
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.sweeps import PlannedRun, Sweep, Sweeps

EXAMPLES = """\
  stnscope sweep sweep.toml --dry-run     list its runs, and train none
  stnscope sweep sweep.toml               train those that are not finished
  stnscope sweep sweep.toml --csv sweep.csv   and write a table of them
  stnscope sweep --table mnist-rts --seeds 3   the rows of a published table, with their recipes
  stnscope sweep --table idsia-committee  IDSIA's 25 networks
The file has a list of values for each field that varies, and every combination is trained with
each seed:
  seeds = 3                               # 0, 1 and 2; or a list of them
  [run]                                   # what all runs share: any fields of a run
  dataset = "digits"
  epochs = 3
  probes.count = 8
  [product]                               # every combination of these
  family = ["affine", "attention"]
  distortion = ["RTS", { name = "E", strength = 0.5 }]
  [[zip]]                                 # lists that go together, value by value
  optimiser = ["adamw", "sgd"]
  learning_rate = [0.002, 0.02]
The same command resumes a sweep, whatever ended it: what has finished is not trained again.
Of a published table `stnscope reproduce --from-sweep SWEEP` writes the result files, and `stnscope
committee SWEEP` evaluates a committee.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Train runs that differ in some fields and their seeds, and print their table."
    sweep = command(commands, "sweep", _sweep, text, EXAMPLES)
    sweep.add_argument("file", type=Path, nargs="?", metavar="FILE", help="the sweep, as TOML")
    sweep.add_argument(
        "--table",
        metavar="NAME",
        help="in place of a file: a published table, one of its rows, or a committee "
        f"({', '.join(GROUPS)})",
    )
    sweep.add_argument(
        "--seeds", type=types.count, metavar="N", help="of a table: the seeds 0 to N - 1"
    )
    sweep.add_argument(
        "--threads", type=types.count, metavar="N", help="of a table: CPU threads of each run"
    )
    sweep.add_argument("--device", metavar="NAME", help="of a table: auto, cpu, cuda and so on")
    sweep.add_argument("--dry-run", action="store_true", help="list the runs, and train none")
    sweep.add_argument(
        "--csv", type=Path, metavar="FILE", help="write a table of the runs to this file too"
    )
    server = sweep.add_mutually_exclusive_group()
    server.add_argument(
        "--server",
        type=types.address,
        metavar="ADDRESS",
        default=DEFAULT_ADDRESS,
        help="let this server train the runs, if it runs and serves the same home; "
        f"{TOKEN_VARIABLE} has its token (%(default)s)",
    )
    server.add_argument(
        "--no-server", action="store_true", help="train the runs here, one after the other"
    )
    add_data(sweep)
    add_quota(sweep)


def _sweep(options: argparse.Namespace) -> int:
    config = _config(options)
    sweeps = Sweeps(Runs(recordings(options), quota(options), options.data))
    with naming_line(options.file) if options.file else nullcontext():
        planned = asyncio.run(plan_sweep(sweeps, Devices(), config))
    if options.dry_run:
        _print_runs(planned)
        return 0
    sweep = sweeps.find(config)
    if sweep is None:
        sweep = sweeps.create(config, planned)
    else:
        sweeps.create_missing(sweep, planned)
    print(f"Sweep {sweep.id}, {_count_runs(len(sweep.runs))}", flush=True)
    if not _is_finished(sweeps, sweep):
        if not options.no_server and _submit(options.server, sweep):
            return 0
        _train(sweeps, sweep, [each.run for each in planned])
    _print_table(sweeps, sweep)
    if options.csv:
        with translating_os_errors(options.csv):
            options.csv.write_text(write_csv(sweep.fields, sweeps.members(sweep)), newline="")
    return 0 if _is_finished(sweeps, sweep) else 1


def _config(options: argparse.Namespace) -> SweepConfig:
    """Return the sweep of a file, or of a published table.

    Raises:
        InvalidInput: both are named, or none; or as `read_sweep` and `published_sweep` do.
        NotFound: there is no such file.
    """
    changed = {name: getattr(options, name) for name in ("seeds", "threads", "device")}
    if (options.file is None) == (options.table is None):
        raise InvalidInput("Name a file, or a published table with --table.")
    if options.table is not None:
        return published_sweep(options.table, **changed)
    for name, value in changed.items():
        if value is not None:
            raise InvalidInput(f"--{name} is for --table; a file sets it itself.")
    return read_sweep(options.file)


def _print_runs(planned: Sequence[PlannedRun]) -> None:
    for number, each in enumerate(planned, 1):
        print(f"{number:>3}  {each.run.title}")
    print(f"{_count_runs(len(planned))}; none was trained.")


def _count_runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"


def _is_finished(sweeps: Sweeps, sweep: Sweep) -> bool:
    return all(run["status"] == "finished" for run in sweeps.summaries(sweep))


def _submit(address: str, sweep: Sweep) -> bool:
    """Let a server that runs train a sweep; return whether it does."""
    try:
        is_accepted = submit_sweep(address, sweep.id, os.environ.get(TOKEN_VARIABLE))
    except Refused as refusal:
        print(f"The server at {address} does not train it: {refusal}")
        return False
    if is_accepted:
        print(f"The server trains it: {address}?tab=sweeps&sweep={sweep.id}")
    return is_accepted


def _train(sweeps: Sweeps, sweep: Sweep, planned: Sequence[SweepRun]) -> None:
    """Train the runs of a sweep that are not finished, one after the other."""
    titles = {run.id: each.title for run, each in zip(sweep.runs, planned, strict=True)}
    order = [run["id"] for run in sweeps.summaries(sweep)]
    for number, run_id in enumerate(order, 1):
        # Another process may have trained, or deleted it meanwhile.
        run = sweeps.runs.summaries([run_id]).get(run_id)
        if run is None or run["status"] == "finished":
            continue
        print(f"{number} of {len(order)}: {titles[run_id]}")
        if run["status"] in TRAINING:
            print("Another process trains it.")
            continue
        if run["status"] != "queued":
            if not can("resume", run["status"]):
                print(f"It cannot be resumed: {run['error'] or run['status']}")
                continue
            try:
                sweeps.runs.set_status(run_id, "queued")
            except Conflict as refusal:
                print(refusal)
                continue
        with suppress(Conflict):  # another process began to train it
            train_and_report(sweeps.runs, run_id)


def _print_table(sweeps: Sweeps, sweep: Sweep) -> None:
    """Print a row for each combination: its values, and accuracy over its seeds."""
    rows = [("", "finished", "accuracy", "lowest", "highest", "collapsed")]
    for each in combinations(sweeps.members(sweep)):
        values = [format_value(field, value) for field, value in each.values.items()]
        rows.append(
            (
                ", ".join(values) or sweep.config.name,
                f"{each.finished} of {len(each.runs)}",
                *_percentages(each.figures["accuracy"]),
                f"{each.collapsed} of {each.observed}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for first, *cells in rows:
        texts = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *texts]).rstrip())


def _percentages(spread: Spread | None) -> tuple[str, str, str]:
    """Return mean, lowest and highest."""
    if spread is None:
        return ("-", "-", "-")
    return (percent(spread.mean), percent(spread.min), percent(spread.max))
