"""Builds the frame of what a network computed of the probes, however it was observed."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from stnscope.backend.experiment.frames import region_geometry
from stnscope.backend.experiment.frames.frame import PROTOCOL, Array, Frame, Label


def build_frame(
    info: Mapping[str, Any],
    tensors: Mapping[str, Array],
    size: tuple[int, int],
    *,
    classes: Sequence[str],
    labels: Sequence[Label],
    predicted: Sequence[Label],
    transformers: Sequence[Mapping[str, Any]],
    further: Mapping[str, Any] | None = None,
) -> Frame:
    """Build the frame of N probes.

    Args:
        info: its first entries: run, step, epoch, progress, loss, accuracy ...
        tensors: of each transformer at least `grid.NAME`.
        size: height and width of the probes in pixels.
        classes: names of the classes.
        labels: N classes; None for an unknown one.
        predicted: N classes; None for one without finite probabilities.
        transformers: their entries in `info`, each with its `name`.
        further: entries that only some observers have.
    """
    entries = {
        "protocol": PROTOCOL,
        **info,
        "time": time.time(),
        "classes": list(classes),
        "labels": list(labels),
        "predicted": list(predicted),
        **(further or {}),
        "transformers": list(transformers),
        "collapsed": {
            entry["name"]: region_geometry.collapse_reasons(tensors[f"grid.{entry['name']}"], *size)
            for entry in transformers
        },
    }
    return Frame(entries, dict(tensors))
