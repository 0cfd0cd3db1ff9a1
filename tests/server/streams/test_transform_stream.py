"""The stream that transforms a picture again and again, against a real server."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.server.settings import Settings
from tests.live_server import Server, inference_pid, receive, send
from tests.timeouts import TIMEOUT_SECONDS

STREAM = "/transform/stream"
THETA = [0.5, 0.1, 0.2, -0.1, 0.6, -0.3]


def png(size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    pixels = np.random.default_rng(2).integers(0, 256, size, dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def post_picture(server: Server, **fields: str) -> Frame:
    response = server.http.post("/transform", files={"image": png()}, data=fields)
    return Frame.decode(response.raise_for_status().content)


@pytest.fixture
def picture(server: Server) -> str:
    """The key of a picture that was uploaded."""
    key: str = post_picture(server).info["picture"]
    return key


@pytest.fixture
def stream(server: Server) -> Iterator[ClientConnection]:
    with server.open_socket(STREAM) as stream:
        send(stream, type="hello")
        yield stream


def transform(stream: ClientConnection, **fields: Any) -> Frame:
    send(stream, type="transform", **fields)
    return Frame.decode(receive(stream, "frame"))


def refused(stream: ClientConnection, **fields: Any) -> dict[str, Any]:
    send(stream, type="transform", **fields)
    error: dict[str, Any] = receive(stream, "error")
    return error


def assert_equal(actual: Frame, expected: Frame) -> None:
    assert actual.tensors.keys() == expected.tensors.keys()
    for name, tensor in actual.tensors.items():
        np.testing.assert_array_equal(tensor, expected.tensors[name], err_msg=name)


def test_transform_applies_a_given_theta(server: Server) -> None:
    overridden = post_picture(server, theta=json.dumps({"st": THETA}))
    np.testing.assert_allclose(overridden.tensors["theta.st"], [THETA], rtol=1e-6)
    assert overridden.info["given"] == ["st"]
    predicted = post_picture(server)
    assert predicted.info["given"] == []
    assert predicted.info["picture"] == overridden.info["picture"]
    assert (predicted.tensors["output.st"] != overridden.tensors["output.st"]).any()
    assert_equal(predicted, post_picture(server, theta=""))


@pytest.mark.parametrize(
    ("theta", "field", "detail"),
    [
        ("{", "theta", "not JSON"),
        ("[]", "theta", "JSON object"),
        ('{"st": [1, 2]}', "theta.st", "list of 6 numbers"),
        ('{"st": [1, 2, 3, 4, 5, NaN]}', "theta.st", "list of 6 numbers"),
        ('{"st": [1, 2, 3, 4, 5, 1e999]}', "theta.st", "list of 6 numbers"),
        ('{"st2": [1, 0, 0, 0, 1, 0]}', "theta.st2", "there are st"),
    ],
)
def test_invalid_theta_is_422(server: Server, theta: str, field: str, detail: str) -> None:
    response = server.http.post("/transform", files={"image": png()}, data={"theta": theta})
    assert response.status_code == 422
    assert response.json()["field"] == field
    assert detail in response.json()["detail"]


def test_stream_returns_the_same_frame_as_the_form(
    server: Server, stream: ClientConnection, picture: str
) -> None:
    predicted = transform(stream, picture=picture)
    assert_equal(post_picture(server), predicted)
    assert predicted.info["request"] is None
    overridden = transform(stream, picture=picture, theta={"st": THETA}, request=7)
    assert_equal(post_picture(server, theta=json.dumps({"st": THETA})), overridden)
    assert (overridden.info["request"], overridden.info["given"]) == (7, ["st"])
    distortion = {"name": "centred"}
    streamed = transform(stream, picture=picture, distortion=distortion, weights="digits")
    assert_equal(post_picture(server, distortion=json.dumps(distortion)), streamed)
    assert transform(stream, picture=picture, weights="signs").info["weights"] == "signs"


def test_stream_applies_given_corners(stream: ClientConnection, picture: str) -> None:
    corners = [[10, 4], [34, 10], [30, 40], [6, 34]]  # a parallelogram
    with_corners = transform(stream, picture=picture, corners={"st": corners})
    np.testing.assert_allclose(with_corners.tensors["corners.st"], [corners], atol=1e-4)
    without = transform(stream, picture=picture)
    assert without.info["given"] == []


def test_stream_answers_only_the_newest_of_waiting_requests(
    server: Server, stream: ClientConnection, picture: str
) -> None:
    worker = inference_pid(server)
    os.kill(worker, signal.SIGSTOP)
    try:
        send(stream, type="transform", picture=picture, request=1)
        stream.send("not json")
        receive(stream, "error")  # what was sent before it has been received
        for request in range(2, 9):
            send(stream, type="transform", picture=picture, request=request)
        stream.send("not json")
        receive(stream, "error")
    finally:
        os.kill(worker, signal.SIGCONT)
    responses = [Frame.decode(receive(stream, "frame")).info["request"] for _ in range(2)]
    assert responses == [1, 8]
    assert transform(stream, picture=picture, request=9).info["request"] == 9


@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"picture": "0" * 32}, "picture", "no longer available"),
        ({"weights": "none"}, None, "there are digits"),
        ({"weights": 5}, "weights", "text, not 5"),
        ({"picture": "x" * 65}, "picture", "64"),
        ({"theta": [1]}, "theta", "an object"),
        ({"theta": {"st": [1] * 5}}, "theta.st", "list of 6 numbers"),
        ({"theta": {"st": [1] * 20_000}}, "theta.st", "list of 6 numbers"),
        ({"theta": {"other": [1] * 6}}, "theta.other", "there are st"),
        ({"corners": {"st": [[0, 0]] * 3}}, "corners.st", "four points"),
        ({"corners": {"st": [[0, 0]] * 4}, "theta": {"st": THETA}}, "corners.st", "not both"),
        ({"distortion": {"name": "melted"}}, "distortion.name", "melted"),
        ({"distortion": "RTS"}, "distortion", "an object"),
        ({"request": -1}, "request", "at least 0"),
        ({"variation": {"rotation": "far"}}, "variation.rotation", "a number"),
        ({"gradient": {"class": 10}}, "gradient.class", "less than 10"),
        ({"steps": {"class": 1, "count": 51}}, "steps.count", "at most 50"),
        ({"maps": 1}, "maps", "true or false"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_request_that_fails_is_an_error_message_and_the_stream_continues(
    stream: ClientConnection,
    picture: str,
    fields: dict[str, Any],
    field: str | None,
    detail: str,
) -> None:
    error = refused(stream, **{"picture": picture, "request": 3, **fields})
    assert detail in error["detail"]
    assert error["field"] == field
    assert error.get("request", 3) == 3
    assert transform(stream, picture=picture).info["given"] == []


@pytest.mark.parametrize(
    "message",
    ["not json", "[]", '{"type": "follow"}', '{"type": "transform"}', "{" * 5000, b"\x89PNG\r\n"],
)
def test_malformed_message_is_an_error_message_and_the_stream_continues(
    server: Server, picture: str, message: str | bytes
) -> None:
    with server.open_socket(STREAM) as stream:
        for _ in range(2):
            stream.send(message)
            assert receive(stream, "error")["detail"]
            send(stream, type="hello")
        assert receive(stream, "error")["detail"] == "This stream has received its hello already."
        assert transform(stream, picture=picture)


@pytest.mark.parametrize("number", ["1" + "0" * 5000, "NaN", "-Infinity", "1e999", '"1"'])
def test_non_finite_numbers_are_refused_and_the_stream_continues(
    stream: ClientConnection, picture: str, number: str
) -> None:
    theta = f'{{"st": [{", ".join([number] * 6)}]}}'
    stream.send(f'{{"type": "transform", "picture": "{picture}", "theta": {theta}}}')
    assert receive(stream, "error")["detail"]
    assert transform(stream, picture=picture)


def test_transform_stream_needs_a_hello_first(server: Server, picture: str) -> None:
    with server.open_socket(STREAM) as stream:
        assert "hello" in refused(stream, picture=picture)["detail"]


def test_missing_hello_closes_the_stream_with_1008(server: Server) -> None:
    with server.open_socket(STREAM) as stream:
        assert close_code(stream) == 1008


def test_idle_stream_sends_heartbeats(stream: ClientConnection) -> None:
    assert receive(stream, "heartbeat")["time"] > 0


def test_large_picture_is_not_cached(server: Server, stream: ClientConnection) -> None:
    large = b"\x89PNG\r\n\x1a\n" + bytes(10_000_001)
    assert server.http.post("/transform", files={"image": large}).status_code == 413
    with suppress(ConnectionClosed):  # the socket may be closed before all is sent
        stream.send(large)
    # 1009, or 1006 if the connection is reset before the close frame is received.
    assert close_code(stream) in (1009, 1006)
    assert post_picture(server).info["picture"]


def test_pictures_are_lost_with_the_inference_process(
    server: Server, stream: ClientConnection, picture: str
) -> None:
    worker = inference_pid(server)
    os.kill(worker, signal.SIGSTOP)
    send(stream, type="transform", picture=picture, request=5)
    stream.send("not json")
    receive(stream, "error")
    os.kill(worker, signal.SIGKILL)
    error = receive(stream, "error")
    # The second where the process ended before the request was sent to it.
    lost = "ended while it read this one|This picture is no longer available"
    assert re.search(lost, error["detail"])
    assert error["request"] == 5
    assert "Upload it again" in refused(stream, picture=picture)["detail"]
    assert post_picture(server).info["picture"] == picture
    assert transform(stream, picture=picture).info["picture"] == picture


def test_streams_beyond_the_limit_are_refused(server: Server) -> None:
    with ExitStack() as open_streams:
        for _ in range(Settings(home=server.home).viewers):
            stream = open_streams.enter_context(server.open_socket(STREAM))
            send(stream, type="hello")
        with server.open_socket(STREAM) as refused:
            assert close_code(refused) == 1013
    with server.open_socket(STREAM) as stream:
        send(stream, type="hello")
        assert receive(stream, "heartbeat")


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1:{port}", "null"])
def test_stream_from_another_origin_is_refused(server: Server, origin: str) -> None:
    headers = {"Origin": origin.format(port=server.port)}
    with (
        pytest.raises(InvalidStatus) as refused,
        server.open_socket(STREAM, additional_headers=headers),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_stream_from_the_own_origin_is_accepted(server: Server, picture: str) -> None:
    origin = {"Origin": f"http://127.0.0.1:{server.port}"}
    with server.open_socket(STREAM, additional_headers=origin) as stream:
        send(stream, type="hello")
        assert transform(stream, picture=picture)


def close_code(stream: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            stream.recv(timeout=TIMEOUT_SECONDS)
    return stream.close_code
