"""Compares what two recordings of one configuration have, at any pace of training."""

from pathlib import Path
from typing import Any

from stnscope.backend.experiment.recording.reader import Recording

TRAINED = ("step", "epoch", "loss", "accuracy", "learning_rate")


def assert_equal(recording: Path, other: Path) -> None:
    """Check that metrics, first and last frame, closing lap and weights are equal, bit for bit."""
    expected, found = content(recording), content(other)
    for part in expected:
        assert found[part] == expected[part], part


def content(recording: Path) -> dict[str, Any]:
    """Return what a recording has, but for times and what depends on the pace of the training."""
    with Recording.open(recording) as opened:
        metrics = opened.metrics()
        steps = opened.frame_steps()
        frames = {step: opened.frame(step) for step in {0, steps[-1]}}
        laps = [opened.frame(*place) for place in opened.lap_frames()]
        checkpoint = opened.checkpoint()
        summary = opened.summary()
    assert checkpoint is not None
    return {
        "metrics": {name: metrics[name] for name in TRAINED},
        "frames": {
            (frame.info["step"], frame.info.get("lap")): {
                name: tensor.tobytes() for name, tensor in frame.tensors.items()
            }
            for frame in (*frames.values(), *laps)
        },
        "checkpoint": {name: tensor.tobytes() for name, tensor in checkpoint.tensors.items()},
        "end": {name: summary[name] for name in ("status", "step", "loss", "accuracy", "error")},
    }
