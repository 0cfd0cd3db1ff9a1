"""The training speed of this machine, measured from its runs."""

from pathlib import Path
from typing import Any

import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.recording.schema import METRICS
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.throughput import DEFAULT_IMAGES_PER_SECOND, images_per_second


@pytest.mark.parametrize(
    ("machine", "speed"),
    [
        ({}, 640.0),
        ({"threads": 2}, DEFAULT_IMAGES_PER_SECOND),
        ({"device": "cuda:0"}, DEFAULT_IMAGES_PER_SECOND),
        ({"precision": "bfloat16"}, DEFAULT_IMAGES_PER_SECOND),
        ({"channels_last": True}, DEFAULT_IMAGES_PER_SECOND),
    ],
    ids=str,
)
def test_speed_is_that_of_runs_on_one_core(
    tmp_path: Path, machine: dict[str, Any], speed: float
) -> None:
    path = tmp_path / "run.stnscope"
    create(path, config=RunConfig(**machine), steps_per_epoch=24)
    metrics = dict.fromkeys(METRICS) | {"time": 0.0, "epoch": 1, "steps_per_second": 10.0}
    with RecordingWriter.open(path) as writer, writer.transaction():
        for step in range(1, 31):
            writer.add_step(step, 0, metrics)
        writer.update(status="stopped", step=30)
    assert images_per_second(Runs(tmp_path)) == speed
