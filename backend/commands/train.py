"""`stnscope train`: a run without a server."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stnscope.backend.commands.options import (
    Commands,
    add_data,
    add_limits,
    bar,
    bounds,
    command,
    data_folder,
    percent,
    recordings,
)
from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DATASETS,
    DISTORTIONS,
    FAMILIES,
    OPTIMISERS,
    PADDINGS,
    SCHEDULES,
)
from stnscope.backend.experiment.config import RunConfig, SamplerConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.server.processes.trainers import assignment
from stnscope.backend.server.runs import Run, Runs

NAMES: Mapping[str, Iterable[str]] = {
    "architecture": ARCHITECTURES,
    "dataset": DATASETS,
    "family": FAMILIES,
    "distortion": DISTORTIONS,
    "optimiser": OPTIMISERS,
    "schedule": SCHEDULES,
    "padding": PADDINGS,
}
OPEN = {
    "architecture": "as suits the data set",
    "epochs": "as suits the network",
    "learning_rate": "as suits the network",
    "localisation_learning_rate": "as suits the network",
    "weight_decay": "as suits the optimiser",
    "distortion": "as suits the data set",
    "background": "none",
    "supersampling": "as suits the network",
}
"""What there is where it is not given."""
SAMPLER: Mapping[str, Callable[[str], Any]] = {
    "padding": str,
    "background": float,
    "supersampling": int,
}
EXAMPLES = """\
  stnscope train                          the demonstration's configuration
  stnscope train --seed 4 --epochs 10     longer, and another one
  stnscope train --architecture digits-cnn    without a transformer, to compare
  stnscope train --optimiser sgd --schedule steps --learning-rate 0.01    the paper's schedule
  stnscope train --dataset FOLDER         pictures of your own, in the data folder
A page that is open on the same home follows the run; Ctrl-C ends it where it is, and
the page can resume it.
"""


class Help(argparse.Action):
    """Shows the help, and below it what lies in the data folder, as far as it was named before."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, *_: object
    ) -> None:
        parser.print_help()
        print(f"\n{_own_data_sets(data_folder(options))}")
        parser.exit()


def _own_data_sets(data: Path) -> str:
    """The data sets of one's own, and which folders are passed over."""
    names = sorted(availability.list_datasets(data).keys() - DATASETS.keys())
    lines = [f"data sets of your own, in {data}:", f"  {', '.join(names) or 'none'}"]
    if passed := availability.list_skipped_folders(data):
        lines += ["passed over:", *(f"  {each.reason}" for each in passed)]
    return "\n".join(lines)


def add(commands: Commands) -> None:
    """Adds the command."""
    text = "Train a network into a recording; an open page can follow it."
    train = command(commands, "train", _train, text, EXAMPLES, Help)
    for name, field in RunConfig.model_fields.items():
        if field.annotation in (int, float, str):
            kind: Any = field.annotation
            fallback = None if name in OPEN else field.default
            _add_field(train, name, field.description, type=kind, default=fallback)
    _add_field(train, "distortion", "What is done to an image first, joined by +.", default=None)
    for name, kind in SAMPLER.items():
        field = SamplerConfig.model_fields[name]
        _add_field(train, name, field.description, type=kind, default=field.default)
    train.add_argument("--strength", type=float, help="of the distortion, 0 to 1")
    train.add_argument("--probes", type=int, default=12, help="images to watch (%(default)s)")
    train.add_argument("--moving", action="store_true", help="let them move along smooth paths")
    add_data(train)
    add_limits(train)


def _add_field(parser: argparse.ArgumentParser, name: str, text: str | None, **how: Any) -> None:
    """Adds a field of a configuration as an option; where it is a name, all that there are."""
    said = (text or name).rstrip(".")
    said = said[0].lower() + said[1:]
    if name in NAMES:
        said = f"{said}: {', '.join(NAMES[name])}"
    shown = OPEN[name] if how["default"] is None else "%(default)s"
    parser.add_argument(f"--{name.replace('_', '-')}", help=f"{said} ({shown})", **how)


def _train(options: argparse.Namespace) -> int:
    wanted = {k: v for k, v in vars(options).items() if k in RunConfig.model_fields}
    given = {name: value for name, value in wanted.items() if value is not None}
    runs = Runs(recordings(options), bounds(options), options.data)
    if options.strength is not None:
        entry = availability.inspect_dataset(given["dataset"], runs.data)
        name = given.get("distortion", entry.distortion)
        given["distortion"] = {"name": name, "strength": options.strength}
    given["sampler"] = {name: getattr(options, name) for name in SAMPLER}
    given["probes"] = {"count": options.probes, "moving": options.moving}
    run_id = runs.create(RunConfig.model_validate(given))
    print(f"Run {run_id}", flush=True)
    command = [sys.executable, "-m", "stnscope.backend.server.processes.trainer_main"]
    # The trainer outlives an interrupt typed here by the moment it takes to write a checkpoint.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as trainer:
        assert trainer.stdin is not None
        trainer.stdin.write(assignment(runs, run_id))
        trainer.stdin.flush()
        run = runs.summary(run_id)
        while trainer.poll() is None and run["status"] != "paused":
            run = runs.summary(run_id)
            if sys.stdout.isatty():
                _show_progress(run)
            time.sleep(0.2)
    # A run that has paused for want of room leaves with its input; the page can resume it.
    run = runs.summary(run_id)
    _show_progress(run)
    print(f"\n{run['status'].capitalize()}{': ' + run['error'] if run['error'] else '.'}")
    return 0 if run["status"] == "finished" else 1


def _show_progress(run: Run) -> None:
    loss = "-" if run["loss"] is None else f"{run['loss']:.3f}"
    drawn = bar(run["step"], run["steps"])
    print(
        f"\r{drawn} {run['step']:>6}/{run['steps']} steps  epoch {run['epoch']}/{run['epochs']}"
        f"  loss {loss}  accuracy {percent(run['accuracy'])} ",
        end="",
        flush=True,
    )
