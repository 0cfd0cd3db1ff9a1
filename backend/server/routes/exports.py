"""Exports: files made from a recording."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import ConfigDict

from stnscope.backend.experiment.export.formats import FORMATS, file_name
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.description import file_of, responses
from stnscope.backend.server.http.disconnect import until_disconnect
from stnscope.backend.server.state import Server

router = ApiRouter()


class ExportRequest(ExportOptions):
    """Options of an export as JSON: with types of its own, whereas a query has text only."""

    model_config = ConfigDict(strict=True)


MEDIA_TYPES = tuple(form.media_type for form in FORMATS.values())


@router.post(
    "/runs/{run_id}/exports", tags=["exports"], **responses(schemas.Export, 404, status=202)
)
async def start_export(run_id: str, options: ExportRequest, server: Server) -> dict[str, Any]:
    """Start a job that makes a file from a recording."""
    return await server.exports.start(run_id, options)


@router.get("/exports/{export_id}", tags=["exports"], **responses(schemas.Export, 404))
def show_export(export_id: str, server: Server) -> dict[str, Any]:
    """Show the progress of a job."""
    return server.exports.describe(export_id)


@router.delete("/exports/{export_id}", tags=["exports"], **responses(None, 404, status=204))
async def cancel_export(export_id: str, server: Server) -> None:
    """Cancel a job, or remove its file."""
    await server.exports.cancel(export_id)


@router.get(
    "/exports/{export_id}/file",
    tags=["exports"],
    response_class=FileResponse,
    **responses(file_of(*MEDIA_TYPES), 404, 409, 501, 507),
)
def download_export(export_id: str, server: Server) -> FileResponse:
    """Download the finished file."""
    job = server.exports.result(export_id)
    return FileResponse(job.target, filename=job.name, media_type=job.media_type)


@router.get(
    "/runs/{run_id}/export",
    tags=["exports"],
    response_class=Response,
    **responses(file_of(*MEDIA_TYPES), 404, 409, 501, 507),
)
async def export(
    request: Request, run_id: str, options: Annotated[ExportOptions, Query()], server: Server
) -> Response:
    """Make a file from a recording, and respond with it."""
    data = await until_disconnect(request, server.exports.make(run_id, options))
    name = file_name(run_id, options)
    # As RFC 6266 has it: the id of a run is the name of its file, which may have any characters.
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}
    return Response(data, media_type=FORMATS[options.format].media_type, headers=headers)


@router.get(
    "/runs/{run_id}/export/preview",
    tags=["exports"],
    **responses(schemas.ExportPreview, 404, 409, 501),
)
async def preview_export(
    request: Request, run_id: str, options: Annotated[ExportOptions, Query()], server: Server
) -> dict[str, Any]:
    """Show what an export will be: its first frame, its size, its duration, and its bytes about."""
    return await until_disconnect(request, server.exports.preview(run_id, options))
