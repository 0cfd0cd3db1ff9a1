"""`stnscope train`: train a run without a server."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from stnscope.backend.commands import parser as types
from stnscope.backend.commands.options import (
    Commands,
    add_cluster,
    add_data,
    add_quota,
    command,
    data_folder,
    option_help,
    percent,
    progress_bar,
    quota,
    recordings,
)
from stnscope.backend.commands.training_child import ended_in_order, training_child
from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DISTORTIONS,
    FAMILIES,
    OPTIMISERS,
    PADDINGS,
    PRECISIONS,
    SCHEDULES,
)
from stnscope.backend.experiment.config import ProbesConfig, RunConfig, SamplerConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.server.cluster.cluster import Cluster, ClusterTrainer
from stnscope.backend.server.processes.child_process import ChildEnded
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.trainers import (
    COMMAND,
    NOT_BEGUN,
    TrainerProcess,
    assignment,
)
from stnscope.backend.server.runs import Run, Runs

CHOICES: Mapping[str, Iterable[str]] = {
    "architecture": ARCHITECTURES,
    "dataset": DATASETS,
    "family": FAMILIES,
    "distortion": DISTORTIONS,
    "optimiser": OPTIMISERS,
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
    "padding": PADDINGS,
}
NO_DEFAULT = {
    "architecture": "as suits the data set",
    "batch_size": f"{RunConfig().batch_size}, or fewer images of an epoch",
    "epochs": "as suits the network",
    "learning_rate": "as suits the network",
    "localisation_learning_rate": "as suits the network",
    "weight_decay": "as suits the optimiser",
    "distortion": "as suits the data set",
    "consistency": "as suits the data set",
    "background": "none",
    "supersampling": "as suits the network",
}
"""Fields whose default depends on others, and how the help describes it."""
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
  stnscope train --dataset FOLDER         a folder in the data folder
A page that is open on the same home follows the run; Ctrl-C interrupts it, and the page
can resume it.
"""


class Help(argparse.Action):
    """Print the help, and what is in the data folder, that of an earlier `--data` if given."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, *_: object
    ) -> None:
        parser.print_help()
        print(f"\n{_list_own(data_folder(options))}")
        parser.exit()


def _list_own(data: Path) -> str:
    """Return a list of the user's data sets in the data folder, and of what is skipped."""
    entries, skipped = availability.list_all(data)
    names = sorted(entries.keys() - DATASETS.keys())
    lines = [f"data sets in {data}:", f"  {', '.join(names) or 'none'}"]
    if skipped:
        lines += ["skipped:", *(f"  {folder.reason}" for folder in skipped)]
    return "\n".join(lines)


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Train a network and record it; an open page follows the run."
    train = command(commands, "train", _train, text, EXAMPLES, Help)
    for name, field in RunConfig.model_fields.items():
        kind: Any = types.threads if name == "threads" else field.annotation
        if kind in (int, float, str, types.threads):
            fallback = None if name in NO_DEFAULT else field.default
            _add_field(train, name, field.description, type=kind, default=fallback)
    train.add_argument(
        "--channels-last",
        action=argparse.BooleanOptionalAction,
        help="store weights with their channels last, which is faster for most convolutions and "
        "rounds differently (with bfloat16 only)",
    )
    _add_field(train, "distortion", "Distortions of each image, joined by +.", default=None)
    for name, kind in SAMPLER.items():
        field = SamplerConfig.model_fields[name]
        _add_field(train, name, field.description, type=kind, default=field.default)
    train.add_argument("--strength", type=float, help="strength of the distortion, 0 to 1")
    train.add_argument(
        "--probes",
        type=int,
        help=f"number of probes ({ProbesConfig().count}, or fewer held-out images)",
    )
    train.add_argument(
        "--moving",
        nargs="?",
        const=True,
        default=False,
        choices=["tracks"],
        help="move the probes along smooth paths of their distortion, or through their tracks",
    )
    add_data(train)
    add_quota(train)
    add_cluster(train)


def _add_field(
    parser: argparse.ArgumentParser, name: str, description: str | None, **arguments: Any
) -> None:
    """Add a field of a configuration as an option, with the names that it accepts."""
    text = option_help(description or name)
    if name in CHOICES:
        text = f"{text}: {', '.join(CHOICES[name])}"
    default = NO_DEFAULT[name] if arguments["default"] is None else "%(default)s"
    parser.add_argument(f"--{name.replace('_', '-')}", help=f"{text} ({default})", **arguments)


def _train(options: argparse.Namespace) -> int:
    runs = Runs(recordings(options), quota(options), options.data)
    config = config_of(options, runs.data)
    cluster = cluster_of(options)
    return asyncio.run(_create_and_train(runs, config, devices_of(cluster), cluster))


async def _create_and_train(
    runs: Runs, config: RunConfig, devices: Devices, cluster: Cluster | None
) -> int:
    async with connected(cluster):
        resolved = await devices.resolve(config)
        run_id = await asyncio.to_thread(runs.create, resolved)
        return await train_and_follow(runs, run_id, cluster)


@asynccontextmanager
async def connected(cluster: Cluster | None) -> AsyncIterator[None]:
    """Use a cluster inside this context, if there is one; print a message if it cannot be used."""
    if cluster is None:
        yield
        return
    async with cluster.connected():
        yield


def cluster_of(options: argparse.Namespace) -> Cluster | None:
    """Return the cluster that the options name; None to train here."""
    return None if options.cluster is None else Cluster(options.cluster, options.retries)


def devices_of(cluster: Cluster | None) -> Devices:
    """Return the devices of what trains: this machine, or a cluster while it can be used."""
    return Devices(remote=None if cluster is None else cluster.remote_devices)


def train_and_report(runs: Runs, run_id: str) -> int:
    """Do what `train_and_follow` does, here."""
    return asyncio.run(train_and_follow(runs, run_id))


async def train_and_follow(runs: Runs, run_id: str, cluster: Cluster | None = None) -> int:
    """Train a queued run, and print its progress and how it ended; return the exit status.

    Args:
        runs: the runs of the home.
        run_id: of the run.
        cluster: that trains it if it is connected; else it is trained here.
    """
    print(f"Run {run_id}", flush=True)
    run = await _follow(runs, run_id, cluster)
    _print_progress(run)
    print(f"\n{run['status'].capitalize()}{': ' + run['error'] if run['error'] else '.'}")
    return 0 if run["status"] == "finished" else 1


def config_of(options: argparse.Namespace, data: Path) -> RunConfig:
    """Return the configuration that the options describe."""
    values = {k: v for k, v in vars(options).items() if k in RunConfig.model_fields}
    fields = {name: value for name, value in values.items() if value is not None}
    if options.strength is not None:
        entry = availability.inspect_dataset(fields["dataset"], data)
        name = fields.get("distortion", entry.distortion)
        fields["distortion"] = {"name": name, "strength": options.strength}
    fields["sampler"] = {name: getattr(options, name) for name in SAMPLER}
    fields["probes"] = {"moving": options.moving}
    if options.probes is not None:
        fields["probes"]["count"] = options.probes
    return RunConfig.model_validate(fields)


async def _start_on_cluster(
    runs: Runs, run_id: str, given: Mapping[str, Any], cluster: Cluster | None
) -> ClusterTrainer | None:
    """Have a cluster train a run; return None if it cannot."""
    if cluster is None or not cluster.is_connected:
        return None
    config = await asyncio.to_thread(runs.config, run_id)
    with suppress(ChildEnded):  # it was lost just now
        return await cluster.train(run_id, given, config)
    return None


@asynccontextmanager
async def _trainer(
    runs: Runs, run_id: str, cluster: Cluster | None
) -> AsyncIterator[TrainerProcess]:
    """Start the trainer of a run; at the end it writes a checkpoint and ends."""
    given = await asyncio.to_thread(assignment, runs, run_id)
    if trainer := await _start_on_cluster(runs, run_id, given, cluster):
        assert cluster is not None
        reporting = asyncio.create_task(cluster.report(trainer, _print_line))
        try:
            async with ended_in_order(trainer, "The trainer on the cluster"):
                yield trainer
        finally:
            reporting.cancel()
        return
    async with training_child(COMMAND) as child:
        with suppress(ChildEnded):
            await child.send(given)
        yield child


async def _follow(runs: Runs, run_id: str, cluster: Cluster | None) -> Run:
    """Train a run in a process of its own, and print its progress; return the run at its end."""
    async with _trainer(runs, run_id, cluster) as trainer:
        run = await asyncio.to_thread(runs.summary, run_id)
        # A run that pauses for lack of disk space ends here too; the page can resume it.
        while trainer.is_alive and run["status"] != "paused":
            run = await asyncio.to_thread(runs.summary, run_id)
            if sys.stdout.isatty():
                _print_progress(run)
            await asyncio.sleep(0.2)
    run = await asyncio.to_thread(runs.summary, run_id)
    was_lost = isinstance(trainer, ClusterTrainer) and trainer.was_lost  # it can be resumed
    if run["status"] == "queued" and not was_lost:
        with suppress(Conflict):  # another process trains it meanwhile
            await asyncio.to_thread(runs.fail, run_id, NOT_BEGUN)
    return await asyncio.to_thread(runs.summary, run_id)


def _print_line(line: str) -> None:
    # A terminal has the progress in this line.
    print(f"\r{line:<79}" if sys.stdout.isatty() else line, flush=True)


def _print_progress(run: Run) -> None:
    if run["steps"] is None:  # its recording cannot be read
        return
    loss = "-" if run["loss"] is None else f"{run['loss']:.3f}"
    bar = progress_bar(run["step"], run["steps"])
    print(
        f"\r{bar} {run['step']:>6}/{run['steps']} steps  epoch {run['epoch']}/{run['epochs']}"
        f"  loss {loss}  accuracy {percent(run['accuracy'])} ",
        end="",
        flush=True,
    )
