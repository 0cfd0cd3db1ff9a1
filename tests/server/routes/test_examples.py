"""The examples, as they are listed and served."""

from stnscope.backend.experiment.catalog.examples import EXAMPLES
from stnscope.backend.server.runs import EXAMPLE_FOLDER, example_path
from tests.live_server import Server

MAX_BYTES = 7_000_000
"""Maximum of all examples together."""


def test_examples_are_listed_apart_from_the_runs_of_the_home(server: Server) -> None:
    examples = server.http.get("/examples").json()
    ids = [example["run"]["id"] for example in examples]
    assert ids == [example.id for example in EXAMPLES.values()]
    assert not {run["id"] for run in server.http.get("/runs").json()} & {*ids}
    for example in examples:
        assert example["compare"] in (None, *ids)
        assert example["run"]["status"] == "finished"
        assert example["run"]["can"] == []
        assert example["run"]["frames"] >= 25


def test_example_is_played_exported_and_downloaded_and_stays(server: Server) -> None:
    address = "/runs/example-cure"
    steps = server.recorded_steps("example-cure")
    assert steps[0] == 0
    assert server.http.get(f"{address}/frames/{steps[-1]}").status_code == 200
    made = server.http.get(f"{address}/export", params={"frames": 2, "samples": 1})
    assert made.content.startswith(b"GIF8")
    downloaded = server.http.get(f"{address}/recording")
    assert downloaded.content.startswith(b"SQLite")
    assert server.http.delete(address).status_code == 409
    assert server.control("example-cure", "resume").status_code == 409
    assert server.http.patch(address, json={"name": "mine"}).status_code == 409
    assert server.http.get(address).status_code == 200


def test_an_example_is_shipped_for_each_name_and_all_are_small() -> None:
    files = [example_path(example.id) for example in EXAMPLES.values()]
    assert sorted(EXAMPLE_FOLDER.iterdir()) == sorted(files)
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
