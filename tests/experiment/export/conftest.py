"""A recording that tests of exports write."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.records import Checkpoint
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from tests.exports import PER_EPOCH


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[..., Recording]]:
    """Write frames to a recording, and open it."""
    path = tmp_path / f"run{SUFFIX}"
    create(path, config=RunConfig(seed=7), steps_per_epoch=PER_EPOCH)
    recordings = []

    def write(*frames: Frame, checkpoint: Checkpoint | None = None) -> Recording:
        with RecordingWriter.open(path) as writer, writer.transaction():
            for new_frame in frames:
                writer.add_frame(new_frame, attempt=0, kept=True)
            if checkpoint is not None:
                writer.add_checkpoint(checkpoint)
        recordings.append(Recording.open(path))
        return recordings[-1]

    yield write
    for recording in recordings:
        recording.close()
