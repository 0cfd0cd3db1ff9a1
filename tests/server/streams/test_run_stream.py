"""The live stream, as a client uses it, against a real server."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.server.settings import Settings
from tests.live_server import Server, receive, send, wait_until
from tests.timeouts import TIMEOUT_SECONDS


def test_finished_run_sends_its_state_all_metrics_and_the_last_frame(
    server: Server, finished: str
) -> None:
    with server.open_stream(finished) as viewer:
        run = receive(viewer, "run")
        assert (run["id"], run["status"], run["skipped"]) == (finished, "finished", 0)
        send(viewer, type="hello", last_step=None)
        send(viewer, type="follow")
        frame = Frame.decode(receive(viewer, "frame"))
        assert frame.info["step"] == 24
        assert "input" in frame.tensors
    with server.open_stream(finished) as viewer:
        send(viewer, type="hello", last_step=20)
        assert receive(viewer, "metrics")["step"] == [21, 22, 23, 24]


def test_frames_are_sent_while_following_with_the_input_once(server: Server, running: str) -> None:
    with server.open_stream(running) as viewer:
        send(viewer, type="hello")
        send(viewer, type="follow")
        frames = []
        for _ in range(6):
            frames.append(Frame.decode(receive(viewer, "frame")))
            send(viewer, type="credit", frames=1)
        steps = [frame.info["step"] for frame in frames]
        assert steps == sorted(set(steps))
        assert ["input" in frame.tensors for frame in frames] == [True] + [False] * 5
        send(viewer, type="hold")
        in_flight = frames_until(viewer, steps[-1] + 20)
        assert len(in_flight) <= 2
        send(viewer, type="follow")
        assert receive_step(viewer) > steps[-1]


def test_without_credit_two_frames_are_sent_and_others_counted_as_skipped(
    server: Server, running: str
) -> None:
    with server.open_stream(running) as viewer:
        send(viewer, type="hello")
        send(viewer, type="follow")
        later = [receive_step(viewer) for _ in range(2)][-1] + 20
        assert not frames_until(viewer, later)
        send(viewer, type="credit", frames=1)
        assert receive_step(viewer) >= later
        wait_until(lambda: receive(viewer, "run")["skipped"] > 0)


def test_frames_during_hold_do_not_count_as_skipped(server: Server, running: str) -> None:
    with server.open_stream(running) as viewer:
        send(viewer, type="hello")
        send(viewer, type="follow")
        step = receive_step(viewer)
        send(viewer, type="hold")
        frames_until(viewer, step + 20)
        send(viewer, type="credit", frames=8)
        send(viewer, type="follow")
        first = receive_step(viewer)
        while receive(viewer, "run")["step"] <= first:
            pass
        # Some are skipped before the hold is received.
        assert receive(viewer, "run")["skipped"] < 10


def test_credit_is_limited_to_eight_frames(server: Server, running: str) -> None:
    with server.open_stream(running) as viewer:
        send(viewer, type="hello")
        send(viewer, type="credit", frames=100)
        send(viewer, type="follow")
        last = [receive_step(viewer) for _ in range(8)][-1]
        assert not frames_until(viewer, last + 20)


def test_metrics_continue_without_gap_or_repetition(server: Server, running: str) -> None:
    with server.open_stream(running) as viewer:
        send(viewer, type="hello", last_step=0)
        steps: list[int] = []
        while len(steps) < 30:
            steps += receive(viewer, "metrics")["step"]
    assert steps == list(range(1, len(steps) + 1))


def test_change_of_status_is_sent_at_once(server: Server, running: str) -> None:
    with server.open_stream(running) as viewer:
        send(viewer, type="hello")
        server.control(running, "pause")
        wait_until(lambda: "resume" in receive(viewer, "run")["can"])
        assert server.get_run(running)["status"] == "paused"
        server.control(running, "resume")
        wait_until(lambda: "pause" in receive(viewer, "run")["can"])


def test_idle_stream_sends_heartbeats(server: Server, finished: str) -> None:
    with server.open_stream(finished) as viewer:
        send(viewer, type="hello")
        assert receive(viewer, "heartbeat")["time"] > 0


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "[]",
        '"hello"',
        '{"type": "helo"}',
        '{"type": "credit", "frames": -1}',
        '{"type": "credit", "frames": "many"}',
        '{"type": "hello", "last_step": {}}',
        "{" * 5000,
        b"\x00\xff",
    ],
)
def test_malformed_message_is_an_error_message_and_the_stream_continues(
    server: Server, finished: str, message: str | bytes
) -> None:
    with server.open_stream(finished) as viewer:
        viewer.send(message)
        assert receive(viewer, "error")["detail"]
        send(viewer, type="hello")
        viewer.send(message)
        assert receive(viewer, "error")["detail"]
        send(viewer, type="follow")
        assert receive(viewer, "frame")


def test_oversized_message_closes_only_its_own_socket(server: Server, finished: str) -> None:
    with server.open_stream(finished) as other:
        send(other, type="hello")
        with server.open_stream(finished) as viewer:
            with suppress(ConnectionClosed):  # the socket may be closed before all is sent
                viewer.send("x" * 4_000_000)
            # 1009, or 1006 if the connection is reset before the close frame is received.
            assert close_code(viewer) in (1009, 1006)
        send(other, type="follow")
        assert receive(other, "frame")


def test_missing_hello_closes_the_stream_with_1008(server: Server, finished: str) -> None:
    with server.open_stream(finished) as viewer:
        assert close_code(viewer) == 1008


def test_stream_of_an_unknown_run_is_closed_with_4404(server: Server) -> None:
    with server.open_stream("none") as viewer:
        assert close_code(viewer) == 4404


def test_viewers_are_notified_when_their_run_is_deleted(server: Server) -> None:
    run_id = server.start_run()
    server.wait_for_step(run_id, 1)
    server.control(run_id, "stop")
    with server.open_stream(run_id) as viewer:
        send(viewer, type="hello")
        wait_until(lambda: server.http.delete(f"/runs/{run_id}").status_code == 204)
        wait_until(lambda: receive(viewer, "run")["status"] == "deleted")


def test_stalled_viewer_does_not_delay_others(server: Server, running: str) -> None:
    with (
        server.open_stream(running, max_queue=1, close_timeout=1) as stalled,
        server.open_stream(running) as viewer,
    ):
        for client in (stalled, viewer):
            send(client, type="hello")
            send(client, type="follow")
        send(stalled, type="credit", frames=6)
        for _ in range(20):
            assert receive(viewer, "frame")
            send(viewer, type="credit", frames=1)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost.evil.example:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "null",
    ],
)
def test_stream_from_another_origin_is_refused(server: Server, finished: str, origin: str) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        server.open_stream(
            finished, additional_headers={"Origin": origin.format(port=server.port)}
        ),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_viewers_beyond_the_limit_are_refused_also_if_they_come_together(
    server: Server, finished: str
) -> None:
    limit = Settings(home=server.home).viewers

    def open_stream(viewers: ExitStack) -> int | None:
        """Open a stream; return the code with which it is closed, if it is not served."""
        viewer = viewers.enter_context(server.open_stream(finished))
        with suppress(ConnectionClosed):
            send(viewer, type="hello", last_step=24)
            receive(viewer, "run")
        return viewer.close_code

    with ExitStack() as viewers, ThreadPoolExecutor(limit + 8) as threads:
        codes = list(threads.map(open_stream, [viewers] * (limit + 8)))
        assert codes.count(None) == limit
        assert codes.count(1013) == 8


def test_stream_from_the_own_origin_is_accepted(server: Server, finished: str) -> None:
    origin = {"Origin": f"http://127.0.0.1:{server.port}"}
    with server.open_stream(finished, additional_headers=origin) as viewer:
        assert receive(viewer, "run")["id"] == finished


def close_code(viewer: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            viewer.recv(timeout=TIMEOUT_SECONDS)
    return viewer.close_code


def receive_step(viewer: ClientConnection) -> int:
    """Wait for a frame; return its step."""
    return int(Frame.decode(receive(viewer, "frame")).info["step"])


def frames_until(viewer: ClientConnection, step: int) -> list[bytes]:
    """Return the frames that are received until the stream reports the run at `step`."""
    frames = []
    while True:
        message = viewer.recv(timeout=TIMEOUT_SECONDS)
        if isinstance(message, bytes):
            frames.append(message)
            continue
        state = json.loads(message)
        if state["type"] == "run" and state["step"] >= step:
            return frames
