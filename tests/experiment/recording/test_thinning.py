"""Thinning drops ordinary frames evenly, and neither metrics nor kept frames."""

from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.thinning import DROPS_PER_STEP, Thinning
from stnscope.backend.experiment.recording.writer import RecordingWriter, create

LIMIT = 2_000_000
KEPT_EVERY = 50


@pytest.fixture
def writer(tmp_path: Path) -> RecordingWriter:
    path = tmp_path / f"run{SUFFIX}"
    create(path, config=RunConfig(), steps_per_epoch=500)
    return RecordingWriter.open(path)


def frame(step: int) -> Frame:
    return Frame(
        {"protocol": 1, "step": step},
        {
            "input": np.zeros((1, 4, 4, 1), np.uint8),
            "output.st": np.full((1, 100, 100, 1), step % 256, np.uint8),
        },
    )


def train(
    writer: RecordingWriter, thinning: Thinning, steps: range, kept_every: int = KEPT_EVERY
) -> bool:
    """Record a frame per step until there is no space; return whether there always was."""
    for step in steps:
        with writer.transaction():
            writer.add_step(step, 0, {"loss": 1.0})
            writer.add_frame(frame(step), attempt=0, kept=step % kept_every == 0)
        if not thinning.advance():
            return False
    return True


def test_recording_stays_at_its_limit_after_many_passes(writer: RecordingWriter) -> None:
    with writer:
        thinning = Thinning(writer, LIMIT)
        largest = 0
        for first in range(0, 3000, 10):
            assert train(writer, thinning, range(first, first + 10))
            largest = max(largest, writer.live_bytes())
        assert 0.9 * LIMIT < largest < 1.1 * LIMIT
        assert writer.metrics()["step"] == list(range(3000))
        steps = [ref.step for ref in writer.frames()]
        assert set(range(0, 3000, KEPT_EVERY)) <= set(steps)
        assert steps[-1] == 2999
        run = writer.summary()
        assert run["thinned"] >= 3
        assert run["frames"] == len(steps) < 250


def finish_pass(thinning: Thinning) -> None:
    for _ in range(1000):
        assert thinning.advance()
        if not thinning.is_active:
            return
    raise AssertionError("the pass does not end")


def test_first_pass_drops_every_second_ordinary_frame_a_few_per_step(
    writer: RecordingWriter,
) -> None:
    with writer:
        train(writer, Thinning(writer, 10 * LIMIT), range(400))
        assert writer.summary()["thinned"] == 0
        thinning = Thinning(writer, writer.live_bytes())
        assert thinning.advance()
        assert writer.summary()["frames"] == 400 - DROPS_PER_STEP
        finish_pass(thinning)
        kept = range(0, 400, KEPT_EVERY)
        steps = [ref.step for ref in writer.frames()]
        assert steps == sorted({*range(1, 400, 2), *kept})
        assert writer.summary()["thinned"] == 1


def test_early_and_middle_parts_become_equally_dense(writer: RecordingWriter) -> None:
    with writer:
        thinning = Thinning(writer, LIMIT)
        train(writer, thinning, range(1500))
        finish_pass(thinning)
        steps = [ref.step for ref in writer.frames() if ref.step % KEPT_EVERY]
        early = sum(0 <= step < 300 for step in steps)
        later = sum(300 <= step < 600 for step in steps)
        assert early
        assert abs(early - later) <= 1


def test_next_writer_continues_an_interrupted_pass(writer: RecordingWriter) -> None:
    path = writer.path
    with writer:
        thinning = Thinning(writer, LIMIT)
        step = next(
            step
            for step in range(1000)
            if train(writer, thinning, range(step, step + 1)) and thinning.is_active
        )
    with RecordingWriter.open(path) as next_writer:
        assert next_writer.summary()["thinned"] == 1
        thinning = Thinning(next_writer, LIMIT)
        assert train(next_writer, thinning, range(step + 1, 2 * step))
        assert next_writer.live_bytes() < 1.1 * LIMIT


def test_advance_returns_false_if_no_frame_can_be_dropped(writer: RecordingWriter) -> None:
    with writer:
        thinning = Thinning(writer, LIMIT)
        assert not train(writer, thinning, range(3000), kept_every=1)
        frames = writer.summary()["frames"]
        assert writer.metrics()["step"] == list(range(frames))
