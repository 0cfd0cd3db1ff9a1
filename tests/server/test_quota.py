"""A server at its limits and on a full disk: it reports that, and loses nothing."""

from pathlib import Path

import pytest

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.recording.reader import Recording
from tests.experiment import sample_data
from tests.live_server import Server, serve, wait_until
from tests.server.conftest import LONG, MINIMAL_SERVER
from tests.small_disk import small_disk


def refused(server: Server) -> str:
    response = server.http.post("/runs", json=LONG)
    assert response.status_code == 507, response.text
    assert response.headers["content-type"] == "application/problem+json"
    detail: str = response.json()["detail"]
    return detail


def test_home_at_its_limit_pauses_and_refuses_until_runs_are_deleted(tmp_path: Path) -> None:
    with serve(tmp_path / "home", *MINIMAL_SERVER, "--home-limit", "60MB") as server:
        run_id = server.start_run(**LONG)
        server.wait_for_step(run_id, 1)
        # Another recording takes the rest of the limit.
        other = server.home / "recordings" / "other.stnscope"
        other.write_bytes(bytes(60_000_000))
        paused = server.wait_for_status(run_id, "paused")
        assert "limit of 60 MB" in paused["error"]
        assert "Delete runs" in paused["error"]
        assert "Delete runs" in refused(server)
        assert server.control(run_id, "resume").status_code == 507
        assert server.control(run_id, "step").status_code == 507
        assert server.get_run(run_id)["status"] == "paused"
        assert server.http.delete("/runs/other").status_code == 204
        assert server.control(run_id, "resume").json()["error"] is None
        server.wait_for_step(run_id, paused["step"] + 2)
        steps = server.http.get(f"/runs/{run_id}/metrics").json()["step"]
        assert steps == list(range(len(steps)))


def test_recording_at_its_limit_is_thinned_and_says_so(tmp_path: Path) -> None:
    with serve(tmp_path / "home", *MINIMAL_SERVER, "--run-limit", "1MB") as server:
        run_id = server.start_run(epochs=50, probes={"count": 64})
        assert server.get_run(run_id)["thinned"] == 0
        wait_until(lambda: server.get_run(run_id)["thinned"] > 0)
        run = server.get_run(run_id)
        assert run["status"] == "running"
        assert server.recorded_steps(run_id)[0] == 0
        columns = server.http.get(f"/runs/{run_id}/metrics").json()
        assert columns["step"] == list(range(len(columns["step"])))


def test_full_disk_pauses_and_refuses_until_space_is_freed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "96m") as disk:
        if disk is None:
            pytest.skip("mounting a disk to fill needs root; test_session has this with a quota")
        with serve(disk.path / "home", *MINIMAL_SERVER) as server:
            run_id = server.start_run(**LONG)
            server.wait_for_step(run_id, 1)
            disk.fill()
            paused = server.wait_for_status(run_id, "paused")
            assert "The disk is full" in paused["error"]
            assert "The disk is full" in refused(server)
            assert server.control(run_id, "resume").status_code == 507
            disk.clear()
            assert server.control(run_id, "resume").json()["status"] == "running"
            server.wait_for_step(run_id, paused["step"] + 2)
            steps = server.http.get(f"/runs/{run_id}/metrics").json()["step"]
            assert steps == list(range(len(steps)))


def test_downloads_and_uploads_on_a_full_disk_are_507(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        if disk is None:
            pytest.skip("mounting a disk to fill needs root")
        monkeypatch.setenv("TMPDIR", str(disk.path))
        with serve(tmp_path / "home", *MINIMAL_SERVER) as server:
            disk.fill()
            picture = {"image": ("picture", bytes(3_000_000))}
            for response in (
                server.http.get("/runs/example-digits/recording"),
                server.http.get("/runs/example-digits/export"),
                server.http.post("/transform", files=picture),
            ):
                assert response.status_code == 507, response.text
                assert "The disk is full" in response.json()["detail"]
            disk.clear()
            assert server.http.get("/runs/example-digits/export").status_code == 200
            assert server.http.get("/runs/example-digits/recording").status_code == 200


def test_train_command_ends_at_the_limit_and_prints_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--home", str(tmp_path), "--run-limit", "1kB"]) == 1
    output = capsys.readouterr().out
    assert "limit of 1 kB" in output
    assert "--run-limit" in output
    (path,) = (tmp_path / "recordings").glob("*.stnscope")
    with Recording.open(path) as recording:
        assert recording.summary()["status"] == "interrupted"
        assert recording.checkpoint() is not None


def test_train_command_starts_nothing_in_a_home_at_its_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "old.stnscope").write_bytes(bytes(2000))
    assert main(["train", "--home", str(tmp_path), "--home-limit", "1.5 kB"]) == 1
    assert "limit of 1.5 kB" in capsys.readouterr().err
    assert len(list((tmp_path / "recordings").iterdir())) == 1


def test_strength_option_applies_to_an_image_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample_data.write_image_folder(tmp_path / "datasets" / "fruit", {"apple": 12, "pear": 12})
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "old.stnscope").write_bytes(bytes(2000))
    options = ["--dataset", "fruit", "--strength", "0.5", "--probes", "2", "--batch-size", "4"]
    # It fails at the limit, and so after the data set was found.
    assert main(["train", "--home", str(tmp_path), "--home-limit", "1.5 kB", *options]) == 1
    assert "limit of 1.5 kB" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["much", "-1", "1.5.2GB", "", "5 apples"])
def test_invalid_size_is_refused_with_an_example(
    size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["train", f"--run-limit={size}"])
    assert "500MB" in capsys.readouterr().err
