"""Sweeps over HTTP and from the command line: their runs, their table, and what is done as one."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copy, rmtree
from typing import Any

import pytest

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.home import new_run_id, sweep_run_id
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.sweeps.sweep_file import read_sweep
from stnscope.backend.server.processes.trainers import place_in_queue
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.schemas import Sweep, SweepCurves, SweepSummary
from stnscope.backend.server.sweeps import Sweep as StoredSweep
from stnscope.backend.server.sweeps import Sweeps
from tests.conftest import TrainedRun
from tests.experiment.sample_data import write_image_folder
from tests.live_server import Server, wait_until
from tests.server.in_process import serve_in_thread

FAMILIES = {"name": "families", "product": {"family": ["affine", "scale"]}, "seeds": 2}


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which runs wait and none is trained."""
    with serve_in_thread(tmp_path_factory.mktemp("sweeps"), trainers=0) as server:
        yield server


@pytest.fixture
def sweep(waiting: Server) -> Iterator[dict[str, Any]]:
    """A sweep of four runs, which wait."""
    created = start(waiting, FAMILIES)
    yield created
    waiting.http.post(f"/sweeps/{created['id']}/control", json={"action": "stop"})
    waiting.http.delete(f"/sweeps/{created['id']}")


def start(server: Server, sweep: dict[str, Any]) -> dict[str, Any]:
    response = server.http.post("/sweeps", json=sweep)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/api/sweeps/{created['id']}"
    return created


def show(server: Server, sweep_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = server.http.get(f"/sweeps/{sweep_id}").raise_for_status().json()
    return shown


def run_ids(sweep: dict[str, Any]) -> list[str]:
    return [run["id"] for each in sweep["combinations"] for run in each["runs"]]


@pytest.fixture
def fruit(server: Server) -> Iterator[str]:
    """A data set of sixty images, whose epochs take a second."""
    folder = server.home / "datasets" / "swept-fruit"
    yield write_image_folder(folder, {"apple": 30, "pear": 30}).name
    rmtree(folder)


def test_sweep_is_trained_and_shown_as_a_table(server: Server, fruit: str) -> None:
    """The only one that trains."""
    config = {"dataset": fruit, "epochs": 1, "batch_size": 8, "probes": {"count": 2}}
    sweep = start(server, {**FAMILIES, "run": config, "seeds": 1})
    wait_until(lambda: show(server, sweep["id"])["status"] == "finished")
    shown = Sweep.model_validate(show(server, sweep["id"]))
    assert [each.values for each in shown.combinations] == [
        {"family": "affine"},
        {"family": "scale"},
    ]
    for each in shown.combinations:
        [run] = each.runs
        assert each.done == each.observed == 1
        assert each.accuracy is not None
        assert each.accuracy.mean == run.accuracy == server.get_run(run.id)["accuracy"]
    response = server.http.get(f"/sweeps/{sweep['id']}/curves")
    curves = SweepCurves.model_validate_json(response.content)
    for bands, combination in zip(curves.combinations, shown.combinations, strict=True):
        assert bands.loss.epoch[-1] == 1.0
        assert len(bands.loss.mean) == 24
        assert combination.accuracy is not None
        assert bands.accuracy.mean[-1] == bands.accuracy.low[-1] == combination.accuracy.mean
    table = server.http.get(f"/sweeps/{sweep['id']}/csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(table.text.splitlines()))
    assert [row["family"] for row in rows] == ["affine", "scale"]
    assert {row["status"] for row in rows} == {"finished"}
    # What has finished is not trained again.
    server.http.post(f"/sweeps/{sweep['id']}/control", json={"action": "resume"}).raise_for_status()
    assert show(server, sweep["id"])["status"] == "finished"
    assert server.http.delete(f"/sweeps/{sweep['id']}").status_code == 204


def test_runs_of_a_sweep_wait_with_names_and_their_sweep(
    waiting: Server, sweep: dict[str, Any]
) -> None:
    assert (sweep["runs"], sweep["waiting"], sweep["done"]) == (4, 4, 0)
    assert (sweep["status"], sweep["can"], sweep["seeds"]) == ("queued", ["stop", "delete"], [0, 1])
    runs = [waiting.get_run(run_id) for run_id in run_ids(sweep)]
    assert [run["name"] for run in runs] == [
        f"{family}, seed {seed}" for family in ("affine", "scale") for seed in (0, 1)
    ]
    assert {run["sweep"] for run in runs} == {sweep["id"]}
    # The first seed of each combination is trained first.
    queued = [run for run in waiting.http.get("/runs").json() if run["sweep"] == sweep["id"]]
    assert [run["config"]["seed"] for run in queued] == [1, 1, 0, 0]
    summaries = waiting.http.get("/sweeps").json()
    assert SweepSummary.model_validate(summaries[0], extra="forbid").id == sweep["id"]
    Sweep.model_validate(sweep, extra="forbid")
    unchanged = waiting.http.get(
        f"/sweeps/{sweep['id']}",
        headers={"If-None-Match": waiting.http.get(f"/sweeps/{sweep['id']}").headers["etag"]},
    )
    assert unchanged.status_code == 304


def test_list_of_runs_leaves_those_of_sweeps_out_if_asked(
    waiting: Server, sweep: dict[str, Any]
) -> None:
    alone = waiting.start_run()
    listed = [run["id"] for run in waiting.http.get("/runs", params={"swept": False}).json()]
    assert alone in listed
    assert not {*run_ids(sweep)} & {*listed}
    assert {*run_ids(sweep)} < {run["id"] for run in waiting.http.get("/runs").json()}


def test_sweep_is_stopped_resumed_and_deleted_as_one(
    waiting: Server, sweep: dict[str, Any]
) -> None:
    address = f"/sweeps/{sweep['id']}"
    stopped = waiting.http.post(f"{address}/control", json={"action": "stop"}).json()
    assert stopped["others"] == {"stopped": 4}
    assert (stopped["status"], stopped["can"]) == ("stopped", ["resume", "delete"])
    resumed = waiting.http.post(f"{address}/control", json={"action": "resume"}).json()
    assert (resumed["status"], resumed["can"]) == ("queued", ["stop", "delete"])
    one, *others = run_ids(sweep)
    assert waiting.http.delete(f"/runs/{one}").status_code == 204
    assert run_ids(show(waiting, sweep["id"])) == others
    assert waiting.http.delete(address).status_code == 204
    assert waiting.http.get(address).status_code == 404
    assert all(waiting.http.get(f"/runs/{each}").status_code == 404 for each in others)


def test_sweep_with_a_run_in_training_is_not_deleted(
    waiting: Server, sweep: dict[str, Any]
) -> None:
    run_id = run_ids(sweep)[2]
    path = waiting.home / "recordings" / f"{run_id}.stnscope"
    with RecordingWriter.open(path) as writer:
        writer.update(status="running")
        refused = waiting.http.delete(f"/sweeps/{sweep['id']}")
        assert refused.status_code == 409
        assert "1 of the runs of sweep 'families' is being trained" in refused.json()["detail"]
        # Whatever trains it would be disturbed.
        shown = show(waiting, sweep["id"])
        assert (shown["status"], shown["running"], shown["broken"]) == ("running", True, False)
        writer.update(status="queued")
    assert len(run_ids(show(waiting, sweep["id"]))) == 4


def test_flags_say_which_runs_failed_and_that_the_sweep_did(
    waiting: Server, sweep: dict[str, Any]
) -> None:
    failing = run_ids(sweep)
    for count, run_id in enumerate(failing, start=1):
        with RecordingWriter.open(waiting.home / "recordings" / f"{run_id}.stnscope") as writer:
            writer.update(status="failed", error="There is no memory.")
        shown = show(waiting, sweep["id"])
        runs = [run for each in shown["combinations"] for run in each["runs"]]
        assert {run["id"] for run in runs if run["failed"]} == {*failing[:count]}
        assert (shown["running"], shown["broken"]) == (False, count == len(failing))


def test_others_run_before_those_of_a_sweep() -> None:
    in_sweep = [sweep_run_id(new_run_id(), number) for number in (1, 2)]
    alone = [new_run_id() for _ in range(2)]
    queue: list[str] = []
    for run_id in (in_sweep[0], alone[0], in_sweep[1], alone[1]):
        queue.insert(place_in_queue(queue, run_id), run_id)
    assert queue == [*alone, *in_sweep]


@pytest.mark.parametrize(
    ("sweep", "field", "message"),
    [
        ({}, "name", "name is missing"),
        ({"name": "a", "product": {"family": ["afine"]}}, "product.family", "no family 'afine'"),
        ({"name": "a", "product": {"families": [1]}}, "product.families", "no field families"),
        ({"name": "a", "run": {"probes": {"count": 0}}}, "run.probes.count", "probes.count must"),
        ({"name": "a", "zip": [{"epochs": [1, 0]}]}, "zip.0.epochs", "epochs must be at least 1"),
        ({"name": "a", "run": {"dataset": "sines"}}, "run.dataset", "no data set 'sines'"),
        ({"name": "a", "run": {"device": "abacus"}}, "run.device", "no device 'abacus'"),
        ({"name": " "}, "name", "name must not be empty"),
        (
            {"name": "a", "product": {"distortion": ["E", {"name": "E"}]}},
            "product.distortion",
            "It has the configuration of another one: E, seed 0. (Run: E, seed 0.)",
        ),
        (
            {"name": "a", "zip": [{"epochs": [1, 1]}]},
            "zip.0.epochs",
            "It has the configuration of another one: epochs 1, seed 0.",
        ),
        ({"name": "a", "seeds": 501}, "seeds", "a number of seeds from 1 to 500"),
        ({"name": "a", "seeds": 2, "sampler": {}}, "sampler", "There is no field sampler"),
        (
            {"name": "a", "product": {"epochs": list(range(1, 1000))}},
            "product.epochs",
            "This sweep has 999 runs, 999 of product.epochs x 1 of seeds; at most 500",
        ),
    ],
)
def test_what_is_no_sweep_is_refused_and_creates_no_run(
    waiting: Server, sweep: dict[str, Any], field: str, message: str
) -> None:
    before = waiting.http.get("/runs").json()
    refused = waiting.http.post("/sweeps", json=sweep)
    assert refused.status_code == 422
    assert refused.json()["field"] == field
    assert message in refused.json()["detail"]
    assert waiting.http.get("/runs").json() == before


def test_strength_alone_varies_the_distortion_of_the_data_set(waiting: Server) -> None:
    sweep = start(
        waiting,
        {"name": "a", "run": {"dataset": "signs"}, "product": {"distortion.strength": [0.5]}},
    )
    [run_id] = run_ids(sweep)
    dataset = waiting.http.get("/datasets/signs").json()
    config = waiting.get_run(run_id)["config"]
    assert config["distortion"] == {"name": dataset["distortion"], "strength": 0.5}


def test_rows_of_a_published_table_have_their_published_figures(
    waiting: Server, sweep: dict[str, Any]
) -> None:
    refused = waiting.http.post("/sweeps", json={"name": "a", "table": "gtsrb"})
    assert (refused.status_code, refused.json()["field"]) == (422, "table")
    assert "(Run: gtsrb-vgg, seed 0.)" in refused.json()["detail"], "there is no such data here"
    path = waiting.home / "sweeps" / f"{sweep['id']}.json"
    stored = StoredSweep.model_validate_json(path.read_bytes())
    rows = ["gtsrb-vgg", "idsia-rts", "mnist-rts-cnn", "none"]
    members = [
        run.model_copy(update={"values": {"row": row}})
        for run, row in zip(stored.runs, rows, strict=True)
    ]
    path.unlink()  # what is known of a sweep is not read again
    waiting.http.get("/sweeps").raise_for_status()
    path.write_text(stored.model_copy(update={"runs": members}).model_dump_json())
    shown = Sweep.model_validate(show(waiting, sweep["id"]), extra="forbid")
    figures = [
        each.published and (each.published.figure, each.published.measure)
        for each in shown.combinations
    ]
    assert figures == [("98.85", "accuracy"), None, ("0.8", "error"), None]


FILE = """\
seeds = 2
[run]
architecture = "paper-st-fcn"
epochs = 1
batch_size = 1000
[product]
family = ["affine"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "families.toml"
    path.write_text(FILE)
    return path


def test_command_hands_a_sweep_to_a_server_of_the_same_home(
    waiting: Server, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", str(file), "--home", str(waiting.home)]
    arguments += ["--server", f"http://127.0.0.1:{waiting.port}/"]
    for _ in range(2):  # the second time it is the same sweep
        assert main(arguments) == 0
        printed = capsys.readouterr().out
        assert f"tab=sweeps&sweep={printed.split()[1].rstrip(',')}" in printed
    [sweep] = [each for each in waiting.http.get("/sweeps").json() if each["name"] == "families"]
    assert sweep["waiting"] == 2
    assert all(waiting.get_run(run)["owned"] for run in run_ids(show(waiting, sweep["id"])))


def test_command_trains_what_is_not_finished(
    tmp_path: Path, file: Path, trained_run: TrainedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both runs have finished before the command begins, so that nothing is trained here."""
    home = tmp_path / "home"
    arguments = ["sweep", str(file), "--home", str(home), "--no-server"]
    assert main([*arguments, "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("2 runs; none was trained.\n")
    assert not list(home.rglob("*.stnscope"))
    runs = Runs(home / "recordings")
    sweeps = Sweeps(runs)
    config = read_sweep(file)
    for member in sweeps.create(config, sweeps.plan(config)).runs:
        copy(trained_run.recording, runs.path(member.id))
    assert main([*arguments, "--csv", str(tmp_path / "sweep.csv")]) == 0
    printed = capsys.readouterr().out
    assert "2 of 2" in printed
    assert "Run " not in printed
    [first, second] = csv.DictReader((tmp_path / "sweep.csv").read_text().splitlines())
    assert (first["seed"], second["seed"], first["status"]) == ("0", "1", "finished")


def test_command_leaves_runs_to_others_and_names_those_that_cannot_be_resumed(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(tmp_path / "recordings")
    sweeps, config = Sweeps(runs), read_sweep(file)
    trained, failed = sweeps.create(config, sweeps.plan(config)).runs
    with RecordingWriter.open(runs.path(failed.id)) as writer:
        writer.update(status="failed", error="There is no memory.")
    with RecordingWriter.open(runs.path(trained.id)) as writer:
        writer.update(status="running")
        assert main(["sweep", str(file), "--home", str(tmp_path), "--no-server"]) == 1
    printed = capsys.readouterr().out
    assert "1 of 2: affine, seed 0\nAnother process trains it.\n" in printed
    assert "2 of 2: affine, seed 1\nThis run failed before its first checkpoint" in printed
    assert "0 of 2" in printed


def test_missing_runs_are_created_again_and_a_changed_file_is_another_sweep(
    tmp_path: Path, file: Path
) -> None:
    sweeps, config = Sweeps(Runs(tmp_path / "recordings")), read_sweep(file)
    sweep = sweeps.create(config, sweeps.plan(config))
    sweeps.runs.delete(sweep.runs[0].id)
    assert sweeps.find(config) == sweep
    sweeps.create_missing(sweep, sweeps.plan(config))
    assert {run["id"] for run in sweeps.summaries(sweep)} == {run.id for run in sweep.runs}
    damaged = sweep.model_copy(update={"runs": sweep.runs[:1]})
    (sweeps.folder / f"{sweep.id}.json").write_text(damaged.model_dump_json())
    assert Sweeps(sweeps.runs).find(config) is None, "not its runs"
    file.write_text(FILE.replace("epochs = 1", "epochs = 2"))
    assert sweeps.find(read_sweep(file)) is None


def test_files_that_are_no_sweeps_cost_no_other(waiting: Server, sweep: dict[str, Any]) -> None:
    folder = waiting.home / "sweeps"
    before = waiting.http.get("/sweeps").json()
    names = [new_run_id() for _ in range(5)]
    pipe, inner, text, large, copied = (folder / f"{name}.json" for name in names)
    os.mkfifo(pipe)
    inner.mkdir()
    text.write_bytes(b"\xff{")
    large.touch()
    os.truncate(large, 10**9)
    # Deleting it would delete the runs of the other one.
    copy(folder / f"{sweep['id']}.json", copied)
    assert waiting.http.get("/sweeps").json() == before
    assert waiting.http.get(f"/sweeps/{copied.stem}").status_code == 404
    inner.rmdir()
    for path in (pipe, text, large, copied):
        path.unlink()


def test_sweep_with_damaged_recordings_is_shown_and_deleted(waiting: Server) -> None:
    sweep = start(waiting, {"name": "damaged", "seeds": 5})
    waiting.http.post(f"/sweeps/{sweep['id']}/control", json={"action": "stop"})
    paths = [waiting.home / "recordings" / f"{run}.stnscope" for run in run_ids(sweep)]
    cut, folder, text, empty, removed = paths
    os.truncate(cut, 5000)
    folder.unlink()
    folder.mkdir()
    text.write_text("no recording")
    os.truncate(empty, 0)
    removed.unlink()
    shown = show(waiting, sweep["id"])
    assert (shown["runs"], shown["others"]) == (4, {"damaged": 4})
    assert all(run["error"] for each in shown["combinations"] for run in each["runs"])
    for part in ("curves", "csv"):
        assert waiting.http.get(f"/sweeps/{sweep['id']}/{part}").status_code == 200
    resumed = waiting.http.post(f"/sweeps/{sweep['id']}/control", json={"action": "resume"})
    assert resumed.status_code == 200
    assert waiting.http.delete(f"/sweeps/{sweep['id']}").status_code == 204
    assert not any(path.exists() for path in paths)


def test_runs_of_a_sweep_open_elsewhere(
    sweep: dict[str, Any], waiting: Server, tmp_path: Path
) -> None:
    run_id = run_ids(sweep)[0]
    copy(waiting.home / "recordings" / f"{run_id}.stnscope", tmp_path / "elsewhere.stnscope")
    with Recording.open(tmp_path / "elsewhere.stnscope") as recording:
        assert recording.summary()["name"] == "affine, seed 0"
