"""Routes about runs and their recordings: what happened, and starting more."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import model_validator
from starlette.background import BackgroundTask

from backend.experiment.config import RunConfig, SettingsChange
from backend.experiment.recording import ENDED, SUFFIX
from backend.server.incoming import RECORDING_FIELD
from backend.server.runs import Run
from backend.server.state import Server
from backend.version import VERSION
from gate.keeping import FOR_EVER

router = APIRouter()

FRAME_TYPE = "application/octet-stream"
RECORDING_BODY = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {RECORDING_FIELD: {"type": "string", "format": "binary"}},
            "required": [RECORDING_FIELD],
        }
    },
    FRAME_TYPE: {"schema": {"type": "string", "format": "binary"}},
}


class Control(SettingsChange):
    """What is asked of a trainer: to change settings, to do something, or both, in this order."""

    action: Literal["pause", "resume", "step", "stop"] | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.given:
            raise ValueError("Name an action, or settings to change.")
        return self


@router.get("/health", tags=["server"])
def health() -> dict[str, str]:
    """Answers once the server can serve."""
    return {"status": "ok", "version": VERSION}


@router.get("/runs", tags=["runs"])
def list_runs(server: Server) -> list[Run]:
    """All runs, the newest first."""
    return [server.shown(run) for run in server.runs.list()]


@router.post("/runs", status_code=201, tags=["runs"])
async def start_run(config: RunConfig, server: Server, response: Response) -> Run:
    """Starts a run; an empty object starts the demonstration's configuration."""
    run_id = server.runs.create(config)
    await server.trainers.submit(run_id)
    response.headers["Location"] = f"/api/runs/{run_id}"
    return server.shown(server.runs.summary(run_id))


@router.get("/runs/{run_id}", tags=["runs"])
def show_run(run_id: str, server: Server) -> Run:
    """One run."""
    return server.shown(server.runs.summary(run_id))


@router.post("/runs/{run_id}/control", tags=["runs"])
async def control_run(run_id: str, control: Control, server: Server) -> Run:
    """Pauses, resumes, steps or stops a run, or changes its settings; answers once it shows."""
    settings = control.model_dump(exclude_none=True, exclude={"action"})
    if settings:
        await server.trainers.change(run_id, settings)
    if control.action is not None:
        await server.trainers.control(run_id, control.action)
    return server.shown(server.runs.summary(run_id))


@router.delete("/runs/{run_id}", status_code=204, tags=["runs"])
async def delete_run(run_id: str, server: Server) -> None:
    """Removes a run that has no live trainer."""
    server.runs.path(run_id)
    await server.trainers.release(run_id)
    server.runs.delete(run_id)


@router.get("/runs/{run_id}/metrics", tags=["recordings"])
def show_metrics(
    run_id: str,
    server: Server,
    after: Annotated[int | None, Query(ge=-1)] = None,
    every: Annotated[int, Query(ge=1)] = 1,
) -> dict[str, list[Any]]:
    """Columns over steps."""
    with server.runs.open(run_id) as recording:
        columns = recording.metrics(after=after, every=every)
    del columns["seq"]
    return columns


@router.get("/runs/{run_id}/frames", tags=["recordings"])
def list_frames(run_id: str, server: Server) -> dict[str, Any]:
    """The recorded steps."""
    with server.runs.open(run_id) as recording:
        attempt = recording.summary()["attempt"]
        frames = recording.frames()
    return {
        "attempt": attempt,
        "steps": [frame.step for frame in frames if frame.lap is None],
        "laps": [[frame.step, frame.lap] for frame in frames if frame.lap is not None],
    }


@router.get(
    "/runs/{run_id}/frames/{step}",
    tags=["recordings"],
    response_class=Response,
    responses={200: {"content": {FRAME_TYPE: {}}}},
)
def show_frame(
    run_id: str,
    step: int,
    server: Server,
    attempt: Annotated[int | None, Query(ge=0)] = None,
    lap: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """One frame: the nearest at or before the step; before the first, the first."""
    with server.runs.open(run_id) as recording:
        frame = recording.frame(step, lap)
        run = recording.summary()
    # A step that training has left behind gets no nearer frame any more.
    behind = step < run["step"] or run["status"] in ENDED
    settled = behind and attempt == run["attempt"]
    headers = {"Cache-Control": FOR_EVER if settled else "no-cache"}
    return Response(frame.encode(), media_type=FRAME_TYPE, headers=headers)


@router.get("/runs/{run_id}/recording", tags=["recordings"], response_class=FileResponse)
def download_recording(run_id: str, server: Server) -> FileResponse:
    """The recording as one file, also of a run that is still training."""
    folder = tempfile.TemporaryDirectory(prefix="stnscope-")
    target = Path(folder.name) / f"{run_id}{SUFFIX}"
    try:
        with server.runs.open(run_id) as recording:
            recording.copy_to(target)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(target, filename=target.name, background=BackgroundTask(folder.cleanup))


@router.post(
    "/recordings",
    status_code=201,
    tags=["recordings"],
    openapi_extra={"requestBody": {"required": True, "content": RECORDING_BODY}},
)
async def import_recording(request: Request, server: Server, response: Response) -> Run:
    """Takes in a recording from elsewhere, as the file of a form or as the whole body.

    It becomes a run with an id of its own, to be watched and exported but not gone on with.
    """
    run_id = await server.imports.take(request.stream(), request.headers.get("content-type", ""))
    response.headers["Location"] = f"/api/runs/{run_id}"
    return server.shown(server.runs.summary(run_id))
