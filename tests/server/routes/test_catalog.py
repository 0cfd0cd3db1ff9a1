"""Data sets over HTTP: which are available, and runs on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.data.registry import DOWNLOADS
from stnscope.backend.experiment.frames.frame import Frame
from tests.experiment import sample_data
from tests.file_server import FileServer, serve_files
from tests.live_server import Server, serve, wait_until
from tests.server.conftest import MINIMAL_SERVER


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with image folders, one with a damaged file and one with too few images, some signs,
    and damaged digits."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("fruit", "berries"):
        sample_data.write_image_folder(folder / name, {"apple": 20, "pear": 20})
    picture = folder / "berries" / "pear" / "06.png"
    picture.write_bytes(picture.read_bytes()[:-20])
    sample_data.write_image_folder(folder / "nuts", {"hazel": 20, "wal": 3})
    sample_data.write_files(sample_data.make_gtsrb("official"), folder / "gtsrb")
    sample_data.write_mnist(folder / "mnist", {"train": 3, "t10k": 3})
    return folder


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    with serve(home, *MINIMAL_SERVER, "--data", str(data)) as server:
        yield server


def start_run(server: Server, **config: object) -> str:
    return server.start_run(**{"epochs": 1, "probes": {"count": 2}, **config})


def test_catalog_lists_available_data_sets_and_how_to_get_the_others(server: Server) -> None:
    datasets = {
        dataset["name"]: dataset for dataset in server.http.get("/catalog").json()["datasets"]
    }
    assert datasets["fruit"]["classes"] == ["apple", "pear"]
    assert datasets["signs"]["available"]
    assert datasets["gtsrb"]["images"] == 8
    for name in ("mnist", "mnist-numbers"):
        assert not datasets[name]["available"]
        assert "train-images-idx3-ubyte.gz holds (3, 28, 28)" in datasets[name]["fault"]
        assert datasets[name]["download_bytes"], "it can be downloaded"
    assert not datasets["cluttered-40"]["available"]
    assert "cluttered_mnist_40" in datasets["cluttered-40"]["instructions"]
    assert all(dataset["licence"] and dataset["source"] for dataset in datasets.values())


def test_catalog_lists_skipped_folders_with_their_reason(server: Server) -> None:
    catalog = server.http.get("/catalog").json()
    (nuts,) = catalog["skipped"]
    assert nuts["name"] == "nuts"
    assert "needs two folders or more with at least 10 images each" in nuts["reason"]
    assert "hazel: 20, wal: 3" in nuts["reason"]
    assert "nuts" not in {dataset["name"] for dataset in catalog["datasets"]}
    refused = server.http.post("/runs", json={"dataset": "nuts"})
    assert refused.status_code == 422
    assert nuts["reason"] in refused.json()["detail"]


def test_run_on_an_image_folder_has_its_classes(server: Server) -> None:
    run_id = start_run(
        server, dataset="fruit", architecture="signs", distortion="RTS", batch_size=8
    )
    run = server.wait_for_status(run_id, "finished")
    assert run["steps"] == 32 * 4 // 8
    frame = Frame.decode(server.http.get(f"/runs/{run_id}/frames/0").content)
    assert frame.info["classes"] == ["apple", "pear"]
    assert frame.tensors["probabilities"].shape == (2, 2)
    assert server.http.get(f"/runs/{run_id}/export").status_code == 200


def test_run_on_signs_counts_the_images_in_the_folder(server: Server) -> None:
    run_id = start_run(server, dataset="gtsrb", architecture="signs-cnn", batch_size=4)
    assert server.get_run(run_id)["steps"] == 2
    assert server.wait_for_status(run_id, "finished")["step"] == 2


def test_unavailable_data_set_is_refused_with_how_to_get_it(server: Server) -> None:
    response = server.http.post("/runs", json={"dataset": "cluttered-40"})
    assert response.status_code == 422
    assert response.json()["field"] == "dataset"
    assert "npz" in response.json()["detail"]


def test_damaged_data_set_is_refused_and_its_file_named(server: Server) -> None:
    response = server.http.post("/runs", json={"dataset": "mnist"})
    assert (response.status_code, response.json()["field"]) == (422, "dataset")
    assert "MNIST is damaged. train-images-idx3-ubyte.gz holds" in response.json()["detail"]
    assert "stnscope download mnist" in response.json()["detail"]


def test_damage_found_while_reading_fails_the_run_and_names_the_file(server: Server) -> None:
    run_id = start_run(server, dataset="berries", batch_size=8)
    run = server.wait_for_status(run_id, "failed")
    assert "berries/pear/06.png cannot be used. The file ends before" in run["error"]


def test_network_that_does_not_fit_is_refused_with_those_that_do(server: Server) -> None:
    response = server.http.post("/runs", json={"dataset": "signs", "architecture": "recurrent"})
    assert response.status_code == 422
    assert response.json()["field"] == "architecture"
    assert "moodstocks-2st" in response.json()["detail"]


@pytest.mark.parametrize(
    ("dataset", "architecture", "outputs"),
    [
        ("addition", "addition-2st", {"st1": (28, 28, 3), "st2": (28, 28, 3)}),
        ("sequences", "recurrent", {f"st{time}": (33, 33, 1) for time in (1, 2, 3)}),
        ("gtsrb", "moodstocks-2st", {"st1": (48, 48, 3), "st3": (12, 12, 1)}),
    ],
)
def test_networks_of_several_transformers_are_recorded_and_exported(
    server: Server, dataset: str, architecture: str, outputs: dict[str, tuple[int, ...]]
) -> None:
    run_id = start_run(server, dataset=dataset, architecture=architecture, batch_size=2)
    server.wait_for_step(run_id, 1)
    server.control(run_id, "stop")
    server.wait_for_status(run_id, "stopped")
    frame = Frame.decode(server.http.get(f"/runs/{run_id}/frames/1").content)
    shapes = {name: frame.tensors[f"output.{name}"].shape[1:] for name in frame.transformers}
    assert shapes == outputs
    response = server.http.get(f"/runs/{run_id}/export", params={"frames": 1})
    assert response.status_code == 200, response.text


@pytest.fixture
def files() -> Iterator[FileServer]:
    """A server with a small copy of the signs."""
    archive = sample_data.make_zip(sample_data.make_gtsrb("official"))
    with serve_files({DOWNLOADS["gtsrb"][0].path: archive}) as files:
        yield files


def test_downloaded_data_set_can_be_trained_on(files: FileServer, tmp_path: Path) -> None:
    with serve(tmp_path / "home", *MINIMAL_SERVER, "--mirror", files.address) as server:
        dataset = server.http.get("/datasets/gtsrb").json()
        assert (dataset["available"], dataset["download"]) == (False, None)
        assert dataset["download_bytes"] == 276_294_756
        files.pause.set()
        assert server.http.post("/datasets/gtsrb/download").status_code == 202
        again = server.http.post("/datasets/gtsrb-regions/download")
        assert again.json()["status"] == "running", "the same files"
        wait_until(lambda: server.http.get("/datasets/gtsrb").json()["download"]["done"] > 0)
        files.pause.clear()
        wait_until(lambda: server.http.get("/datasets/gtsrb").json()["available"])
        assert server.http.get("/datasets/gtsrb-regions").json()["available"]
        assert len(files.requests) == 1
        run_id = start_run(server, dataset="gtsrb", architecture="signs-cnn", batch_size=4)
        assert server.wait_for_status(run_id, "finished")["step"] == 2


def test_cancelled_download_continues_where_it_ended(files: FileServer, tmp_path: Path) -> None:
    with serve(tmp_path / "home", *MINIMAL_SERVER, "--mirror", files.address) as server:
        files.pause.set()
        server.http.post("/datasets/gtsrb/download")
        wait_until(lambda: server.http.get("/datasets/gtsrb").json()["download"]["done"] > 0)
        assert server.http.delete("/datasets/gtsrb/download").status_code == 204
        files.pause.clear()

        def status() -> str:
            download = server.http.get("/datasets/gtsrb").json()["download"]
            return str(download["status"])

        wait_until(lambda: status() == "failed")
        assert server.http.delete("/datasets/gtsrb/download").status_code == 404
        assert not server.http.get("/datasets/gtsrb").json()["available"]
        server.http.post("/datasets/gtsrb/download")
        wait_until(lambda: status() == "finished")


def test_data_set_that_cannot_be_downloaded_is_refused_with_a_reason(
    files: FileServer, tmp_path: Path
) -> None:
    with serve(tmp_path / "home", *MINIMAL_SERVER, "--mirror", files.address) as server:
        assert server.http.post("/datasets/none/download").status_code == 404
        assert server.http.get("/datasets/none").status_code == 404
        refused = server.http.post("/datasets/cluttered-40/download")
        assert refused.status_code == 422
        assert "npz" in refused.json()["detail"]
        server.http.post("/datasets/mnist/download")

        def download() -> dict[str, str]:
            state: dict[str, str] = server.http.get("/datasets/mnist").json()["download"]
            return state

        wait_until(lambda: download()["status"] == "failed")
        assert "Not Found" in download()["error"]


def test_download_command_downloads_a_data_set(
    files: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--home", str(tmp_path), "--mirror", files.address]
    assert main(["download", "gtsrb", *options]) == 0
    assert f"gtsrb is available, in {tmp_path / 'datasets'}." in capsys.readouterr().out
    assert main(["download", "mnist", *options]) == 1
    assert "Not Found" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["gtsrb"]


def test_run_resumes_only_with_the_data_that_it_began_with(tmp_path: Path) -> None:
    data = tmp_path / "data"
    sample_data.write_image_folder(data / "fruit", {"apple": 15, "pear": 15})
    options = (*MINIMAL_SERVER, "--data", str(data))
    with serve(tmp_path / "home", *options) as server:
        run_id = start_run(server, dataset="fruit", batch_size=4, epochs=50)
        server.wait_for_step(run_id, 2)
        server.control(run_id, "stop")
        stopped = server.wait_for_status(run_id, "stopped")
        (data / "fruit" / "pear").rename(data / "fruit" / "quince")
        server.control(run_id, "resume")
        refused = server.wait_for_status(run_id, "failed")
        assert "other images or classes than when this run began" in refused["error"]
        assert "Restore it, or start a new run." in refused["error"]
        (data / "fruit").rename(data / ".fruit")
        server.control(run_id, "resume")
        wait_until(lambda: "There is no data set" in (server.get_run(run_id)["error"] or ""))
        missing = server.get_run(run_id)
        assert missing["status"] == "failed"
        assert f"A folder of that name with images is to be in {data}." in missing["error"]
        (data / ".fruit").rename(data / "fruit")
        (data / "fruit" / "quince").rename(data / "fruit" / "pear")
        server.control(run_id, "resume")
        server.wait_for_step(run_id, stopped["step"] + 1)
        server.control(run_id, "stop")


def test_defaults_depend_on_the_data_set(server: Server) -> None:
    run_id = start_run(server, dataset="addition", batch_size=1000)
    config = server.get_run(run_id)["config"]
    server.control(run_id, "stop")
    assert config["architecture"] == "addition-2st"
    assert config["distortion"] == {"name": "RTS", "strength": 0.5}
    assert config["localisation_learning_rate"] == 3e-4


def test_mirror_must_be_an_http_address(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["download", "mnist", "--mirror", "myhost:8000"])
    assert "start with http:// or https://" in capsys.readouterr().err
