"""A session records training, handles requests, and resumes with the same results."""

import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
import torch

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import ProbesConfig, RunConfig
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import LaterVersion
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.experiment.runs import pace
from stnscope.backend.experiment.runs.controls import NoControls
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.experiment.training.loop import train
from tests.experiment.scripted import Script, assert_same_training
from tests.small_disk import small_disk

CONFIG = RunConfig(epochs=1, batch_size=8, probes=ProbesConfig(count=2), seed=3)
STOP = {"action": "stop"}


def new_run(folder: Path, name: str, config: RunConfig = CONFIG) -> Path:
    path = folder / f"{name}{SUFFIX}"
    create(path, config=config, steps_per_epoch=steps_per_epoch(config, DATASETS[config.dataset]))
    return path


def test_stopped_run_has_metrics_frames_and_a_checkpoint(tmp_path: Path) -> None:
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


def test_metrics_have_the_share_of_collapsed_probes_at_each_frame(
    tmp_path: Path,
) -> None:
    path = new_run(tmp_path, "run", CONFIG.model_copy(update={"probes": ProbesConfig(count=3)}))
    record(path, Script(60, STOP))
    with Recording.open(path) as opened:
        columns = opened.metrics()
        frames = {ref.step: opened.frame(ref.step) for ref in opened.frames()}
    shares = dict(zip(columns["step"], columns["collapsed"], strict=True))
    assert {step for step, share in shares.items() if share is not None} == set(frames)
    for step, frame in frames.items():
        (reasons,) = frame.info["collapsed"].values()
        assert shares[step] == sum(reason is not None for reason in reasons) / 3


@pytest.mark.seconds
def test_tenths_are_recorded_even_if_no_frame_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "FRAME_INTERVAL", 3600)
    path = new_run(tmp_path, "run", CONFIG.model_copy(update={"batch_size": 64}))
    record(path, Script(80, STOP))
    with Recording.open(path) as opened:
        per_epoch = opened.summary()["steps_per_epoch"]
        steps = [ref.step for ref in opened.frames()]
    assert per_epoch == 375
    assert steps == [0, 38, 75, 80]


def test_pause_step_and_resume_set_the_status(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    states: list[tuple[str, int]] = []

    class ObservingScript(Script):
        def next_request(self) -> Mapping[str, Any]:
            with Recording.open(path) as opened:
                run = opened.summary()
                states.append((run["status"], run["step"]))
                newest = opened.newest_frame()
            if run["status"] == "paused":
                # While a run is paused, the newest frame is that of its step.
                assert newest is not None
                assert newest.ref.step == run["step"]
            return super().next_request()

    script: list[int | Mapping[str, Any]] = [
        4,
        {"action": "pause"},
        {"action": "step"},
        {"action": "step"},
        {"action": "resume"},
    ]
    assert record(path, ObservingScript(*script, 2, STOP)) == "stopped"
    assert states == [
        ("running", 4), ("paused", 4), ("paused", 5), ("paused", 6), ("running", 8),
    ]  # fmt: skip


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, resumed = new_run(tmp_path, "whole"), new_run(tmp_path, "resumed")
    record(whole, Script(30, STOP))
    assert record(resumed, Script(11, {"action": "detach"})) == "interrupted"
    with Recording.open(resumed) as opened:
        assert opened.summary()["status"] == "interrupted"
    record(resumed, Script(19, STOP))
    with Recording.open(whole) as one, Recording.open(resumed) as other:
        assert (one.summary()["attempt"], other.summary()["attempt"]) == (0, 1)
        assert one.metrics()["loss"] == other.metrics()["loss"]
        left, right = one.checkpoint(), other.checkpoint()
    assert left is not None
    assert right is not None
    assert left.step == right.step == 30
    assert left.tensors.keys() == right.tensors.keys()
    for name, tensor in left.tensors.items():
        np.testing.assert_array_equal(tensor, right.tensors[name], err_msg=name)


def test_changed_settings_are_in_effect_from_the_next_step_on(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    change = {"settings": {"learning_rate": 5e-3, "localisation_learning_rate": 0.0}}
    assert record(path, Script(20, change, 10, STOP)) == "stopped"
    plain = new_run(tmp_path, "plain")
    record(plain, Script(30, STOP))
    with Recording.open(path) as one, Recording.open(plain) as other:
        run, changes = one.summary(), one.changes()
        left, right = one.metrics(), other.metrics()
    assert [(entry.step, entry.settings.values) for entry in changes] == [(20, change["settings"])]
    assert run["settings"]["learning_rate"] == 5e-3
    assert run["config"]["learning_rate"] == CONFIG.learning_rate
    assert left["loss"][:22] == right["loss"][:22], "the loss is computed before the step"
    assert left["loss"][22:] != right["loss"][22:]
    rates = np.array(left["learning_rate"][1:]) / np.array(right["learning_rate"][1:])
    assert list(rates) == pytest.approx([1.0] * 20 + [5e-3 / CONFIG.learning_rate] * 10)


@pytest.mark.seconds
def test_resumed_run_repeats_the_changes_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends at step 25, its last checkpoint is at 10: steps 11 to 25 are repeated."""
    monkeypatch.setattr(pace, "FRAME_INTERVAL", 0.0)
    changes: list[int | Mapping[str, Any]] = [
        {"settings": {"learning_rate": 4e-3}},
        8,
        {"settings": {"localisation_learning_rate": 5e-3, "moving": True}},
        7,
    ]
    whole, resumed = new_run(tmp_path, "whole"), new_run(tmp_path, "resumed")
    record(whole, Script(10, *changes, 10, STOP))
    with pytest.raises(KeyboardInterrupt):
        record(resumed, KillingScript(10, {"action": "pause"}, {"action": "resume"}, *changes))
    with Recording.open(resumed) as opened:
        checkpoint = opened.checkpoint()
        assert checkpoint is not None
        assert (checkpoint.step, opened.summary()["step"]) == (10, 25)
    record(resumed, Script(25, STOP))
    with Recording.open(whole) as one, Recording.open(resumed) as other:
        assert [c.settings for c in one.changes()] == [c.settings for c in other.changes()]
        assert other.summary()["attempt"] == 1
        for name in ("loss", "accuracy", "learning_rate"):
            assert one.metrics()[name] == other.metrics()[name], name
        assert one.metrics()["step"] == list(range(36))
        left, right = one.checkpoint(), other.checkpoint()
        steps = [ref.step for ref in other.frames() if ref.moving]
    assert steps
    assert min(steps) == 19
    assert left is not None
    assert right is not None
    for name, tensor in left.tensors.items():
        np.testing.assert_array_equal(tensor, right.tensors[name], err_msg=name)


class KillingScript(Script):
    """A script that ends as a killed process does: nothing more is written."""

    def has_request(self, seconds: float = 0.0) -> bool:
        if len(self._script) == 1 and self._script[0] == 0:
            raise KeyboardInterrupt
        return super().has_request()


def test_slow_motion_waits_after_each_step(tmp_path: Path) -> None:
    waits: list[float] = []

    class WaitingScript(Script):
        def has_request(self, seconds: float = 0.0) -> bool:
            waits.append(seconds)
            return super().has_request()

    path = new_run(tmp_path, "run")
    slow, fast = ({"settings": {"slow_motion": value}} for value in (True, False))
    record(path, WaitingScript(3, slow, 4, fast, 3, STOP))
    # A step with a request checks once more for further ones.
    assert [wait > 0 for wait in waits] == [False] * 4 + [True] * 5 + [False] * 4
    assert max(waits) <= 0.5


def test_moving_probes_have_a_stillness_after_enough_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "FRAME_INTERVAL", 0.0)
    config = CONFIG.model_copy(update={"probes": ProbesConfig(count=2, moving=True)})
    path = new_run(tmp_path, "run", config)
    record(path, Script(40, STOP))
    with Recording.open(path) as opened:
        stillness = opened.metrics()["stillness"]
        frames = [opened.frame(step) for step in (28, 29, 40)]
        run = opened.summary()
    assert stillness[:29] == [None] * 29
    assert all(value is not None for value in stillness[29:])
    # The network has learned little yet: its output nearly equals its input.
    assert 0.5 < stillness[29] < 1.5
    assert [frame.info["stillness"] for frame in frames] == [None, stillness[29], stillness[40]]
    assert run["stillness"] == stillness[40]
    assert len({frame.tensors["input"].tobytes() for frame in frames}) == 3


def test_finished_run_has_a_lap_with_constant_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "digits", replace(DATASETS["digits"], repeats=1))
    path = new_run(tmp_path, "run", CONFIG.model_copy(update={"batch_size": 100}))
    assert record(path, NoControls()) == "finished"
    with Recording.open(path) as opened:
        run, refs = opened.summary(), opened.frames()
        laps = [ref for ref in refs if ref.lap is not None]
        frames = [opened.frame(run["last_step"], lap=number) for number in range(60)]
        last = opened.frame(run["last_step"])
    assert [ref.lap for ref in laps] == list(range(60))
    assert {ref.step for ref in laps} == {run["last_step"]} == {run["steps"]}
    assert (last.info.get("lap"), last.info["moving"]) == (None, False)
    np.testing.assert_array_equal(frames[0].tensors["input"], last.tensors["input"])
    np.testing.assert_array_equal(frames[0].tensors["theta.st"], last.tensors["theta.st"])
    assert len({frame.tensors["input"].tobytes() for frame in frames}) == 60
    assert all(frame.info["stillness"] is not None for frame in frames)
    assert run["stillness"] == frames[-1].info["stillness"]


@pytest.mark.parametrize("step", [0.004, 0.026, 0.03, 0.049])
def test_frames_are_due_twenty_times_a_second_for_any_duration_of_a_step(step: float) -> None:
    cadence = pace.Cadence(0.05)
    due = [cadence.is_due(number * step) for number in range(int(10 / step))]
    assert due[0]
    assert 195 <= sum(due) <= 201


def test_cadence_compensates_a_short_delay_but_not_a_long_one() -> None:
    cadence = pace.Cadence(0.05, max_delay=0.1)
    assert [cadence.is_due(now) for now in (0.0, 0.01, 5.0, 5.01, 5.02, 5.03, 5.06, 5.11)] == [
        True, False, True, True, True, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("json_set(config, '$.architecture', 'later')", "There is no architecture 'later'"),
        ("json_set(config, '$.distortion.name', 'later')", "There is no distortion 'later'"),
        ("json_set(config, '$.optimiser', 'later')", "There is no optimiser 'later'"),
    ],
)
def test_run_fails_with_a_reason_if_a_part_of_it_is_unknown(
    tmp_path: Path, change: str, reason: str
) -> None:
    path = new_run(tmp_path, "run")
    with RecordingWriter.open(path) as writer:
        writer.connection.execute(f"UPDATE run SET config = {change}")
    assert record(path, NoControls()) == "failed"
    with Recording.open(path) as opened:
        assert opened.summary()["error"].startswith(reason)


def test_run_of_a_later_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    with RecordingWriter.open(path) as writer:
        writer.connection.execute("UPDATE run SET config = json_set(config, '$.later', 1)")
    with pytest.raises(LaterVersion):
        record(path, NoControls())
    with RecordingWriter.open(path) as writer:
        assert writer.connection.execute("SELECT status FROM run").fetchone() == ("queued",)


def test_run_fails_with_a_reason_if_the_loss_is_not_finite(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"learning_rate": 1.0, "localisation_learning_rate": 1.0})
    path = new_run(tmp_path, "run", config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "FRAME_INTERVAL", 0.0)
        # No valid configuration diverges with certainty, so a loss of NaN is injected.
        patch.setattr(
            "stnscope.backend.experiment.training.loop.optimise", lambda *_: torch.tensor(math.nan)
        )
        assert record(path, NoControls()) == "failed"
    with Recording.open(path) as opened:
        run = opened.summary()
    assert run["status"] == "failed"
    assert "learning rate" in run["error"]
    assert run["loss"] is None


def test_run_fails_with_what_to_do_if_its_device_has_too_little_memory(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    with pytest.MonkeyPatch.context() as patch:
        # A step that needs a petabyte; no valid configuration does.
        patch.setattr(
            "stnscope.backend.experiment.training.loop.optimise", lambda *_: torch.empty(2**48)
        )
        assert record(path, NoControls()) == "failed"
    with Recording.open(path) as opened:
        error = opened.summary()["error"]
    assert error == (
        "This machine has too little memory for this. Start a run with a smaller batch size, or on "
        "another device."
    )


Request = int | Mapping[str, Any] | Callable[[], Mapping[str, Any]]
RESUME = {"action": "resume"}


class CallingScript(Script):
    """A script whose requests may be functions, which return the request."""

    def __init__(self, *script: Request) -> None:
        self._script: list[Any] = list(script)

    def next_request(self) -> Mapping[str, Any]:
        while isinstance(request := self._script.pop(0), int):
            continue  # steps that the run did not reach, because a full disk paused it
        result: Mapping[str, Any] = request() if callable(request) else request
        return result


def test_home_at_its_limit_pauses_the_run_until_there_is_space(tmp_path: Path) -> None:
    whole = new_run(tmp_path, "whole")
    record(whole, Script(9, STOP))
    (tmp_path / "home").mkdir()
    path = new_run(tmp_path / "home", "run")
    other = path.with_name("other.stnscope")
    other.write_bytes(bytes(20_000_000))
    recorded: list[tuple[str, int, str]] = []

    def append_state() -> None:
        with Recording.open(path) as opened:
            run = opened.summary()
        recorded.append((run["status"], run["step"], run["error"]))

    def resume_without_space() -> Mapping[str, Any]:
        append_state()
        return RESUME

    def delete_and_resume() -> Mapping[str, Any]:
        append_state()
        other.unlink()
        return RESUME

    script = CallingScript(resume_without_space, 1, delete_and_resume, 8, STOP)
    assert record(path, script, Quota(home=20_000_000, reserve=0)) == "stopped"
    assert [(status, step) for status, step, _ in recorded] == [("paused", 0), ("paused", 1)]
    assert all("20 MB" in error and "Delete runs" in error for _, _, error in recorded)
    with Recording.open(path) as opened:
        assert opened.summary()["error"] is None
    assert_same_training(whole, path)


def test_step_while_paused_at_the_limit_preserves_the_reason(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    record(path, CallingScript({"action": "step"}, {"action": "detach"}), Quota(home=1, reserve=0))
    with Recording.open(path) as opened:
        run = opened.summary()
        assert opened.metrics()["step"] == [0, 1]
    assert (run["status"], run["step"]) == ("interrupted", 1)
    assert "limit" in run["error"]


def test_run_pauses_if_its_recording_cannot_be_thinned_further(tmp_path: Path) -> None:
    path = new_run(tmp_path, "run")
    assert record(path, CallingScript({"action": "detach"}), Quota(run=1)) == "interrupted"
    with Recording.open(path) as opened:
        run = opened.summary()
        assert opened.metrics()["step"] == list(range(run["step"] + 1))
    assert "--run-limit" in run["error"]


class Disk(Protocol):
    """A disk that can be full."""

    def fill(self) -> None: ...

    def clear(self) -> None: ...


class PageLimit:
    """A substitute for a full disk if none can be mounted: a limit on SQLite's pages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._writers: list[RecordingWriter] = []
        init = RecordingWriter.__init__

        def collect(writer: RecordingWriter, *arguments: Any) -> None:
            init(writer, *arguments)
            self._writers.append(writer)

        monkeypatch.setattr(RecordingWriter, "__init__", collect)

    def fill(self) -> None:
        self._writers[-1].connection.execute("PRAGMA max_page_count = 1")

    def clear(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # closed; the next writer has no limit
            self._writers[-1].connection.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture(params=["disk", "page limit"])
def disk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Disk, Path]]:
    """Yield a disk that can be filled, and a folder on it.

    If no disk can be mounted, both parameters use the page limit, so that the tests always run.
    """
    with small_disk(tmp_path / "disk", "8m") as mounted:
        if mounted is not None and request.param == "disk":
            yield mounted, mounted.path
        else:
            yield PageLimit(monkeypatch), tmp_path


class FillingControls:
    """Fill the disk at step 5, make a request once the run is paused, and stop at step 20."""

    def __init__(self, path: Path, disk: Disk, request_after_pause: Mapping[str, Any]) -> None:
        self._path, self._disk = path, disk
        self._request_after_pause = request_after_pause
        self._is_filled = False
        self._requests: list[Mapping[str, Any]] = []
        self.pauses: list[dict[str, Any]] = []

    def has_request(self, seconds: float = 0.0) -> bool:
        with Recording.open(self._path) as opened:
            run = opened.summary()
        if run["step"] == 5 and not self._is_filled:
            self._disk.fill()
            self._is_filled = True
        if run["status"] == "paused" and not self.pauses:
            self.pauses.append(run)
            if self._request_after_pause == RESUME:
                self._disk.clear()
            self._requests.append(self._request_after_pause)
        if run["step"] == 20:
            self._requests.append(STOP)
        return bool(self._requests)

    def next_request(self) -> Mapping[str, Any]:
        return self._requests.pop(0)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return the same run, recorded on a disk that is never full."""
    path = new_run(tmp_path, "whole")
    record(path, Script(20, STOP))
    return path


@pytest.fixture(autouse=True)
def frame_each_step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "disk" in request.fixturenames:
        monkeypatch.setattr(pace, "FRAME_INTERVAL", 0.0)


NO_RESERVE = Quota(reserve=0)


def test_full_disk_pauses_the_run_without_losing_rows(disk: tuple[Disk, Path], whole: Path) -> None:
    path = new_run(disk[1], "run")
    controls = FillingControls(path, disk[0], request_after_pause=RESUME)
    assert record(path, controls, NO_RESERVE) == "stopped"
    (paused,) = controls.pauses
    assert paused["step"] >= 5
    assert "disk is full" in paused["error"]
    assert "resume" in paused["error"]
    with Recording.open(path) as opened:
        run = opened.summary()
    assert (run["status"], run["error"], run["attempt"]) == ("stopped", None, 0)
    assert not path.with_suffix(".reserve").exists()
    assert_same_training(whole, path)


@pytest.mark.parametrize("action", ["detach", "stop"])
def test_run_that_ended_on_a_full_disk_can_be_resumed(
    disk: tuple[Disk, Path], whole: Path, action: str
) -> None:
    path = new_run(disk[1], "run")
    controls = FillingControls(path, disk[0], request_after_pause={"action": action})
    assert record(path, controls, NO_RESERVE) == "interrupted"
    disk[0].clear()
    with Recording.open(path) as opened:
        run = opened.summary()
        assert opened.metrics()["step"] == list(range(run["step"] + 1))
    assert run["status"] == {"detach": "interrupted", "stop": "stopped"}[action]
    # There is no checkpoint yet, so it restarts at step 0.
    assert record(path, Script(20, STOP), NO_RESERVE) == "stopped"
    assert_same_training(whole, path)


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of steps in each transaction, while only time and the end cause one."""
    monkeypatch.setattr(pace, "WRITE_INTERVAL", 1e6)
    monkeypatch.setattr(pace, "FRAME_INTERVAL", 1e6)
    sizes: list[int] = []
    transaction, add_step = RecordingWriter.transaction, RecordingWriter.add_step

    def counted(self: RecordingWriter) -> Any:
        sizes.append(0)
        return transaction(self)

    def counting(self: RecordingWriter, *args: Any) -> None:
        sizes[-1] += 1
        add_step(self, *args)

    monkeypatch.setattr(RecordingWriter, "transaction", counted)
    monkeypatch.setattr(RecordingWriter, "add_step", counting)
    return sizes


def test_steps_without_a_frame_share_a_transaction(tmp_path: Path, transactions: list[int]) -> None:
    path = new_run(tmp_path, "run")
    assert record(path, Script(9, STOP)) == "stopped"
    with Recording.open(path) as recording:
        assert recording.metrics()["step"] == list(range(10))
    assert max(transactions) >= 2


def test_error_loses_no_step(
    tmp_path: Path, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: Any) -> Any:
        for step in train(*args):
            yield step
            if step.step == 8:
                raise FloatingPointError("as if the loss were not finite")

    monkeypatch.setattr("stnscope.backend.experiment.runs.session.train", failing)
    path = new_run(tmp_path, "run")
    assert record(path, Script(99, STOP)) == "failed"
    with Recording.open(path) as recording:
        assert recording.metrics()["step"] == list(range(9))
        assert recording.summary()["step"] == 8
