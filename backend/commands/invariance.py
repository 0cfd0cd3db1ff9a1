"""`stnscope invariance`: the accuracy of trained weights as each variation of the images grows."""

import argparse
from typing import Any

from stnscope.backend.commands import parser as types
from stnscope.backend.commands.evaluate import add_output, add_weights, evaluate_and_print
from stnscope.backend.commands.options import Commands, command
from stnscope.backend.experiment.reproduction.invariance_curve import MAX_IMAGES

EXAMPLES = """\
  stnscope invariance --weights digits
  stnscope invariance --weights signs --dataset gtsrb --data FOLDER --folder results
The variations are position, rotation, scale, viewpoint, deformation, occlusion, illumination,
clutter and intra-class variation, each alone on a centred image, and the distortion of the
training. With --folder in the `results` folder of the home, *Results* on the page draws the curves.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Evaluate trained weights as each variation of the images grows."
    parser = command(commands, "invariance", _evaluate, text, EXAMPLES)
    add_weights(parser)
    parser.add_argument(
        "--images",
        type=types.count,
        default=MAX_IMAGES,
        help="number of held-out images at most (%(default)s)",
    )
    parser.add_argument(
        "--draws",
        type=types.count,
        help="times that each image is distorted at each strength (as make some 2,400 images)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the images and distortions (%(default)s)"
    )
    add_output(parser)


def _evaluate(options: argparse.Namespace) -> int:
    variations = {"images": options.images, "draws": options.draws, "seed": options.seed}
    return evaluate_and_print(options, {"variations": variations}, _print)


def _print(result: dict[str, Any]) -> None:
    print(f"weights   {result['weights']}, {result['architecture']}")
    draws = f"{result['draws']} times at each strength" if result["draws"] > 1 else "once each"
    print(f"images    {result['images']:,} {result['kind']} of {result['dataset']}, {draws}")
    if result["note"]:
        print(f"note      {result['note']}")
    if result["path"]:
        print(f"result    {result['path']}")
    curves = result["curves"]
    width = max(len(curve["distortion"]) for curve in curves)
    strengths = "".join(f"{point['strength']:8.1f}" for point in curves[0]["points"])
    print(f"\n{'accuracy in %':{width}}{strengths}  half lost at")
    for curve in curves:
        accuracies = "".join(f"{100 * point['accuracy']:8.2f}" for point in curve["points"])
        half = "never" if curve["half_lost"] is None else f"{curve['half_lost']:.2f}"
        print(f"{curve['distortion']:{width}}{accuracies}  {half}")
    largest = max(point["standard_error"] for curve in curves for point in curve["points"])
    print(f"Standard errors are at most {100 * largest:.2f}.")
