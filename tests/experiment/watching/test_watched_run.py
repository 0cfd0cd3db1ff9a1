"""Training loops of other people, recorded by `stnscope.watch`."""

import copy
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import stnscope
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.recording.importer import import_recording
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.watching.watched_run import UnwatchedRun, WatchedRun
from tests.experiment.watching.networks import TransformerNet
from tests.exports import exported
from tests.timeouts import TIMEOUT_SECONDS

CLASSES = ["a", "b", "c", "d"]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def batches(count: int, size: int = 6) -> Iterator[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(3)
    for _ in range(count):
        yield (
            torch.rand(size, 1, 12, 12, generator=draw),
            torch.randint(4, (size,), generator=draw),
        )


def watch(home: Path, network: nn.Module | None = None, **options: Any) -> WatchedRun:
    images, labels = next(batches(1))
    defaults: dict[str, Any] = {"labels": labels, "classes": CLASSES, "every": 1, "home": home}
    run = stnscope.watch(network or TransformerNet(), images, **(defaults | options))
    assert isinstance(run, WatchedRun)
    return run


def random_states() -> list[Any]:
    return [torch.get_rng_state(), random.getstate(), np.random.get_state(legacy=False)["state"]]


def train(network: nn.Module, steps: int, run: WatchedRun | None) -> list[float]:
    """Train as anybody would; return the losses."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    losses = []
    for images, labels in batches(steps):
        network.train()
        optimiser.zero_grad()
        loss = functional.nll_loss(network(images), labels)
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
        if run is not None:
            run.step(loss=loss, accuracy=0.5)
    return losses


def test_training_is_the_same_to_the_bit_as_without_it(home: Path) -> None:
    watched = TransformerNet()
    alone = copy.deepcopy(watched)
    watched.norm.eval()
    alone.norm.eval()
    results = []
    for network in (alone, watched):
        torch.manual_seed(7)
        random.seed(7)
        np.random.seed(7)
        run = watch(home, network) if network is watched else None
        losses = train(network, 8, run)
        results.append(
            (
                losses,
                [parameter.grad for parameter in network.parameters()],
                list(network.state_dict().values()),
                [module.training for module in network.modules()],
                random_states(),
            )
        )
        if run is not None:
            run.end()
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


class Counting(TransformerNet):
    """Counts its forward passes in a buffer, draws random numbers, and drops out always."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        self.get_buffer("calls").add_(1)
        random.random()
        np.random.rand()
        return super().forward(functional.dropout(images, training=True))


def test_buffers_and_random_numbers_of_the_probe_pass_are_restored(home: Path) -> None:
    network = Counting()
    random.seed(1)
    np.random.seed(1)
    states = random_states()
    with watch(home, network) as run:
        run.step(loss=0.1)
    assert network.get_buffer("calls") == 0
    torch.testing.assert_close(states, random_states())


def test_steps_metrics_and_scalars_are_recorded(home: Path) -> None:
    with watch(home, name="Mine", steps_per_epoch=2, epochs=2) as run:
        for step in range(1, 5):
            run.step(
                loss=torch.tensor(1.0 / step, requires_grad=True),
                accuracy=step / 8,
                learning_rate=0.1,
                grad_norm=torch.tensor([float(step)]),
            )
    with Recording.open(run.path) as recording:
        summary, metrics = recording.summary(), recording.metrics()
        frames = [recording.frame(step) for step in recording.frame_steps()]
    assert (summary["status"], summary["step"], summary["epoch"]) == ("finished", 4, 2)
    assert (summary["steps"], summary["accuracy"], summary["watched"]) == (4, 0.5, True)
    assert summary["config"]["model"] == "Mine"
    assert summary["config"]["transformers"] == 1
    assert metrics["step"] == [0, 1, 2, 3, 4]
    assert metrics["loss"] == pytest.approx([None, 1, 1 / 2, 1 / 3, 1 / 4])
    assert metrics["learning_rate"] == [None, *[0.1] * 4]
    assert metrics["scalars"] == {"grad_norm": [None, 1, 2, 3, 4]}
    assert [frame.info["step"] for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.info["progress"] for frame in frames] == [0, 5, 10, 5, 10]
    assert frames[2].info["loss"] == pytest.approx(0.5)
    assert frames[2].info["accuracy"] == 0.25
    assert frames[2].info["classes"] == CLASSES
    assert metrics["scale"][0] == pytest.approx(0.8, abs=0.3)


def test_run_exports_what_it_has_recorded_so_far(home: Path) -> None:
    with watch(home) as run:
        for _ in range(3):
            run.step(loss=1.0)
        table = run.export(home / "metrics.csv", table="metrics")
        assert len(table.read_text().splitlines()) == 1 + 4
        assert run.export(home / "now.gif").read_bytes().startswith(b"GIF89a")
        again = stnscope.export(run.id, home / "again.csv", home=home, table="metrics")
        assert again.read_text() == table.read_text()
        assert stnscope.export(run.path, home / "run.svg").read_text().endswith("</svg>\n")
        with pytest.raises(ValueError, match="layout"):
            run.export(home / "now.gif", layout="spiral")


def test_loop_of_unknown_length_is_replayed_exported_and_imported(home: Path) -> None:
    with watch(home, labels=None, classes=None) as run:
        for _ in range(3):
            run.step(loss=1.0, extra=2)
    with Recording.open(run.path) as recording:
        summary = recording.summary()
        assert (summary["epoch"], summary["steps_per_epoch"], summary["steps"]) == (None,) * 3
        assert "probabilities" not in recording.frame(3).tensors
        assert exported(recording, ExportOptions()).startswith(b"GIF")
        range_of_steps = ExportOptions(first=0, last=3, frames=2)
        assert exported(recording, range_of_steps).startswith(b"GIF")
    target = home / f"copy{SUFFIX}"
    import_recording(run.path, target)
    with Recording.open(target) as copied, Recording.open(run.path) as original:
        assert copied.summary()["watched"]
        assert (
            copied.metrics()["scalars"]
            == original.metrics()["scalars"]
            == {"extra": [None, 2, 2, 2]}
        )
        one, other = copied.frame(2), original.frame(2)
        assert one.tensors.keys() == other.tensors.keys()
        np.testing.assert_array_equal(one.tensors["grid.st"], other.tensors["grid.st"])


def test_odd_values_cost_a_warning_and_nothing_else(home: Path) -> None:
    odd: dict[str, Any] = {
        "loss": torch.ones(2),
        "accuracy": "high",
        "rotation": 1,
        "x" * 200: 1,
        "weights": [1, 2],
        "fine": float("nan"),
    }
    with watch(home) as run:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for _ in range(2):
                run.step(**odd)
        run.step(loss=float("inf"))
    messages = sorted(str(warning.message) for warning in warned)
    assert len(messages) == 5
    for part in (
        "`loss` is not a single number",
        "`accuracy` is not a number",
        "`rotation` is computed",
    ):
        assert any(part in message for message in messages)
    with Recording.open(run.path) as recording:
        assert recording.metrics()["loss"] == [None] * 4
        assert recording.metrics()["scalars"] == {}


def test_accuracy_in_percent_is_recorded_as_a_share(home: Path) -> None:
    with watch(home) as run:
        for accuracy in (0.0, 93.5, 1.0):
            run.step(accuracy=accuracy)
    with Recording.open(run.path) as recording:
        assert recording.metrics()["accuracy"] == pytest.approx([None, 0, 0.935, 0.01])


def test_network_that_fails_on_the_probes_later_goes_on_training(home: Path) -> None:
    network = TransformerNet()
    with watch(home, network) as run:
        run.step(loss=1.0)
        network.localisation = nn.Sequential(nn.Flatten(), nn.Linear(3, 6))
        with pytest.warns(UserWarning, match="cannot be observed any more"):
            run.step(loss=0.5)
        run.step(loss=0.25)
    with Recording.open(run.path) as recording:
        assert recording.metrics()["loss"] == [None, 1.0, 0.5, 0.25]
        assert recording.frame_steps() == [0, 1]


def test_recording_that_is_deleted_meanwhile_costs_a_warning(home: Path) -> None:
    run = watch(home)
    run.path.unlink()
    with pytest.warns(UserWarning, match="was deleted"):
        step_until_recording_ends(run)
    run.end()


def step_until_recording_ends(run: WatchedRun) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while run.is_recorded:
        assert time.monotonic() < deadline
        run.step(loss=1.0)
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("no"), "failed"), (KeyboardInterrupt(), "stopped"), (SystemExit(), "finished")],
)
def test_loop_that_ends_by_an_exception_shows_as_such(
    home: Path, error: BaseException, status: str
) -> None:
    run = watch(home)
    with pytest.raises(type(error)):
        fail_within(run, error)
    run.end("finished")
    with Recording.open(run.path) as recording:
        summary = recording.summary()
    assert (summary["status"], summary["step"]) == (status, 1)
    assert summary["error"] == ("ValueError: no" if status == "failed" else None)


def fail_within(run: WatchedRun, error: BaseException) -> None:
    with run:
        run.step(loss=1.0)
        raise error


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_fails_ends_its_own_runs(home: Path) -> None:
    others = watch(home)
    runs: list[WatchedRun] = []

    def loop() -> None:
        runs.append(watch(home))
        runs[0].step(loss=1.0)
        raise ValueError("no")

    thread = threading.Thread(target=loop)
    thread.start()
    thread.join()
    with Recording.open(runs[0].path) as recording:
        summary = recording.summary()
    assert (summary["status"], summary["error"]) == ("failed", "ValueError: no")
    assert others.is_recorded
    others.end()


def test_program_that_changes_its_folder_is_recorded_where_it_began(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    run = watch(Path(home.name))
    monkeypatch.chdir("/")
    run.step(loss=1.0)
    run.pause_point()
    run.end()
    assert run.path.is_relative_to(home)
    with Recording.open(run.path) as recording:
        assert recording.summary()["settings"] is not None


PROGRAM = """
import sys, time
import torch
import stnscope
from tests.experiment.watching.networks import TransformerNet
def main():
    run = stnscope.watch(TransformerNet(), torch.rand(2, 1, 12, 12))
    run.step(loss=1.0)
    print(run.path, flush=True)
    return run.path
path = main()
{end}
"""
KILLED_AFTER_A_STEP = """
import os
from stnscope.backend.experiment.recording.reader import Recording
while True:
    with Recording.open(path) as recording:
        if recording.summary()["step"] == 1:
            os.kill(os.getpid(), 9)
    time.sleep(0.01)
"""
ENDS = {
    "finished": ("", 0),
    "failed": ("raise RuntimeError('out of luck')", 1),
    "stopped": ("raise KeyboardInterrupt", -signal.SIGINT),
    "interrupted": (KILLED_AFTER_A_STEP, -signal.SIGKILL),
}


FORKED = """
import json, os, sys
# Once for all programs: it takes seconds.
from tests.experiment.watching import networks

folder, programs = sys.argv[1], json.loads(sys.argv[2])
codes = {}
for name, program in programs.items():
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT), 1)
        break
    codes[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
else:
    print(json.dumps(codes))
    sys.exit()
exec(program)
"""


@pytest.mark.seconds
def test_program_that_ends_without_a_word_shows_how(home: Path, tmp_path: Path) -> None:
    programs = {status: PROGRAM.format(end=end) for status, (end, _) in ENDS.items()}
    ended = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path), json.dumps(programs)],
        env=os.environ | {"STNSCOPE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    codes = json.loads(ended.stdout)
    for status, (_, code) in ENDS.items():
        assert codes[status] == code, ended.stderr
        with Recording.open(Path((tmp_path / status).read_text().strip())) as recording:
            summary = recording.summary()
        assert (summary["status"], summary["step"]) == (status, 1)
        assert summary["error"] == ("RuntimeError: out of luck" if status == "failed" else None)


NEEDED = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ImportError(name)

sys.meta_path.insert(0, Refusing())
import stnscope
assert "torch" not in sys.modules
assert "numpy" not in sys.modules
""" + PROGRAM.format(end="assert 'torch._dynamo' not in sys.modules  # takes seconds")
NOT_NEEDED = {
    "PIL", "fastapi", "starlette", "uvicorn", "websockets", "streamlit", "plotly", "httpx",
    "multipart", "h11", "anyio",
}  # fmt: skip


@pytest.mark.seconds
def test_recording_needs_neither_a_server_nor_pillow(home: Path) -> None:
    program = NEEDED.replace("{refused}", repr(NOT_NEEDED))
    subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"STNSCOPE_HOME": str(home)},
        check=True,
        timeout=TIMEOUT_SECONDS,
    )


def test_only_the_first_process_of_a_distributed_training_records(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    run = stnscope.watch(TransformerNet(), torch.rand(2, 1, 12, 12), home=home)
    assert isinstance(run, UnwatchedRun)
    with run:
        run.step(loss=1.0, extra=2)
    run.end()
    assert not home.exists()


def test_network_that_is_watched_again_ends_its_earlier_run(home: Path) -> None:
    network = TransformerNet()
    first = watch(home, network)
    with watch(home, network) as second:
        second.step()
    assert not first.is_recorded
    with Recording.open(first.path) as recording:
        assert recording.summary()["status"] == "finished"


def test_wrapped_network_is_watched_itself(home: Path) -> None:
    network = nn.DataParallel(TransformerNet())
    with watch(home, network) as run:
        run.step()
    with Recording.open(run.path) as recording:
        assert recording.summary()["config"]["model"] == "TransformerNet"


def test_network_whose_weights_are_distributed_is_refused(home: Path) -> None:
    class FullyShardedDataParallel(TransformerNet):
        pass

    with pytest.raises(TypeError, match="distributed over processes"):
        watch(home, FullyShardedDataParallel())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "`every`"),
        ({"share": 0.0}, "`share`"),
        ({"epochs": 0}, "`epochs`"),
        ({"steps_per_epoch": -1}, "`steps_per_epoch`"),
        ({"labels": [1]}, "6 images and 1 labels"),
    ],
)
def test_argument_that_is_out_of_range_is_named(
    home: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        watch(home, **options)
    assert not home.exists()
