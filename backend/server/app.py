"""The application: interface, streams and page on one port. Nothing is created at import."""

import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match
from starlette.types import ASGIApp

from stnscope.access.middleware import AccessControl
from stnscope.access.security_headers import DATA_POLICY, VIEWER_POLICY, SecurityHeaders
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from stnscope.backend.server import schemas
from stnscope.backend.server.cluster.cluster import Cluster
from stnscope.backend.server.downloads import Downloads
from stnscope.backend.server.http import description, page, problems
from stnscope.backend.server.http.body_deadline import BodyDeadline
from stnscope.backend.server.http.body_limit import BodyLimit
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.exports import Exports
from stnscope.backend.server.processes.imports import Imports, max_recording_bytes
from stnscope.backend.server.processes.inference_worker import InferenceWorker, command_on
from stnscope.backend.server.processes.trainers import Trainers
from stnscope.backend.server.requests.run_requests import RunRequests
from stnscope.backend.server.routes import (
    catalog,
    cluster,
    exports,
    pictures,
    recordings,
    results,
    runs,
    source,
    streams,
    sweeps,
)
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.state import State
from stnscope.backend.server.streams.slots import Slots
from stnscope.backend.server.streams.tail import Tails
from stnscope.backend.server.streams.transform_stream import TransformStreams
from stnscope.backend.server.sweeps import Sweeps
from stnscope.backend.version import VERSION

log = logging.getLogger(__name__)

ROUTERS = tuple(
    resource.router
    for resource in (
        catalog,
        cluster,
        runs,
        sweeps,
        recordings,
        pictures,
        exports,
        results,
        source,
        streams,
    )
)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
DESCRIPTION = """
Trains spatial transformer networks and lets you watch them: runs, their recordings, frames in the
safetensors layout, live streams, exports, and the transform of a picture of your own.
Live frames are sent over the WebSocket `/api/runs/{id}/stream`; `/api/transform/stream` transforms
a picture again and again.
"""


def create_app(settings: Settings, page_script: Path | None = None) -> FastAPI:
    """Create the application.

    Args:
        settings: the server's settings.
        page_script: the page's Streamlit script; without it only the interface is served.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, State]]:
        async with AsyncExitStack() as stack:
            if streamlit_app is not None:
                await stack.enter_async_context(streamlit_app.lifespan()(app))
            yield {"server": await _start(settings, stack)}

    app = _Application(
        _policies(page_script),
        settings.allowed_frames,
        title="stnscope",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted(settings.allowed_origins),
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        allow_credentials=True,
    )
    app.add_middleware(
        BodyLimit,
        file_limits={
            "/api/recordings": max_recording_bytes(settings.quota),
            "/api/transform|/api/runs/[^/]+/probes": MAX_PICTURE_BYTES,
        },
    )
    app.add_middleware(BodyDeadline, seconds=settings.deadlines.body)
    app.add_middleware(AccessControl, access=settings.access)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/api")
    app.add_api_route("/api/{rest:path}", _not_found, methods=METHODS, include_in_schema=False)
    description.install(app, schemas.UNROUTED)
    streamlit_app = page.mount(app, page_script) if page_script else None
    return app


class _Application(FastAPI):
    """FastAPI whose every response, those to errors too, has security headers."""

    def __init__(self, policies: Mapping[str, str], frames: Iterable[str], **options: Any) -> None:
        self._policies, self._frames = policies, frames
        super().__init__(**options)

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack(), self._policies, self._frames)


def _policies(page_script: Path | None) -> Mapping[str, str]:
    """Return the content security policies by the beginning of a path."""
    policies = {"/api/": DATA_POLICY, "/openapi.json": DATA_POLICY, "/docs": VIEWER_POLICY}
    if page_script is not None:
        policies["/"] = page.policy(os.environ.get("STNSCOPE_PUBLIC_URL", ""))
    return policies


async def _not_found(request: Request) -> None:
    """Respond with a problem, and never with the page, below `/api`."""
    if allowed := _allowed_methods(request):
        raise HTTPException(
            405,
            f"{request.method} is not one of the methods of this address: {', '.join(allowed)}.",
            {"Allow": ", ".join(allowed)},
        )
    raise HTTPException(404, f"There is nothing at {request.url.path}; /docs lists what there is.")


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods of a path below `/api`; none if there is no such path."""
    scope = {**request.scope, "path": request.scope["path"].removeprefix("/api")}
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted(
        method
        for route in routes
        for method in route.methods or ()
        if route.matches({**scope, "method": method})[0] is Match.FULL
    )


async def _start(settings: Settings, stack: AsyncExitStack) -> State:
    """Create the server's state, and start its processes."""
    state = await run_in_threadpool(_create_state, settings)
    for part in (
        state.exports,
        state.imports,
        state.worker,
        state.trainers,
        state.tails,
        state.devices,
    ):
        stack.push_async_callback(part.close)
    # The home of a server that only shows it is another one's to change.
    if not settings.view_only:
        await run_in_threadpool(state.imports.remove_abandoned)
        if refusal := await run_in_threadpool(state.runs.write_refusal):
            log.warning("%s", refusal)
        await state.trainers.start()
    if settings.standby:
        await state.worker.start()
    await state.devices.start()
    if settings.demonstration and not settings.view_only:
        await _start_demonstration(state)
    return state


def _create_state(settings: Settings) -> State:
    runs = Runs(settings.recordings, settings.quota, settings.data)
    worker = InferenceWorker(command_on(settings.device), settings.deadlines)
    cluster = (
        None
        if settings.cluster is None or settings.view_only
        else Cluster(settings.cluster, settings.retries, settings.deadlines)
    )
    devices = Devices(remote=None if cluster is None else cluster.remote_devices)
    trainers = Trainers(
        runs,
        settings.trainers,
        settings.control_timeout,
        settings.deadlines,
        standby=settings.standby,
        cluster=cluster,
    )
    return State(
        settings=settings,
        runs=runs,
        sweeps=Sweeps(runs),
        trainers=trainers,
        run_requests=RunRequests(
            runs, trainers, devices, settings.control_timeout, settings.deadlines
        ),
        cluster=cluster,
        tails=Tails(runs),
        viewer_slots=Slots(settings.viewers),
        worker=worker,
        transform_streams=TransformStreams(worker, runs.find_weights, settings.viewers),
        exports=Exports(runs, settings.deadlines),
        downloads=Downloads(runs.data, settings.mirror),
        imports=Imports(runs, settings.deadlines),
        devices=devices,
        refusal=settings.access.refusal,
    )


async def _start_demonstration(state: State) -> None:
    """Start the demonstration in a home without runs."""
    try:
        if await run_in_threadpool(state.runs.list):
            return
        run_id = await run_in_threadpool(state.runs.create, RunConfig(), demonstration=True)
        await state.trainers.submit(run_id, demonstration=True)
    except StnscopeError as error:
        log.warning("No demonstration is started. %s", error)
