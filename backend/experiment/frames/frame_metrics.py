"""Compute the metrics of a frame: means of its regions, its stillness and its collapses.

Without torch.
"""

import math
from collections.abc import Mapping

import numpy as np

from stnscope.backend.experiment.frames import region_geometry
from stnscope.backend.experiment.frames.frame import Frame

Metrics = dict[str, float | None]
"""Metrics of a step by name; None where there is no value."""


def frame_metrics(frame: Frame) -> Metrics:
    """Compute the metrics of a frame."""
    summary = {"stillness": frame.info["stillness"], **theta_summary(frame)}
    metrics = {name: finite(value) for name, value in summary.items()}
    return metrics | {"collapsed": collapsed_share(frame)}


def is_mostly_collapsed(collapsed: Mapping[str, list[str | None]]) -> bool:
    """Whether any transformer has collapsed on at least half of the probes."""
    return any(
        2 * sum(reason is not None for reason in reasons) >= len(reasons)
        for reasons in collapsed.values()
    )


@region_geometry.allow_diverged
def theta_summary(frame: Frame) -> dict[str, float]:
    """Compute means of the first transformer's regions over the probes; empty without one.

    Added pictures are left out, so that a chart has no jump where one was added.

    `scale` is the root of the region's area as a share of the image, `rotation` is in radians
    clockwise, `shift_x` and `shift_y` are the centre's offset from the image's, in half image
    sides.
    """
    if not frame.transformers:
        return {}
    lattice = frame.tensors[f"grid.{frame.transformers[0]}"][: frame.initial_probes]
    height, width = frame.tensors["input"].shape[1:3]
    nearest = region_geometry.Parallelograms.fit(lattice)
    turns = np.exp(1j * nearest.rotations())
    shift_x, shift_y = nearest.shifts(height, width).mean(axis=0)
    shares = np.abs(region_geometry.signed_areas(lattice)) / (height * width)
    return {
        "scale": float(np.sqrt(shares).mean()),
        "rotation": float(np.angle(turns.mean())),
        "shift_x": float(shift_x),
        "shift_y": float(shift_y),
    }


def collapsed_share(frame: Frame) -> float:
    """Return the share of the probes for which any transformer has collapsed."""
    by_probe = zip(*frame.info["collapsed"].values(), strict=True)
    return sum(any(reasons) for reasons in by_probe) / len(frame.info["labels"])


def finite(value: float | None) -> float | None:
    """Return a value, or None if it is not finite: JSON cannot encode it."""
    return value if value is not None and math.isfinite(value) else None
