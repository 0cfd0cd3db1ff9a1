"""A recording of 200,000 steps and 50,000 frames: each answer about it has a bound."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.limits import MAX_METRIC_ROWS
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import connect, create
from stnscope.backend.server.streams.tail import MAX_MESSAGE_ROWS
from tests.live_server import Server, receive, send
from tests.server.in_process import serve_in_thread

STEPS = 200_000
FRAMES_EVERY = 4
PEAK = 123_457
"""The only step with this loss."""
VALIDATED_EVERY = 7_001
RUN = "large"

ROWS = """
WITH RECURSIVE numbers(step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM numbers WHERE step < ?)
"""


def make(path: Path) -> None:
    """Write the rows of a long run; its frames have no content."""
    path.parent.mkdir()
    create(path, config=RunConfig(), steps_per_epoch=STEPS)
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        connection.execute(
            f"""INSERT INTO steps (step, attempt, time, epoch, loss, accuracy, scale, collapsed)
            {ROWS} SELECT step, 0, 1.7e9 + step / 7.0, 1, iif(step = {PEAK}, 9, 1.0 / (step + 1)),
            iif(step % {VALIDATED_EVERY} = 0, step / {STEPS}.0, NULL),
            iif(step % {FRAMES_EVERY} = 0, 0.7, NULL),
            iif(step % {FRAMES_EVERY} = 0, iif(step = 100000, 0.5, 0), NULL) FROM numbers""",
            (STEPS - 1,),
        )
        connection.execute("INSERT INTO inputs VALUES ('none', x'00')")
        connection.execute(
            f"""INSERT INTO frames (step, attempt, moving, kept, input, data)
            {ROWS} SELECT {FRAMES_EVERY} * step, 0, 0, 0, 'none', x'00' FROM numbers""",
            (STEPS // FRAMES_EVERY - 1,),
        )
        connection.execute("UPDATE run SET status = 'stopped', step = ?", (STEPS - 1,))
        connection.execute("COMMIT")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    make(home / "recordings" / f"{RUN}.stnscope")
    with serve_in_thread(home) as server:
        yield server


def test_metrics_of_all_steps_come_in_parts(server: Server) -> None:
    response = server.http.get(f"/runs/{RUN}/metrics", params={"after": STEPS - 25_000})
    sizes, steps = [], []
    while True:
        sizes.append(int(response.headers["content-length"]))
        steps += response.raise_for_status().json()["step"]
        if "next" not in response.links:
            break
        response = server.http.get(f"/runs/{RUN}/{response.links['next']['url']}")
    assert steps == list(range(STEPS - 24_999, STEPS))
    assert len(sizes) == 3
    assert max(sizes) < 60 * MAX_METRIC_ROWS
    first = server.http.get(f"/runs/{RUN}/metrics").json()["step"]
    assert first == list(range(MAX_METRIC_ROWS))


def test_sample_of_metrics_is_small_and_loses_no_peak(server: Server) -> None:
    response = server.http.get(f"/runs/{RUN}/metrics", params={"points": 2000})
    assert len(response.content) < 400_000
    columns = response.json()
    assert 400 <= len(columns["step"]) <= 2000
    assert columns["step"] == sorted(set(columns["step"]))
    assert columns["step"][-1] == STEPS - 1
    assert columns["loss"][columns["step"].index(PEAK)] == 9
    assert columns["collapsed"][columns["step"].index(100_000)] == 0.5
    # As rare as it is, each accuracy is there.
    validated = [s for s, value in zip(columns["step"], columns["accuracy"], strict=True) if value]
    assert validated == list(range(VALIDATED_EVERY, STEPS, VALIDATED_EVERY))
    later = server.http.get(f"/runs/{RUN}/metrics", params={"points": 100, "after": 150_000})
    assert later.json()["step"][0] > 150_000
    assert len(later.json()["step"]) <= 100
    none = server.http.get(f"/runs/{RUN}/metrics", params={"points": 1, "after": STEPS})
    assert none.json()["step"] == []


def test_recorded_steps_are_listed_compactly_and_in_parts(server: Server) -> None:
    response = server.http.get(f"/runs/{RUN}/frames")
    assert int(response.headers["content-length"]) < 150_000
    frames = response.json()
    assert frames["steps"] == list(range(0, STEPS, FRAMES_EVERY))
    later = server.http.get(f"/runs/{RUN}/frames", params={"after": 199_990})
    assert len(later.content) < 100
    assert later.json() == {"attempt": 0, "before": 49_998, "steps": [199_992, 199_996], "laps": []}
    known = {"If-None-Match": response.headers["etag"]}
    assert server.http.get(f"/runs/{RUN}/frames", headers=known).status_code == 304


def test_stream_sends_missing_metrics_in_messages_of_bounded_size(server: Server) -> None:
    with server.open_stream(RUN) as viewer:
        send(viewer, type="hello", last_step=STEPS - 1 - 2 * MAX_MESSAGE_ROWS - 7)
        parts = [receive(viewer, "metrics")["step"] for _ in range(3)]
    assert [len(part) for part in parts] == [MAX_MESSAGE_ROWS, MAX_MESSAGE_ROWS, 7]
    assert [step for part in parts for step in part] == list(
        range(STEPS - 2 * MAX_MESSAGE_ROWS - 7, STEPS)
    )


def test_new_metrics_are_found_without_reading_the_others(server: Server) -> None:
    thousands = 0

    def count() -> int:
        nonlocal thousands
        thousands += 1
        return 0

    with Recording.open(server.home / "recordings" / f"{RUN}.stnscope") as recording:
        recording.connection.set_progress_handler(count, 1000)  # SQLite's instructions
        assert recording.new_metrics(STEPS - 3)["step"] == [STEPS - 3, STEPS - 2, STEPS - 1]
    assert thousands < 10
