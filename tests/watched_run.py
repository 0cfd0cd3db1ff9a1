"""A recording of a watched run, made of numbers: no network, no training."""

from pathlib import Path
from typing import Any

import numpy as np

from stnscope.backend.experiment.config import ProbesConfig, WatchConfig
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.recording.writer import RecordingWriter, create

MODEL = "LeNet<b>"
"""A name that must be escaped on a page."""
SIDE, OUTPUT_SIDE = 20, 12


def watched_frame(
    step: int,
    *,
    probes: int = 3,
    classes: int = 0,
    epoch: int | None = None,
    progress: int | None = None,
    transformer: dict[str, Any] | None = None,
) -> Frame:
    """Return a frame of a network with one transformer, whose region shrinks step by step.

    Args:
        step: optimiser steps done.
        probes: number of images.
        classes: number of classes; 0 for a network without class scores.
        epoch: None if the length of an epoch is unknown.
        progress: tenths of the epoch, or None.
        transformer: further entries of its description, such as `theta` and `residual`.
    """
    scale = max(0.4, 1 - step / 50)
    margin = SIDE * (1 - scale) / 2
    edges = np.linspace(margin, SIDE - margin, 7, dtype=np.float32)
    grid = np.stack(np.meshgrid(edges, edges, indexing="xy"), axis=-1)
    corners = grid[[0, 0, -1, -1], [0, -1, -1, 0]]
    shades = np.linspace(0, 255, SIDE).astype(np.uint8)
    ramp = shades[:, None] * np.ones(SIDE, np.uint8)
    images = np.stack([np.roll(ramp, 5 * index, axis=0) for index in range(probes)])
    tensors: dict[str, Array] = {
        "input": images[..., None].astype(np.uint8),
        "output.stn": images[:, :OUTPUT_SIDE, :OUTPUT_SIDE, None].astype(np.uint8),
        "theta.stn": np.array([[scale, 0, 0, 0, scale, 0]] * probes, np.float32),
        "corners.stn": np.tile(corners, (probes, 1, 1)).astype(np.float32),
        "grid.stn": np.tile(grid, (probes, 1, 1, 1)).astype(np.float32),
    }
    if classes:
        tensors["probabilities"] = np.full((probes, classes), 1 / classes, np.float32)
    info = {
        "protocol": 1,
        "run": "watched",
        "step": step,
        "epoch": epoch,
        "progress": progress,
        "loss": 1 / (step + 1),
        "accuracy": None,
        "time": 1e9 + step,
        "moving": False,
        "classes": [f"class {index}" for index in range(classes)],
        "labels": [0 if classes else None] * probes,
        "predicted": [0 if classes else None] * probes,
        "transformers": [{"name": "stn", "family": "affine", "at": "input"} | (transformer or {})],
        "collapsed": {"stn": [None] * probes},
        "stillness": None,
    }
    return Frame(info, tensors)


def write_watched_run(
    path: Path,
    *,
    steps: int = 10,
    scalars: int = 2,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    status: str = "finished",
    **frame: Any,
) -> Path:
    """Write the recording of a watched run with a frame at each step; return its path.

    Args:
        path: of the recording, whose stem is the run's id.
        steps: the last step.
        scalars: number of further scalars, named `scalar 0` and so on; the last one has a value
            at every second step only.
        steps_per_epoch: None if unknown.
        epochs: None if unknown.
        status: of the run in the end.
        frame: arguments of `watched_frame`.
    """
    probes = ProbesConfig(count=frame.get("probes", 3))
    config = WatchConfig(
        model=MODEL, parameters=123_456, transformers=1, epochs=epochs, probes=probes
    )
    create(path, config=config, steps_per_epoch=steps_per_epoch)
    with RecordingWriter.open(path) as writer, writer.transaction():
        for step in range(steps + 1):
            values = {f"scalar {index}": step + index / 10 for index in range(scalars)}
            if step % 2:
                values.pop(f"scalar {scalars - 1}", None)
            writer.add_step(step, 0, {"loss": 1 / (step + 1), "time": 1e9 + step}, values)
            writer.add_frame(watched_frame(step, **frame), attempt=0, kept=step in (0, steps))
        writer.update(status=status, step=steps, loss=1 / (steps + 1))
    return path
