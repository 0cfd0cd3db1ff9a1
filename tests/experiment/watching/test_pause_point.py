"""A watched loop takes what the page requests of it, and pictures for its network."""

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import stnscope
from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_RATE_FACTORS
from stnscope.backend.experiment.probes.added_pictures import encode_image
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.run_status import Action
from stnscope.backend.experiment.watching import loop_pictures
from stnscope.backend.experiment.watching.loop_pictures import LoopPicture
from stnscope.backend.experiment.watching.loop_requests import (
    LoopRequest,
    request_path,
    send,
    take,
)
from stnscope.backend.experiment.watching.rate_factors import ALL, RateFactors
from stnscope.backend.experiment.watching.watched_run import WatchedRun
from tests.experiment.watching.networks import TransformerNet
from tests.live_server import wait_until


@pytest.fixture
def run(tmp_path: Path) -> Iterator[WatchedRun]:
    torch.manual_seed(0)
    run = stnscope.watch(
        TransformerNet(), torch.rand(2, 1, 12, 12), share=1e-6, home=tmp_path / "home"
    )
    assert isinstance(run, WatchedRun)
    yield run
    run.end()


@contextmanager
def loop(run: WatchedRun, *optimisers: Any) -> Iterator[list[int]]:
    """Train steps in another thread until the end of the context; yields the list of them."""
    steps: list[int] = []
    is_over = threading.Event()

    def train() -> None:
        while not is_over.is_set():
            steps.append(len(steps) + 1)
            run.step(loss=1.0)
            run.pause_point(*optimisers)
            is_over.wait(0.001)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield steps
    finally:
        is_over.set()
        request(run, "resume")
        thread.join()


def request(run: WatchedRun, action: Action | None = None, **settings: Any) -> None:
    send(run.path, LoopRequest(action=action, settings=SettingsChange(**settings)))


def summary(run: WatchedRun) -> dict[str, Any]:
    with Recording.open(run.path) as recording:
        return recording.summary()


def has_status(run: WatchedRun, status: str) -> Callable[[], bool]:
    return lambda: bool(summary(run)["status"] == status)


def has_frame(run: WatchedRun, step: int) -> Callable[[], bool]:
    return lambda: bool(summary(run)["last_step"] == step)


def test_loop_without_a_pause_point_says_so(run: WatchedRun) -> None:
    run.step(loss=1.0)
    assert summary(run)["settings"] is None


def test_loop_is_paused_steps_one_by_one_and_is_resumed(run: WatchedRun) -> None:
    with loop(run) as steps:
        wait_until(lambda: summary(run)["settings"] is not None)
        request(run, "pause")
        wait_until(has_status(run, "paused"))
        paused_at = len(steps)
        for step in (paused_at, paused_at + 1, paused_at + 2):
            wait_until(has_frame(run, step))
            assert len(steps) == summary(run)["step"] == step
            with Recording.open(run.path) as recording:
                # Each step at which one stays has its frame, though the budget allows none.
                assert recording.frame(step).info["step"] == step
            request(run, "step")
        wait_until(lambda: len(steps) == paused_at + 3)
        assert summary(run)["status"] == "paused"
        request(run, "resume")
        wait_until(has_status(run, "running"))
        wait_until(lambda: len(steps) > paused_at + 5)


def test_settings_are_recorded_and_take_effect(run: WatchedRun) -> None:
    weight = nn.Parameter(torch.ones(()))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    with loop(run, optimiser):
        wait_until(lambda: summary(run)["settings"] == {"rate_factors": {ALL: 1}, "slow_motion": 0})
        request(run, slow_motion=0.001)
        request(run, rate_factors={ALL: 0.25})
        expected = {"rate_factors": {ALL: 0.25}, "slow_motion": 0.001}
        wait_until(lambda: summary(run)["settings"] == expected)
    weight.grad = torch.ones(())
    optimiser.step()
    assert weight.item() == 1 - 0.5 * 0.25
    run.end()
    optimiser.step()
    assert weight.item() == 1 - 0.5 * 0.25 - 0.5


def test_factors_are_those_of_the_present_groups(run: WatchedRun) -> None:
    weights = [nn.Parameter(torch.ones(())) for _ in range(2)]
    optimiser = torch.optim.SGD(weights[:1], lr=0.5)
    with loop(run, optimiser):
        wait_until(lambda: summary(run)["settings"] is not None)
        optimiser.add_param_group({"params": weights[1:], "name": "unfrozen"})
        groups = {"group 0": 1.0, "unfrozen": 1.0}
        wait_until(lambda: summary(run)["settings"]["rate_factors"] == groups)
        request(run, rate_factors={ALL: 0.5, "unfrozen": 0.25})
        request(run, slow_motion=0.001)
        wait_until(lambda: summary(run)["settings"]["slow_motion"] == 0.001)
        assert summary(run)["settings"]["rate_factors"] == groups | {"unfrozen": 0.25}


def test_slow_motion_ends_at_once_when_it_is_switched_off(run: WatchedRun) -> None:
    with loop(run) as steps:
        wait_until(lambda: summary(run)["settings"] is not None)
        request(run, slow_motion=10)
        wait_until(lambda: summary(run)["settings"]["slow_motion"] == 10)
        slow_at = len(steps)
        assert len(steps) <= slow_at + 1
        request(run, slow_motion=0.0)
        wait_until(lambda: len(steps) > slow_at + 5)


def test_paused_loop_whose_recording_is_removed_goes_on(run: WatchedRun) -> None:
    with loop(run) as steps:
        request(run, "pause")
        wait_until(has_status(run, "paused"))
        paused_at = len(steps)
        run.path.unlink()
        wait_until(lambda: len(steps) > paused_at + 5)


def test_paused_loop_is_interrupted_like_any_other(
    run: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    request(run, "pause")
    monkeypatch.setattr("stnscope.backend.experiment.watching.pause_points.time.sleep", interrupt)
    run.step(loss=1.0)
    with pytest.raises(KeyboardInterrupt), run:
        run.pause_point()
    monkeypatch.undo()
    assert summary(run)["status"] == "stopped"
    assert not request_path(run.path).exists()


def test_what_is_no_request_is_removed_and_ignored(run: WatchedRun) -> None:
    for text in ("", "{", '{"action": "explode"}', '{"settings": {"slow_motion": NaN}}', "\0\xff"):
        request_path(run.path).write_text(text)
        run.step(loss=1.0)
        run.pause_point()
        assert not request_path(run.path).exists()
    request_path(run.path).mkdir()
    run.pause_point()
    request(run, "pause")


def test_requests_that_the_loop_has_not_taken_are_merged(tmp_path: Path) -> None:
    recording = tmp_path / "a.stnscope"
    for action, settings in (
        ("pause", {"slow_motion": 1, "rate_factors": {"a": 0.5, "b": 2}}),
        (None, {"rate_factors": {"a": 0.0}}),
        ("resume", {"slow_motion": 0}),
    ):
        send(recording, LoopRequest.model_validate({"action": action, "settings": settings}))
    taken = take(recording)
    assert taken is not None
    assert taken.action == "resume"
    assert taken.settings.values == {"slow_motion": 0, "rate_factors": {"a": 0.0, "b": 2}}
    assert take(recording) is None
    assert list(tmp_path.iterdir()) == []


def test_requests_at_once_are_all_taken(tmp_path: Path) -> None:
    recording = tmp_path / "a.stnscope"
    names = [str(index) for index in range(MAX_RATE_FACTORS)]

    def send_one(name: str) -> None:
        send(recording, LoopRequest(settings=SettingsChange(rate_factors={name: 0.5})))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send_one, names))
    taken = take(recording)
    assert taken is not None
    assert taken.settings.values == {"rate_factors": dict.fromkeys(names, 0.5)}
    assert list(tmp_path.iterdir()) == []


def test_distributed_loop_is_not_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    run = stnscope.watch(TransformerNet(), torch.rand(2, 1, 12, 12), home=tmp_path)
    assert isinstance(run, WatchedRun)
    request(run, "pause")
    run.step(loss=1.0)
    run.pause_point()
    run.end()
    assert summary(run)["settings"] is None


def step_sizes(optimiser: torch.optim.Optimizer, weights: list[Tensor]) -> list[float]:
    """Return how far a step with unit gradients moves each weight."""
    before = [weight.detach().clone() for weight in weights]
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    optimiser.step()
    return [
        round((old - weight.detach()).flatten()[0].item(), 6)
        for old, weight in zip(before, weights, strict=True)
    ]


class TwoParts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.localisation = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        self.head = nn.Linear(2, 2)


def test_each_parameter_group_has_a_factor_of_its_own() -> None:
    network = TwoParts()
    first, second = network.localisation
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    groups: list[dict[str, Any]] = [
        {"params": first.parameters(), "lr": 0.25},
        {"params": second.weight},
        {"params": network.head.bias, "name": "the head"},
        {"params": [second.bias, network.head.weight]},
    ]
    optimiser = torch.optim.SGD(groups, lr=0.5)
    rates = RateFactors(network)
    assert rates.add([optimiser])
    assert not rates.add([optimiser])
    assert rates.values == dict.fromkeys(
        ["localisation.0", "localisation.1", "the head", "group 3"], 1
    )
    rates.change({"localisation.0": 0.5, "group 3": 0.0, "unknown": 7.0})
    weights: list[Tensor] = [first.bias, second.weight, network.head.weight]
    assert step_sizes(optimiser, weights) == [0.125, 0.5, 0]
    assert [group["lr"] for group in optimiser.param_groups] == [0.25, 0.5, 0.5, 0.5]


def test_schedule_never_meets_a_multiplied_rate() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    # Its next rate comes from the last: a rate that stayed multiplied would stay so for ever.
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.5)
    rates = RateFactors(nn.Module())
    rates.add([optimiser])
    sizes = []
    for factor in (1.0, 4.0, 1.0):
        rates.change({ALL: factor})
        sizes += step_sizes(optimiser, [weight])
        schedule.step()
    assert sizes == [0.5, 4 * 0.25, 0.125]


def test_rate_is_restored_after_a_step_that_failed() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    rates = RateFactors(nn.Module())
    rates.add([optimiser])
    rates.change({ALL: 0.5})

    def fail() -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        optimiser.step(fail)
    assert step_sizes(optimiser, [weight]) == [0.25]
    assert optimiser.param_groups[0]["lr"] == 0.5


def test_group_that_is_added_later_has_a_factor() -> None:
    weights = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimiser = torch.optim.SGD(weights[:1], lr=0.5)
    rates = RateFactors(nn.Module())
    rates.add([optimiser])
    optimiser.add_param_group({"params": weights[1:], "name": "unfrozen"})
    assert rates.add([optimiser])
    assert not rates.add([optimiser])
    rates.change({"unfrozen": 0.5})
    assert step_sizes(optimiser, [*weights]) == [0.5, 0.25]


def test_optimisers_that_a_loop_drops_are_not_kept() -> None:
    weight = nn.Parameter(torch.zeros(1))
    rates = RateFactors(nn.Module())
    changes = 0
    for _ in range(30):
        optimiser = torch.optim.SGD([weight], lr=0.5)
        changes += rates.add([optimiser])
        assert step_sizes(optimiser, [weight]) == [0.5 * rates.values[ALL]]
        rates.change({ALL: 0.5})
    dropped = weakref.ref(optimiser)
    del optimiser
    assert dropped() is None
    assert changes == 1


def test_optimiser_that_steps_within_another_leaves_its_rate_alone() -> None:
    weights = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    inner, outer = (torch.optim.SGD([weight], lr=0.5) for weight in weights)
    rates = RateFactors(nn.Module())
    rates.add([inner, outer])
    rates.change(dict.fromkeys(rates.values, 0.5))
    weights[1].grad = torch.ones(1)

    def closure() -> float:
        inner.step()
        return 0.0

    outer.step(closure)
    assert weights[1].item() == -0.25
    assert [each.param_groups[0]["lr"] for each in (inner, outer)] == [0.5, 0.5]


def test_optimisers_of_libraries_are_taken_and_others_refused(run: WatchedRun) -> None:
    inner = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)

    class Wrapper:
        optimizer = inner

    rates = RateFactors(nn.Module())
    assert rates.add([Wrapper()])  # type: ignore[list-item]
    assert not rates.add([inner])
    with pytest.raises(TypeError, match=r"torch\.optim"):
        run.pause_point(0.1)


def put(run: WatchedRun, image: str) -> str:
    """Leave a picture for a loop; return its key."""
    key = loop_pictures.new_key()
    assert loop_pictures.send(run.path, LoopPicture(key, image))
    return key


def step_until_result(run: WatchedRun, key: str) -> bytes:
    """Train steps until a picture has a result; raise what is wrong with it."""
    results: list[bytes] = []

    def has_result() -> bool:
        run.step(loss=1.0)
        results.extend(filter(None, [loop_pictures.read_result(run.path, key)]))
        return bool(results)

    wait_until(has_result)
    return results[0]


def test_picture_goes_through_the_network_at_the_next_step(run: WatchedRun) -> None:
    image = np.full((12, 12, 1), 128, np.uint8)
    state = torch.get_rng_state()
    key = put(run, encode_image(image))
    assert loop_pictures.read_result(run.path, key) is None
    run.step(loss=1.0)
    result = loop_pictures.read_result(run.path, key)
    assert result is not None
    frame = Frame.decode(result)
    np.testing.assert_array_equal(frame.tensors["input"], image[None])
    assert (frame.info["step"], frame.info["labels"]) == (1, [None])
    assert frame.tensors["corners.st"].shape == (1, 4, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert loop_pictures.read_result(run.path, key) is None


def test_picture_goes_through_the_network_of_a_paused_loop(run: WatchedRun) -> None:
    with loop(run):
        request(run, "pause")
        wait_until(has_status(run, "paused"))
        key = put(run, encode_image(np.zeros((12, 12, 1), np.uint8)))
        wait_until(lambda: loop_pictures.read_result(run.path, key) is not None)


def test_picture_that_the_network_cannot_take_costs_the_training_nothing(run: WatchedRun) -> None:
    for image, reason in (
        (encode_image(np.zeros((9, 9, 1), np.uint8)), "RuntimeError"),
        ("no picture", "Error"),
    ):
        key = put(run, image)
        with pytest.raises(Conflict, match=reason):
            step_until_result(run, key)
    for damaged in ("{}", '{"key": "../../key", "image": ""}', "[" * 5000):
        run.path.with_suffix(loop_pictures.PICTURE_SUFFIX).write_text(damaged)
        assert loop_pictures.take(run.path) is None
    assert run.is_recorded
    put(run, "at the end")
    run.end()
    assert files_beside(run) == []


def files_beside(run: WatchedRun) -> list[str]:
    """Return the names of what lies beside a recording, besides the files of SQLite."""
    kept = (run.path.name, f"{run.path.name}-", f"{run.id}.lock", f"{run.id}.reserve")
    return [path.name for path in run.path.parent.iterdir() if not path.name.startswith(kept)]


def test_pictures_of_several_servers_do_not_replace_each_other(run: WatchedRun) -> None:
    image = encode_image(np.zeros((12, 12, 1), np.uint8))
    keys = [put(run, image)]
    assert not loop_pictures.send(run.path, LoopPicture("later", image))
    run.step(loss=1.0)
    keys.append(put(run, image))
    # The first result is read after the second was written.
    for key in reversed(keys):
        assert step_until_result(run, key)
    withdrawn = put(run, image)
    loop_pictures.withdraw(run.path, "another")
    assert not loop_pictures.send(run.path, LoopPicture("later", image))
    loop_pictures.withdraw(run.path, withdrawn)
    assert files_beside(run) == []


def test_unread_results_are_removed(run: WatchedRun) -> None:
    results = loop_pictures.PictureResults(run.path)
    for index in range(loop_pictures.MAX_RESULTS + 3):
        results.add(f"key{index}", b"frame")
    assert len(files_beside(run)) == loop_pictures.MAX_RESULTS
    assert loop_pictures.read_result(run.path, "key2") is None
    assert loop_pictures.read_result(run.path, "key3") == b"frame"


def test_many_pictures_take_a_share_of_the_time_of_a_loop(
    run: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1e9]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    image = encode_image(np.zeros((12, 12, 1), np.uint8))
    taken = 0
    for _ in range(100):
        now[0] += 0.01
        taken += loop_pictures.send(run.path, LoopPicture(loop_pictures.new_key(), image))
        run.step(loss=1.0)
    # 100 steps in a second: not one at each.
    assert 15 <= taken <= 25
