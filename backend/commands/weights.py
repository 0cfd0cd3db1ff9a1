"""`stnscope weights`: list trained weights, and add or remove one's own."""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from stnscope.backend.commands.options import Commands, add_data, command, data_folder, percent
from stnscope.backend.experiment.catalog import ARCHITECTURES
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import InvalidInput, NotFound, Unavailable
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights, subject_of
from stnscope.backend.experiment.weights.weights_folder import (
    WeightsFolder,
    check_is_no_pickle,
    read_card,
)
from stnscope.backend.server.processes.child_process import ChildEnded, call
from stnscope.backend.server.runs import WEIGHTS
from stnscope.models.cards import Card, cards

EXAMPLES = """\
  stnscope weights list                   names, networks, data sets
  stnscope weights add NET.safetensors    with its card, NET.json, beside it
  stnscope weights add NET.safetensors --architecture digits --dataset mnist
  stnscope weights remove NET
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "List trained weights, and add or remove your own."
    parser = command(commands, "weights", _weights, text, EXAMPLES)
    parser.add_argument("action", choices=("list", "add", "remove"), help="what to do")
    parser.add_argument(
        "item", nargs="?", metavar="FILE|NAME", help="a .safetensors file to add; a name to remove"
    )
    parser.add_argument("--name", help="of what is added (that of the file)")
    parser.add_argument(
        "--architecture", help="the network, where there is no card; `weights list` names some"
    )
    parser.add_argument("--family", default="affine", help="of its transformers (%(default)s)")
    parser.add_argument("--dataset", help="what it was trained on, where there is no card")
    add_data(parser)
    parser.add_argument("--json", action="store_true", help="print the cards, as JSON")


def _weights(options: argparse.Namespace) -> int:
    folder = WeightsFolder(options.home / WEIGHTS)
    if options.action == "list":
        return _list(folder, as_json=options.json)
    if options.item is None:
        what = "a .safetensors file to add" if options.action == "add" else "the weights to remove"
        raise InvalidInput(f"Name {what}.")
    if options.action == "remove":
        folder.remove(options.item)
        print(f"Removed {options.item}.")
        return 0
    return _add(folder, options)


def _list(folder: WeightsFolder, *, as_json: bool) -> int:
    known = cards() | folder.cards()
    if as_json:
        print(json.dumps([asdict(card) for card in known.values()], indent=2, ensure_ascii=False))
        return 0
    for name, card in known.items():
        accuracy = "" if card.accuracy is None else f", {percent(card.accuracy)}"
        own = "" if name in cards() else "  (yours)"
        print(f"{name:24} {card.architecture} on {card.dataset}{accuracy}{own}")
    for name, reason in folder.faults().items():
        print(f"{name:24} cannot be read: {reason}")
    print("Those of a run are run:ID, or run:ID:STEP for one of its checkpoints.")
    return 0


def _add(folder: WeightsFolder, options: argparse.Namespace) -> int:
    file = Path(options.item).expanduser()
    if not file.is_file():
        raise NotFound(f"There is no file {options.item!r}.")
    check_is_no_pickle(file)
    card = replace(_card(file, options), name=options.name or file.stem)
    weights = TrainedWeights(card, file.absolute(), modified_ns=file.stat().st_mtime_ns)
    # A process of its own: this one has no torch, and the file is not trusted.
    try:
        checked, _ = asyncio.run(call("weights_main", weights.encode()))
    except ChildEnded:
        raise Unavailable("The process that checks the weights ended unexpectedly.") from None
    path = folder.add(file, replace(card, parameters=checked["parameters"]))
    print(f"Added {card.name}: {path}")
    return 0


def _card(file: Path, options: argparse.Namespace) -> Card:
    """Return the card beside a file, or one made from the options.

    Raises:
        InvalidInput: there is none, or the options name no network or data set.
    """
    if options.architecture is None or options.dataset is None:
        return read_card(file.with_suffix(".json"))
    if options.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InvalidInput(f"There is no network {options.architecture!r}; there are {known}.")
    # Its images are not needed, nor need they be on this machine.
    entry = DATASETS.get(options.dataset) or availability.find_dataset(
        options.dataset, data_folder(options)
    )
    return Card(
        name=file.stem,
        title=f"{file.stem}: {ARCHITECTURES[options.architecture].title} on {entry.title}",
        description="Added by the user.",
        subject=subject_of(options.dataset),
        architecture=options.architecture,
        family=options.family,
        dataset=options.dataset,
        distortion=entry.distortion,
        classes=entry.classes,
        parameters=0,
        date=time.strftime("%Y-%m-%d"),
    )
