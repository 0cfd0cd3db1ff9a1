"""Data sets over HTTP: which are at hand, and runs on any of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.experiment.frame import Frame
from tests.experiment import made_data
from tests.live_server import Server, serve
from tests.server.conftest import INTERFACE_ALONE


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data sets: one's own pictures, some signs, and damaged digits."""
    folder = tmp_path_factory.mktemp("data")
    made_data.own(folder / "fruit", {"apple": 20, "pear": 20})
    made_data.written(made_data.gtsrb("official"), folder / "gtsrb")
    for part in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        (folder / "mnist").mkdir(exist_ok=True)
        (folder / "mnist" / f"{part}-idx-ubyte").write_bytes(b"cut")
    return folder


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with serve(home, *INTERFACE_ALONE, "--data", str(data)) as server:
        yield server


def brief(server: Server, **config: object) -> str:
    return server.start_run(**{"epochs": 1, "probes": {"count": 2}, **config})


def test_the_catalog_tells_what_is_at_hand_and_how_to_get_the_rest(server: Server) -> None:
    datasets = {each["name"]: each for each in server.http.get("/catalog").json()["datasets"]}
    assert datasets["fruit"]["classes"] == ["apple", "pear"]
    assert datasets["signs"]["available"]
    assert not datasets["cluttered-40"]["available"]
    assert "cluttered_mnist_40" in datasets["cluttered-40"]["how"]
    assert all(each["licence"] and each["source"] for each in datasets.values())


def test_a_run_on_pictures_of_one_s_own_knows_their_classes(server: Server) -> None:
    run_id = brief(server, dataset="fruit", architecture="signs", distortion="RTS", batch_size=8)
    run = server.await_status(run_id, "finished")
    assert run["steps"] == 32 * 4 // 8
    frame = Frame.decode(server.http.get(f"/runs/{run_id}/frames/0").content)
    assert frame.info["classes"] == ["apple", "pear"]
    assert frame.tensors["probabilities"].shape == (2, 2)
    assert server.http.get(f"/runs/{run_id}/export").status_code == 200


def test_a_run_on_signs_counts_those_that_are_there(server: Server) -> None:
    run_id = brief(server, dataset="gtsrb", architecture="signs-cnn", batch_size=4)
    assert server.run(run_id)["steps"] == 2
    assert server.await_status(run_id, "finished")["step"] == 2


def test_a_data_set_that_is_not_at_hand_is_refused_with_how_to_get_it(server: Server) -> None:
    answer = server.http.post("/runs", json={"dataset": "cluttered-40"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "dataset"
    assert "npz" in answer.json()["detail"]


def test_a_data_set_that_is_damaged_fails_the_run_and_is_named(server: Server) -> None:
    run_id = brief(server, dataset="mnist", architecture="paper-cnn")
    run = server.await_status(run_id, "failed")
    assert "train-images-idx3-ubyte is missing" in run["error"]


def test_a_network_that_does_not_fit_is_refused_with_those_that_do(server: Server) -> None:
    answer = server.http.post("/runs", json={"dataset": "signs", "architecture": "recurrent"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "architecture"
    assert "moodstocks-2st" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("dataset", "architecture", "outputs"),
    [
        ("addition", "addition-2st", {"st1": (28, 28, 3), "st2": (28, 28, 3)}),
        ("sequences", "recurrent", {f"st{time}": (33, 33, 1) for time in (1, 2, 3)}),
        ("signs", "moodstocks-2st", {"st1": (48, 48, 3), "st3": (12, 12, 1)}),
    ],
)
def test_networks_of_several_transformers_are_recorded_and_exported(
    server: Server, dataset: str, architecture: str, outputs: dict[str, tuple[int, ...]]
) -> None:
    run_id = brief(server, dataset=dataset, architecture=architecture, batch_size=16)
    server.await_step(run_id, 1)
    server.control(run_id, "stop")
    server.await_status(run_id, "stopped")
    frame = Frame.decode(server.http.get(f"/runs/{run_id}/frames/1").content)
    shapes = {name: frame.tensors[f"output.{name}"].shape[1:] for name in frame.transformers}
    assert shapes == outputs
    answer = server.http.get(f"/runs/{run_id}/export", params={"frames": 1})
    assert answer.status_code == 200, answer.text
