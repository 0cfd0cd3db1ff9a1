"""`stnscope transform`: show what a trained network samples of a picture."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from stnscope.backend.commands.options import (
    Commands,
    add_device,
    command,
    existing_runs,
    find_run,
    percent,
)
from stnscope.backend.experiment.export.still import draw_png
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.weights.trained_weights import (
    RUN_PREFIX,
    TrainedWeights,
    find_for_picture,
)
from stnscope.backend.experiment.weights.weights_folder import WeightsFolder
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.inference_worker import InferenceWorker, command_on
from stnscope.backend.server.requests.watched_loops import WatchedLoops
from stnscope.backend.server.runs import WEIGHTS, Run, Runs
from stnscope.backend.server.settings import Settings

EXAMPLES = """\
  stnscope transform photo.jpg            prints the classes, writes photo-transformed.png
  stnscope transform sign.png out.png --weights signs --scale 3
  stnscope transform photo.jpg --weights run:RUN      by the newest checkpoint of a run,
                                          or by the network of a watched loop
"""
SHOWN_CLASSES = 3


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Transform a picture by a trained network: its region, output and classes."
    parser = command(commands, "transform", _transform, text, EXAMPLES)
    parser.add_argument("picture", type=Path, help="a PNG, JPEG, WebP, GIF or BMP file")
    parser.add_argument("file", type=Path, nargs="?", help="the PNG file to write")
    parser.add_argument(
        "--weights",
        default="digits",
        help="name of trained weights, as `stnscope weights list` has them, or run:ID for the "
        "newest checkpoint of a run, or the network of a watched loop (%(default)s)",
    )
    parser.add_argument(
        "--scale", type=float, default=2.0, help="at 1, an image has 96 pixels (%(default)g)"
    )
    add_device(parser)
    parser.add_argument("--json", action="store_true", help="print all numbers, as JSON")


def _transform(options: argparse.Namespace) -> int:
    def find_recording(text: str) -> Path:
        runs = existing_runs(options)
        return runs.path(find_run(runs, text))

    weights = _find_loop(options) or find_for_picture(
        options.weights, WeightsFolder(options.home / WEIGHTS), find_recording
    )
    picture, device = options.picture.read_bytes(), options.device
    asyncio.run(Devices().find(device))
    frame = asyncio.run(_request(picture, weights, device))
    target = options.file or options.picture.with_name(f"{options.picture.stem}-transformed.png")
    target.write_bytes(draw_png(frame, options.scale))
    probabilities = {}
    if "probabilities" in frame.tensors:  # not of every network of a watched loop
        probabilities = dict(
            zip(frame.info["classes"], frame.tensors["probabilities"][0].tolist(), strict=True)
        )
    thetas = {name: frame.tensors[f"theta.{name}"][0].tolist() for name in frame.transformers}
    if options.json:
        print(json.dumps({"file": str(target), "probabilities": probabilities, "theta": thetas}))
        return 0
    for note in frame.info["notes"]:
        print(note)
    for name, theta in thetas.items():
        print(f"theta of {name}: {', '.join(f'{value:.3f}' for value in theta)}")
    best = sorted(probabilities, key=lambda name: -probabilities[name])[:SHOWN_CLASSES]
    if best:
        print(", ".join(f"{name} {percent(probabilities[name])}" for name in best))
    print(target)
    return 0


class _Loop(NamedTuple):
    """A watched run, whose network is in a process of its own."""

    runs: Runs
    run: Run


def _find_loop(options: argparse.Namespace) -> _Loop | None:
    """Return the watched run that `run:ID` names; None if it names anything else."""
    text = options.weights.removeprefix(RUN_PREFIX)
    if text == options.weights or ":" in text:
        return None
    runs = existing_runs(options)
    run = runs.find_loop(f"{RUN_PREFIX}{find_run(runs, text)}")
    return None if run is None else _Loop(runs, run)


async def _request(picture: bytes, weights: TrainedWeights | _Loop, device: str) -> Frame:
    """Transform a picture in a process of its own, as the server does."""
    worker = InferenceWorker(command_on(device))
    await worker.start()
    try:
        if isinstance(weights, _Loop):
            loops = WatchedLoops(weights.runs, Settings.control_timeout)
            return await loops.transform_picture(weights.run, picture, worker)
        return Frame.decode(await worker.transform(picture, weights))
    finally:
        await worker.close()
