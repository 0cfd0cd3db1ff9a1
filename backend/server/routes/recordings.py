"""Recordings: their metrics, their frames, and the files themselves, to download and import."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from stnscope.access.cache_control import IMMUTABLE, IMMUTABLE_PRIVATE
from stnscope.backend.experiment.export.still import draw_png, draw_thumbnail
from stnscope.backend.experiment.frames.frame import MEDIA_TYPE
from stnscope.backend.experiment.limits import MAX_METRIC_ROWS, Count, PositiveCount
from stnscope.backend.experiment.recording.reader import SUFFIX, copy_recording
from stnscope.backend.experiment.recording.schema import SCALARS
from stnscope.backend.experiment.run_status import ENDED
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.conditional import JsonBody, next_link
from stnscope.backend.server.http.description import file_of, responses
from stnscope.backend.server.http.upload import RECORDING_FIELD
from stnscope.backend.server.runs import Run
from stnscope.backend.server.state import Server

router = ApiRouter()

PICTURE_PROBES = 3
"""Probes in the picture of a frame."""

RECORDING_BODY = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {RECORDING_FIELD: {"type": "string", "format": "binary"}},
            "required": [RECORDING_FIELD],
        }
    },
    MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
}


@router.get("/runs/{run_id}/metrics", tags=["recordings"], **responses(schemas.Metrics, 304, 404))
def show_metrics(
    request: Request,
    run_id: str,
    server: Server,
    after: Annotated[Count | None, Query(description="Only steps after this one.")] = None,
    every: Annotated[PositiveCount, Query(description="Only steps that are multiples.")] = 1,
    points: Annotated[
        PositiveCount | None,
        Query(description="About so many rows, chosen so that no peak is lost; `every` is unused."),
    ] = None,
) -> Response:
    """Return columns of metrics over steps, of 10,000 steps at most.

    The header `Link` has the address of those of later steps, if there are more.
    """
    with server.runs.open(run_id) as recording:
        if points is not None:
            columns = recording.sampled_metrics(min(points, MAX_METRIC_ROWS), after=after)
        else:
            # One more than requested, which indicates that there are more.
            columns = recording.metrics(after=after, every=every, limit=MAX_METRIC_ROWS + 1)
    has_more = len(columns["step"]) > MAX_METRIC_ROWS
    del columns["seq"]
    scalars = columns.pop(SCALARS)
    columns = {name: column[:MAX_METRIC_ROWS] for name, column in columns.items()}
    columns[SCALARS] = {name: column[:MAX_METRIC_ROWS] for name, column in scalars.items()}
    last = columns["step"][-1] if has_more else None
    return JsonBody.encode(columns).respond(request, next_link(request, after=last))


@router.get("/runs/{run_id}/frames", tags=["recordings"], **responses(schemas.FrameList, 304, 404))
def list_frames(
    request: Request,
    run_id: str,
    server: Server,
    after: Annotated[Count | None, Query(description="Only steps after this one.")] = None,
) -> Response:
    """List the recorded steps."""
    with server.runs.open(run_id) as recording:
        content = {
            "attempt": recording.summary()["attempt"],
            "before": recording.frame_count(after),
            "steps": recording.frame_steps(after),
            "laps": recording.lap_frames(),
        }
    return JsonBody.encode(content).respond(request)


@router.get(
    "/runs/{run_id}/frames/{step}",
    tags=["recordings"],
    response_class=Response,
    **responses(file_of(MEDIA_TYPE), 404),
)
def show_frame(
    run_id: str,
    step: Count,
    server: Server,
    attempt: Count | None = None,
    lap: Count | None = None,
) -> Response:
    """Return one frame: the nearest at or before the step; before the first, the first."""
    with server.runs.open(run_id) as recording:
        frame = recording.encoded_frame(step, lap)
        run = recording.summary()
    headers = _caching(server, run, step, attempt)
    return Response(frame, media_type=MEDIA_TYPE, headers=headers)


@router.get(
    "/runs/{run_id}/frames/{step}/picture",
    tags=["recordings"],
    response_class=Response,
    **responses(file_of("image/png"), 404),
)
def draw_frame(
    run_id: str,
    step: Count,
    server: Server,
    attempt: Count | None = None,
    thumbnail: Annotated[bool, Query(description="Only the first probe, in small.")] = False,
) -> Response:
    """Draw that frame: input and outputs of its first probes, as a small PNG."""
    with server.runs.open(run_id) as recording:
        frame = recording.frame(step)
        run = recording.summary()
    picture = draw_thumbnail(frame) if thumbnail else draw_png(frame, 1, PICTURE_PROBES)
    headers = _caching(server, run, step, attempt)
    return Response(picture, media_type="image/png", headers=headers)


def _caching(server: Server, run: Run, step: int, attempt: int | None) -> dict[str, str]:
    """Return the header for how long a frame can be cached."""
    # Once training is past a step, no nearer frame is recorded any more.
    is_past = step < run["step"] or run["status"] in ENDED
    is_final = is_past and attempt == run["attempt"]
    immutable = IMMUTABLE if server.settings.token is None else IMMUTABLE_PRIVATE
    return {"Cache-Control": immutable if is_final else "no-cache"}


@router.get(
    "/runs/{run_id}/recording",
    tags=["recordings"],
    response_class=FileResponse,
    **responses(file_of(MEDIA_TYPE), 404, 507),
)
def download_recording(run_id: str, server: Server) -> FileResponse:
    """Download the recording as one file, also of a run that is still training."""
    folder = tempfile.TemporaryDirectory(prefix="stnscope-")
    target = Path(folder.name) / f"{run_id}{SUFFIX}"
    try:
        copy_recording(server.runs.path(run_id), target)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(target, filename=target.name, background=BackgroundTask(folder.cleanup))


@router.post(
    "/recordings",
    tags=["recordings"],
    **responses(schemas.Run, 507, status=201),
    openapi_extra={"requestBody": {"required": True, "content": RECORDING_BODY}},
)
async def import_recording(request: Request, server: Server, response: Response) -> Run:
    """Import a recording, as the file of a form or as the whole body.

    It becomes a run with an id of its own, which can be watched and exported but not trained.
    """
    content_type = request.headers.get("content-type", "")
    run_id = await server.imports.import_recording(request.stream(), content_type)
    response.headers["Location"] = f"/api/runs/{run_id}"
    return await run_in_threadpool(server.run, run_id)
