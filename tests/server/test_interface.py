"""The interface as its description has it: numbers, bodies, methods and the shapes of responses."""

import asyncio
import json
import threading
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter, model_validator

from stnscope.access.responses import PROBLEM_TYPE
from stnscope.backend.experiment.limits import MAX_COUNT, MAX_JSON_BYTES
from stnscope.backend.server import schemas
from stnscope.backend.server.app import create_app
from stnscope.backend.server.http.api_router import SMALL_BODY_BYTES, ApiRouter
from stnscope.backend.server.settings import Settings
from tests.live_server import Server, receive, send

JSON = {"Content-Type": "application/json"}
BINARY = {"type": "string", "format": "binary"}


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return create_app(Settings(home=tmp_path_factory.mktemp("home"))).openapi()


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }


def test_every_error_is_described_as_problem_details(description: dict[str, Any]) -> None:
    for name, operation in operations(description).items():
        errors = {status for status in operation["responses"] if int(status) >= 400}
        assert {"401", "403", "421", "500", "503"} <= errors, name
        for status in errors:
            content = operation["responses"][status]["content"]
            problem = {"$ref": "#/components/schemas/Problem"}
            assert content == {PROBLEM_TYPE: {"schema": problem}}, (name, status)


def test_every_response_is_typed(description: dict[str, Any]) -> None:
    shapes = description["components"]["schemas"]
    for name, operation in operations(description).items():
        [success] = [status for status in operation["responses"] if int(status) < 300]
        content = operation["responses"][success].get("content", {})
        assert bool(content) == (success != "204"), name
        for media_type, body in content.items():
            schema = body["schema"]
            if media_type != "application/json":
                assert schema == BINARY, name
                continue
            schema = schema["items"] if schema.get("type") == "array" else schema
            assert schema["$ref"].rpartition("/")[2] in shapes, name


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/health", schemas.Health),
        ("/catalog", schemas.Catalog),
        ("/datasets/digits", schemas.Dataset),
        ("/results", schemas.Results),
        ("/runs", list[schemas.Run]),
        ("/runs/{run}", schemas.Run),
        ("/runs/example-digits", schemas.Run),
        ("/runs/{run}/frames", schemas.FrameList),
        ("/runs/{run}/metrics?every=5", schemas.Metrics),
        ("/runs/none", schemas.Problem),
        ("/sweeps", list[schemas.SweepSummary]),
        ("/sweeps/none", schemas.Problem),
        ("/runs/{run}/metrics?every=0", schemas.Problem),
    ],
)
def test_responses_have_the_described_shape(
    server: Server, finished: str, path: str, shape: Any
) -> None:
    response = server.http.get(path.format(run=finished))
    TypeAdapter(shape).validate_json(response.content, extra="forbid")


def test_jobs_have_the_described_shape(server: Server, finished: str) -> None:
    job = server.http.post(f"/runs/{finished}/exports", json={})
    schemas.Export.model_validate_json(job.content, extra="forbid")
    cancelled = server.http.delete(f"/exports/{job.json()['id']}")
    assert cancelled.status_code == 204


def test_messages_of_a_stream_have_the_described_shape(server: Server, finished: str) -> None:
    with server.open_stream(finished) as viewer:
        viewer.send('{"type": "wave"}')
        send(viewer, type="hello")
        shapes = {
            "run": schemas.RunUpdate,
            "error": schemas.ErrorUpdate,
            "metrics": schemas.MetricsUpdate,
            "heartbeat": schemas.Heartbeat,
        }
        for kind, shape in shapes.items():
            TypeAdapter(shape).validate_python(receive(viewer, kind), extra="forbid")


@pytest.mark.parametrize(
    "number",
    [str(MAX_COUNT + 1), str(2**64), "9" * 31, "9" * 5000],
    ids=["54 bits", "65 bits", "31 digits", "5000 digits"],
)
@pytest.mark.parametrize(
    "path",
    [
        "frames/{}",
        "frames/1?attempt={}",
        "frames/1?lap={}",
        "metrics?after={}",
        "metrics?every={}",
        "export?first={}",
        "export?last={}",
        "export?frames={}",
        "export?samples={}",
    ],
)
def test_numbers_beyond_the_limit_are_refused(
    server: Server, finished: str, path: str, number: str
) -> None:
    response = server.http.get(f"/runs/{finished}/{path.format(number)}")
    assert response.status_code == 422, response.text
    assert "whole number" in response.text or "at most" in response.text


def test_largest_numbers_are_accepted(server: Server, finished: str) -> None:
    for path in (f"frames/{MAX_COUNT}", f"metrics?after={MAX_COUNT}&every={MAX_COUNT}"):
        assert server.http.get(f"/runs/{finished}/{path}").status_code == 200, path
    assert server.http.get(f"/runs/{finished}/frames/1?lap={MAX_COUNT}").status_code == 404


def test_body_beyond_its_limit_is_refused(server: Server) -> None:
    for path in ("/runs", "/runs/none/control", "/runs/none/exports"):
        response = server.http.post(path, content=b" " * (MAX_JSON_BYTES + 1), headers=JSON)
        assert response.status_code == 413, path
        assert "64 kB" in response.json()["detail"]


def test_at_most_ten_faults_are_named(server: Server) -> None:
    for count in (3, 20, 5000):
        body = json.dumps({f"f{number}": 0 for number in range(count)})
        assert len(body) < MAX_JSON_BYTES
        problem = server.http.post("/runs", content=body, headers=JSON).json()
        assert problem["field"] == "f0"
        assert len(problem["errors"]) == min(count, 10)


@pytest.mark.parametrize("body", ['{"architecture": "\\ud800"}', '{"\\ud800": 1}'])
def test_text_that_is_not_unicode_is_refused(server: Server, body: str) -> None:
    response = server.http.post("/runs", content=body, headers=JSON)
    assert response.status_code == 422
    assert response.headers["content-type"] == PROBLEM_TYPE


def test_long_field_names_are_shortened_in_the_problem(server: Server) -> None:
    response = server.http.post("/runs", json={"f" * 60_000: 1})
    assert response.status_code == 422
    assert len(response.content) < 2000


def test_large_bodies_are_validated_in_a_thread() -> None:
    threads = []

    class Body(BaseModel, extra="forbid"):
        @model_validator(mode="before")
        @classmethod
        def _note_thread(cls, value: Any) -> Any:
            threads.append(threading.current_thread())
            return value

    router = ApiRouter()

    @router.post("/")
    async def accept(body: Body) -> None: ...

    app = FastAPI()
    app.include_router(router)

    async def post(body: dict[str, int]) -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return (await client.post("/", json=body)).status_code

    large = {f"f{number}": 0 for number in range(SMALL_BODY_BYTES)}
    assert asyncio.run(post(large)) == 422
    assert threading.current_thread() not in threads
    assert asyncio.run(post({"f": 0})) == 422
    assert threading.current_thread() in threads


def test_head_has_the_headers_of_get_and_no_body(
    server: Server, finished: str, description: dict[str, Any]
) -> None:
    paths = [path for path, methods in description["paths"].items() if "get" in methods]
    assert "/api/health" in paths
    for path in paths:
        address = path.removeprefix("/api").format(
            run_id=finished,
            step=1,
            export_id="none",
            sweep_id="none",
            name="digits",
            origin="stnscope",
            path="models/grid.py",
        )
        get, head = server.http.get(address), server.http.head(address)
        assert head.status_code == get.status_code, path
        assert head.content == b"", path
        assert head.headers["content-type"] == get.headers["content-type"], path
    assert server.http.head("/runs").headers["content-length"] != "0"


def test_refused_method_lists_those_of_the_address(server: Server) -> None:
    response = server.http.put("/runs")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"
    assert server.http.head("/transform").headers["allow"] == "POST"


def test_large_message_does_not_end_a_stream(server: Server, finished: str) -> None:
    with server.open_stream(finished) as viewer:
        send(viewer, type="hello", padding="x" * MAX_JSON_BYTES)
        assert "larger than 64 kB" in receive(viewer, "error")["detail"]
        send(viewer, type="hello")
        assert receive(viewer, "metrics")["step"]


def test_description_is_served(server: Server, description: dict[str, Any]) -> None:
    address = f"http://127.0.0.1:{server.port}/openapi.json"
    assert httpx.get(address).json()["paths"] == description["paths"]
