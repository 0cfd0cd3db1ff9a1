"""A session trains into its recording, obeys, and goes on exactly where it was interrupted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.experiment import recording, session
from backend.experiment.catalog import steps_per_epoch
from backend.experiment.config import ProbesConfig, RunConfig
from backend.experiment.recording import Recording
from backend.experiment.session import Uncontrolled, record

CONFIG = RunConfig(epochs=1, batch_size=8, probes=ProbesConfig(count=2), seed=3)
STOP = {"action": "stop"}


class Script:
    """Controls that ask for things after so many steps: numbers are steps to let pass."""

    def __init__(self, *script: int | Mapping[str, Any]) -> None:
        self._script = list(script)

    def waiting(self) -> bool:
        while isinstance(left := self._script[0], int):
            if left:
                self._script[0] = left - 1
                return False
            del self._script[0]
        return True

    def take(self) -> Mapping[str, Any]:
        request = self._script.pop(0)
        assert not isinstance(request, int)
        return request


def new_run(folder: Path, name: str, config: RunConfig = CONFIG) -> Path:
    path = folder / f"{name}{recording.SUFFIX}"
    recording.create(path, config=config, steps_per_epoch=steps_per_epoch(config))
    return path


def test_stopped_run_keeps_metrics_frames_and_a_checkpoint(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    assert record(path, Script(12, STOP)) == "stopped"
    with Recording.open(path) as opened:
        run, columns = opened.summary(), opened.metrics()
        checkpoint = opened.checkpoint()
        first, last = opened.frame(0), opened.frame(12)
    assert (run["status"], run["step"], run["first_step"], run["last_step"]) == (
        "stopped", 12, 0, 12,
    )  # fmt: skip
    assert columns["step"] == list(range(13))
    assert columns["loss"][0] is None
    assert all(isinstance(loss, float) for loss in columns["loss"][1:])
    assert checkpoint is not None
    assert checkpoint.step == 12
    assert (first.info["step"], last.info["step"]) == (0, 12)
    assert first.info["loss"] is None
    np.testing.assert_array_equal(first.tensors["input"], last.tensors["input"])


def test_tenths_are_recorded_even_when_no_other_frame_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FRAME_INTERVAL", 3600)
    path = new_run(tmp_path, "run", CONFIG.model_copy(update={"batch_size": 64}))
    record(path, Script(80, STOP))
    with Recording.open(path) as opened:
        each = opened.summary()["steps_per_epoch"]
        steps = [ref.step for ref in opened.frames()]
    assert each == 375
    assert steps == [0, 38, 75, 80]


def test_pause_step_resume(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    seen: list[tuple[str, int]] = []

    class Watching(Script):
        def take(self) -> Mapping[str, Any]:
            with Recording.open(path) as opened:
                run = opened.summary()
                seen.append((run["status"], run["step"]))
                newest = opened.newest()
            if run["status"] == "paused":
                # What rests is shown exactly: the frame of this very step is there.
                assert newest is not None
                assert newest.ref.step == run["step"]
            return super().take()

    script: list[int | Mapping[str, Any]] = [
        4,
        {"action": "pause"},
        {"action": "step"},
        {"action": "step"},
        {"action": "resume"},
    ]
    assert record(path, Watching(*script, 2, STOP)) == "stopped"
    assert seen == [
        ("running", 4), ("paused", 4), ("paused", 5), ("paused", 6), ("running", 8),
    ]  # fmt: skip


def test_run_gone_on_with_equals_one_that_was_never_interrupted(tmp_path: Path) -> None:
    whole, parted = new_run(tmp_path, "whole"), new_run(tmp_path, "parted")
    record(whole, Script(30, STOP))
    assert record(parted, Script(11, {"action": "leave"})) == "interrupted"
    with Recording.open(parted) as opened:
        assert opened.summary()["status"] == "interrupted"
    record(parted, Script(19, STOP))
    with Recording.open(whole) as one, Recording.open(parted) as other:
        assert (one.summary()["attempt"], other.summary()["attempt"]) == (0, 1)
        assert one.metrics()["loss"] == other.metrics()["loss"]
        left, right = one.checkpoint(), other.checkpoint()
    assert left is not None
    assert right is not None
    assert left.step == right.step == 30
    assert left.tensors.keys() == right.tensors.keys()
    for name, tensor in left.tensors.items():
        np.testing.assert_array_equal(tensor, right.tensors[name], err_msg=name)


@pytest.mark.parametrize("step", [0.004, 0.026, 0.03, 0.049])
def test_frames_are_due_twenty_times_a_second_whatever_the_steps_take(step: float) -> None:
    cadence = session.Cadence(0.05)
    due = [cadence.due(number * step) for number in range(int(10 / step))]
    assert due[0]
    assert 195 <= sum(due) <= 201


def test_frames_that_were_missed_are_not_made_up_for() -> None:
    cadence = session.Cadence(0.05)
    assert [cadence.due(now) for now in (0.0, 0.01, 5.0, 5.01, 5.02, 5.06, 5.07)] == [
        True, False, True, False, False, True, False,
    ]  # fmt: skip


def test_loss_that_is_no_number_fails_the_run_and_says_why(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"learning_rate": 1.0, "localisation_learning_rate": 1.0})
    path = new_run(tmp_path, "run", config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "FRAME_INTERVAL", 0.0)
        # Nothing the configuration allows diverges for certain; a step that does is put in.
        patch.setattr("backend.experiment.training._take", lambda *_: float("nan"))
        assert record(path, Uncontrolled()) == "failed"
    with Recording.open(path) as opened:
        run = opened.summary()
    assert run["status"] == "failed"
    assert "learning rate" in run["error"]
    assert run["loss"] is None
