"""Write arrays for NumPy: one file that loads without pickle."""

from pathlib import Path
from typing import Any

import numpy as np

from stnscope.backend.experiment.export.arrays import FrameArrays, provenance, read_metrics
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording


def write_npz(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write arrays over frames, and the metrics of each step as `metrics.<name>`.

    Arguments and errors as those of `export`.
    """
    frames = FrameArrays(recording, options, progress)
    metrics = {
        f"metrics.{name}": np.array([np.nan if each is None else each for each in column])
        for name, column in read_metrics(recording, options).items()
    }
    steps = f"steps {frames.steps[0]} to {frames.steps[-1]}"
    texts = provenance(recording, options, frames.info, steps)
    arrays: dict[str, Any] = {
        "step": frames.steps,
        "lap": frames.laps,
        "epoch": frames.epochs,
        "probe": np.array(frames.probes),
        "label": frames.labels(),
        **frames.arrays,
        **metrics,
        **{name: np.array(text) for name, text in texts.items()},
    }
    # A file, because NumPy would add a suffix to a name.
    with target.open("wb") as file:
        np.savez_compressed(file, **arrays)
