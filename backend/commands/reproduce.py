"""`stnscope reproduce`: train and evaluate one row of a published table from scratch."""

import argparse
import asyncio
import sys
import time
from typing import Any

from stnscope.backend.commands import parser as types
from stnscope.backend.commands.evaluate import add_machine
from stnscope.backend.commands.options import (
    Commands,
    add_data,
    command,
    data_folder,
    existing_runs,
    percent,
    progress_bar,
)
from stnscope.backend.commands.parser import suggestion
from stnscope.backend.commands.training_child import training_child
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import (
    InvalidInput,
    NotFound,
    StnscopeError,
    Unavailable,
)
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, TABLES, Row
from stnscope.backend.experiment.reproduction.results import RowResult, read_results
from stnscope.backend.experiment.reproduction.row_groups import recipe_of
from stnscope.backend.experiment.sweeps.sweep_config import ROW_FIELD
from stnscope.backend.server.processes.child_process import (
    ChildEnded,
    ChildHung,
    command_for,
)
from stnscope.backend.server.runs import Run, Runs
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.sweeps import Sweep, Sweeps

EXAMPLES = """\
  stnscope reproduce --list               all rows, with the published figures
  stnscope reproduce pytorch-tutorial     one row, with seed 0
  stnscope reproduce mnist-rts-st-cnn-affine --seeds 3 --minutes 100
  stnscope reproduce --from-sweep SWEEP   result files of what `stnscope sweep --table` trained
The same command resumes a training, whatever ended it: its results are those of one without an
interruption, bit for bit. What --minutes cuts short is evaluated as it is, and its result file
records that.
"""
NOTHING_NAMED = "Name a row, or list all with --list."


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Train and evaluate one row of a published table, and write a result file."
    parser = command(commands, "reproduce", _reproduce, text, EXAMPLES)
    parser.add_argument("row", nargs="?", metavar="NAME", help="name of the row")
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.add_argument(
        "--from-sweep",
        metavar="SWEEP",
        help="train nothing, but evaluate the finished runs of this sweep of a published table",
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=0, help="seed of the training (%(default)s)")
    seeds.add_argument("--seeds", type=types.count, metavar="N", help="train the seeds 0 to N - 1")
    parser.add_argument(
        "--minutes",
        type=types.minutes,
        help="end after this time; what is not complete can be resumed (no limit)",
    )
    add_machine(parser)
    add_data(parser)
    parser.add_argument(
        "--folder",
        type=types.folder,
        help="folder of result files and checkpoints (`results` in the home)",
    )


def _reproduce(options: argparse.Namespace) -> int:
    if options.list:
        _print_rows()
        return 0
    if options.from_sweep is not None:
        return _evaluate_sweep(options)
    row = _find_row(options.row)
    folder = options.folder or Settings(home=options.home).results
    seeds = range(options.seeds) if options.seeds else [options.seed]
    end = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    is_complete = True
    for seed in seeds:
        changed = {"seed": seed, "threads": options.threads}
        RunConfig.model_validate(row.config.model_dump() | changed)
    for seed in seeds:
        minutes = None if end is None else (end - time.monotonic()) / 60
        if minutes is not None and minutes <= 0 and seed != seeds[0]:
            print(f"Seed {seed} was not begun: the time is over.")
            return 1
        request = {
            "row": row.name,
            "seed": seed,
            "folder": str(folder),
            "data": str(data_folder(options)),
            "device": options.device,
            "threads": options.threads,
            "minutes": minutes,
        }
        response = _call(request)
        _print_result(row, response)
        is_complete &= response["result"]["complete"]
    return 0 if is_complete else 1


def _evaluate_sweep(options: argparse.Namespace) -> int:
    """Write the results of a sweep's finished runs into the result files of their rows."""
    if options.row is not None:
        raise InvalidInput("Name a row, or a sweep with --from-sweep; not both.")
    runs = existing_runs(options)
    sweep = Sweeps(runs).get(options.from_sweep)
    folder = options.folder or Settings(home=options.home).results
    known = read_results(folder).rows
    is_complete = True
    evaluated = 0
    for member, run in zip(sweep.runs, _summaries_of(runs, sweep), strict=True):
        row = ROWS.get(member.values.get(ROW_FIELD, ""))
        if row is None:
            continue
        evaluated += 1
        if run is None or run["status"] != "finished":
            print(f"{row.name}, seed {member.seed}: {'deleted' if run is None else run['status']}")
            is_complete = False
            continue
        if _has_result(known.get(row.name), row, member.seed):
            print(f"{row.name}, seed {member.seed}: has a result already")
            continue
        request = {
            "row": row.name,
            "recording": str(runs.path(member.id)),
            "folder": str(folder),
            "data": str(runs.data),
            "device": options.device,
            "threads": options.threads,
        }
        try:
            _print_result(row, _call(request))
        except StnscopeError as refusal:  # which costs no other run
            print(f"{row.name}, seed {member.seed}: {refusal}")
            is_complete = False
    if not evaluated:
        raise InvalidInput(f"Sweep {sweep.id} has no runs of a published table's rows.")
    return 0 if is_complete else 1


def _summaries_of(runs: Runs, sweep: Sweep) -> list[Run | None]:
    """Return the summary of each run of a sweep; None of one that was deleted."""
    summaries = runs.summaries(member.id for member in sweep.runs)
    return [summaries.get(member.id) for member in sweep.runs]


def _has_result(result: RowResult | None, row: Row, seed: int) -> bool:
    """Whether a result file has a complete training of a row's recipe with a seed."""
    recipe = recipe_of(row.config)
    return result is not None and any(
        run.seed == seed and run.complete and recipe_of(run.config) == recipe for run in result.runs
    )


def _call(request: dict[str, Any]) -> dict[str, Any]:
    """Have a process of its own train or evaluate; return its response.

    Raises:
        Unavailable: it ended unexpectedly.
    """
    try:
        return asyncio.run(_train(request))
    except ChildEnded:
        raise Unavailable(
            "The process that trains ended unexpectedly; the same command resumes it."
        ) from None


async def _train(request: dict[str, Any]) -> dict[str, Any]:
    """Train in a process of its own, and print its progress; return its response."""
    async with training_child(command_for("reproduction_main")) as child:
        await child.send(request)
        while True:
            try:
                head, _ = await child.receive()
            except ChildHung:
                await child.wait_for_responsiveness(True)
                continue
            if "progress" not in head:
                return head
            _print_progress(head["progress"])


def _print_progress(progress: dict[str, Any]) -> None:
    if not (sys.stdout.isatty() or progress["is_epoch"]):
        return
    loss, left = progress["loss"], progress["seconds_left"]
    bar = f"{progress_bar(progress['step'], progress['steps'])} " if sys.stdout.isatty() else ""
    print(
        f"{bar}epoch {progress['epoch']}/{progress['epochs']}  loss {loss:.3f}  "
        f"accuracy {percent(progress['accuracy'])}  {progress['images_per_second']:,.0f} images/s"
        f"  {duration(progress['seconds'])} so far, {duration(left)} left ",
        end="\r" if sys.stdout.isatty() else "\n",
        flush=True,
    )


def duration(seconds: float) -> str:
    """Return a duration as hours and minutes, or minutes and seconds."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02} min" if hours else f"{rest // 60} min {rest % 60:02} s"


def _print_result(row: Row, response: dict[str, Any]) -> None:
    result = response["result"]
    lines = {
        "row": f"{row.name}, seed {result['config']['seed']}",
        "errors": f"{result['errors']:,} of {result['labels']:,}",
        "training": f"{duration(result['seconds'])}, {result['images_per_second']:,.0f} images/s",
        "published": f"{row.published} % {TABLES[row.table].measure}",
        "result": response["path"],
    }
    if not result["complete"]:
        lines["cut short"] = (
            f"in epoch {result['epoch']} of {result['config']['epochs']}, after "
            f"{result['step']:,} of {result['steps']:,} steps; the same command resumes it"
        )
    print()
    for name, text in lines.items():
        print(f"{name:10} {text}")
    fraction = result["error"] if TABLES[row.table].measure == "error" else 1 - result["error"]
    print(f"{TABLES[row.table].measure} {fraction:.4f}")


def _print_rows() -> None:
    width = max(map(len, ROWS))
    for table in TABLES.values():
        print(f"{table.title}: {table.measure} in %, {table.source}")
        for row in ROWS.values():
            if row.table == table.name:
                print(f"  {row.name:{width}}  {row.published:>14}  {row.network}; {row.data}")


def _find_row(name: str | None) -> Row:
    if name is None:
        raise InvalidInput(NOTHING_NAMED)
    if name not in ROWS:
        raise NotFound(
            f"There is no row {name!r}; `stnscope reproduce --list` lists them"
            f"{suggestion(name, ROWS) or '.'}"
        )
    return ROWS[name]
