"""Recordings that are exported in tests, and their files."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.records import Checkpoint, CheckpointRef

PER_EPOCH = 20
SIDE = 48
WHOLE = ((0.0, 0.0), (48.0, 0.0), (48.0, 48.0), (0.0, 48.0))
GENERATOR = np.random.default_rng(0)
PHOTO = GENERATOR.integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)

Pixels = NDArray[np.uint8]


class RecordedFrames:
    """A recording of frames alone; what else an export may read is absent."""

    path = Path("none")

    def metrics(self, after: int | None = None) -> dict[str, Any]:
        raise NotImplementedError

    def sampled_metrics(self, points: int, after: int | None = None) -> dict[str, Any]:
        raise NotImplementedError

    def checkpoints(self) -> list[CheckpointRef]:
        raise NotImplementedError

    def checkpoint_at(self, step: int) -> Checkpoint:
        raise NotImplementedError


Record = Callable[..., Recording]
Corners = tuple[tuple[float, float], ...]


def lattice(corners: Corners) -> NDArray[np.float32]:
    """Return the grid between corners, (7, 7, 2)."""
    top_left, top_right, bottom_right, bottom_left = (np.array(each) for each in corners)
    right, down = np.meshgrid(np.linspace(0, 1, 7), np.linspace(0, 1, 7))
    upper = top_left + right[..., None] * (top_right - top_left)
    lower = bottom_left + right[..., None] * (bottom_right - bottom_left)
    return np.asarray(upper + down[..., None] * (lower - upper), np.float32)


def frame(
    step: int,
    *,
    channels: int = 1,
    corners: Corners = WHOLE,
    probes: int = 4,
    transformers: bool = True,
    output: Pixels | None = None,
    lap: int | None = None,
    moving: bool = False,
) -> Frame:
    """Return a frame with constant inputs and an output that becomes lighter with the steps."""
    images = PHOTO[:probes, ..., :channels]
    info: dict[str, Any] = {
        "protocol": 1,
        "step": step,
        "classes": ["no entry", "stop"],
        "predicted": [step % 2] * probes,
        "transformers": [],
    }
    tensors: dict[str, Any] = {
        "input": images,
        "probabilities": np.full((probes, 2), 0.5, np.float32),
    }
    if transformers:
        info["transformers"] = [{"name": "st", "family": "affine", "at": "input"}]
        shade = np.full((probes, 28, 28, channels), min(10 * step, 255), np.uint8)
        tensors["output.st"] = shade if output is None else output
        tensors["corners.st"] = np.array([corners] * probes, np.float32)
        tensors["grid.st"] = lattice(corners)[None].repeat(probes, axis=0)
        tensors["theta.st"] = np.full((probes, 6), step / 10, np.float32)
    if lap is not None:
        info["lap"] = lap
    return Frame(info | {"moving": moving or lap is not None}, tensors)


def exported(
    recording: ReadableRecording, options: ExportOptions, progress: Progress | None = None
) -> bytes:
    """Return the bytes of an exported file."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "file"
        export(recording, options, target, progress)
        return target.read_bytes()
