"""`stnscope evaluate`: the accuracy of trained weights on a data set."""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stnscope.backend.commands import parser as types
from stnscope.backend.commands.options import Commands, add_data, add_device, command, data_folder
from stnscope.backend.experiment.errors import Unavailable
from stnscope.backend.experiment.weights.weights_folder import WeightsFolder
from stnscope.backend.server.processes.child_process import ChildEnded, call
from stnscope.backend.server.runs import WEIGHTS

EXAMPLES = """\
  stnscope evaluate --weights digits      on the images that were held out of its training
  stnscope evaluate --weights signs --dataset gtsrb --data FOLDER    on a test set
  stnscope evaluate --weights FILE.safetensors --json    the confusion matrix too
GTSRB may have the official layout, with GT-final_test.csv, or Kaggle's; or FOLDER has one folder of
images for each class. Of training images the held-out tracks are used. The last line is the
accuracy, from 0 to 1.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Evaluate trained weights on a data set, and print their accuracy."
    parser = command(commands, "evaluate", _evaluate, text, EXAMPLES)
    add_weights(parser)
    parser.add_argument(
        "--distortion", help="distortions of each image, joined by + (those of the training)"
    )
    parser.add_argument(
        "--every-image",
        action="store_true",
        help="with gtsrb, use all images of a training layout, not the held-out tracks alone",
    )
    add_output(parser)


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the options for what is evaluated: weights, and a data set."""
    parser.add_argument(
        "--weights",
        required=True,
        help="name of trained weights, as `stnscope weights list` has them, or path of a "
        ".safetensors file with its card beside it, or of a checkpoint",
    )
    parser.add_argument(
        "--dataset", help="name of a data set (the one that the weights were trained on)"
    )
    add_data(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options `--device`, `--threads`, `--json` and `--folder`."""
    add_machine(parser)
    parser.add_argument("--json", action="store_true", help="print everything, as JSON")
    parser.add_argument(
        "--folder", type=types.folder, help="write a result file into this folder (none)"
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add the options `--device` and `--threads`."""
    add_device(parser)
    parser.add_argument("--threads", type=types.count, default=1, help="CPU threads (%(default)s)")


def _evaluate(options: argparse.Namespace) -> int:
    request = {"distortion": options.distortion, "every_image": options.every_image}
    return evaluate_and_print(options, request, _print)


def evaluate_and_print(
    options: argparse.Namespace,
    arguments: Mapping[str, Any],
    print_result: Callable[[dict[str, Any]], None],
) -> int:
    """Have weights evaluated, and print the result; return the exit status.

    Args:
        options: those of `add_weights` and `add_output`.
        arguments: the others of the request to the process that evaluates.
        print_result: prints a result, unless it is printed as JSON.
    """
    request = {
        "weights": locate_weights(options.weights, options.home),
        "dataset": options.dataset,
        "data": str(data_folder(options)),
        "device": options.device,
        "threads": options.threads,
        "folder": str(options.folder) if options.folder else None,
    }
    # A process of its own: this one has no torch, and starts at once.
    try:
        result, _ = asyncio.run(call("evaluation_main", request | dict(arguments)))
    except ChildEnded:
        raise Unavailable("The process that evaluates the weights ended unexpectedly.") from None
    if options.json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        print_result(result)
    return 0


def locate_weights(name: str, home: Path) -> str:
    """Return the path of the user's own weights of a name; else the name, or path, as it is."""
    own = WeightsFolder(home / WEIGHTS)
    return str(own.path(name)) if name in own.cards() else name


def _print(evaluation: dict[str, Any]) -> None:
    milliseconds = 1000 * evaluation["seconds"] / evaluation["images"]
    lines = {
        "weights": f"{evaluation['weights']}, {evaluation['architecture']}",
        "images": f"{evaluation['images']:,} {evaluation['kind']} of {evaluation['dataset']}",
        "seconds": f"{evaluation['seconds']:.2f}, {milliseconds:.2f} ms an image",
        "parameters": f"{evaluation['parameters']:,}",
        "multiply-adds": f"{evaluation['multiply_adds'] / 1e6:,.1f} million an image",
        "errors": f"{evaluation['errors']:,} of {evaluation['labels']:,}",
    }
    if evaluation["note"]:
        lines["note"] = evaluation["note"]
    if evaluation["path"]:
        lines["result"] = evaluation["path"]
    for name, text in lines.items():
        print(f"{name:14} {text}")
    print(f"accuracy {evaluation['accuracy']:.4f}")
