"""Exports: files that are made from a recording."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse

from stnscope.backend.experiment.export.export import ExportOptions
from stnscope.backend.server.state import Server

router = APIRouter()


@router.post("/runs/{run_id}/exports", status_code=202, tags=["exports"])
async def start_export(run_id: str, options: ExportOptions, server: Server) -> dict[str, Any]:
    """Makes a file from a recording as a job."""
    return await server.exports.start(run_id, options)


@router.get("/exports/{export_id}", tags=["exports"])
def show_export(export_id: str, server: Server) -> dict[str, Any]:
    """How far a job is."""
    return server.exports.show(export_id)


@router.delete("/exports/{export_id}", status_code=204, tags=["exports"])
async def cancel_export(export_id: str, server: Server) -> None:
    """Cancels a job, or lets go of its result."""
    await server.exports.cancel(export_id)


@router.get("/exports/{export_id}/file", tags=["exports"], response_class=FileResponse)
def download_export(export_id: str, server: Server) -> FileResponse:
    """The finished file."""
    path = server.exports.result(export_id)
    return FileResponse(path, filename=path.name, media_type="image/gif")


@router.get("/runs/{run_id}/export", tags=["exports"], response_class=Response)
async def export(
    run_id: str, options: Annotated[ExportOptions, Query()], server: Server
) -> Response:
    """Waits for the file and answers with it."""
    path = await server.exports.make(run_id, options)
    try:
        data = path.read_bytes()
    finally:
        await server.exports.cancel(path.stem)
    name = f"{run_id}-{options.layout}.{options.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=f"image/{options.format}", headers=headers)
