"""Routes that take a while or stay open: streams, exports, and the transform of a picture."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile, WebSocket
from fastapi.responses import FileResponse

from backend.experiment.catalog import at_hand
from backend.experiment.errors import InvalidInput, NotFound, TooLarge
from backend.experiment.export import ExportOptions
from backend.experiment.joining import label_of
from backend.server.pictures import PictureStream
from backend.server.run_routes import FRAME_TYPE
from backend.server.state import Server
from backend.server.stream import Viewer
from models.cards import cards

router = APIRouter()

TRY_AGAIN_LATER = 1013
NO_SUCH_RUN = 4404

MOST_PICTURE_BYTES = 10_000_000

Picture = Annotated[UploadFile, File(description="PNG, JPEG, WebP, GIF or BMP; 10 MB at most.")]


@router.websocket("/runs/{run_id}/stream")
async def stream(socket: WebSocket, run_id: str, server: Server) -> None:
    """The live end of a run."""
    await socket.accept()
    if server.tails.viewers >= server.settings.viewers:
        await socket.close(TRY_AGAIN_LATER, "There are too many viewers; try again later.")
        return
    try:
        tail = await server.tails.watch(run_id)
    except NotFound as error:
        await socket.close(NO_SUCH_RUN, str(error)[:120])
        return
    try:
        await Viewer(socket, tail, server.shown).serve()
    finally:
        await server.tails.leave(run_id)


@router.post(
    "/transform",
    tags=["pictures"],
    response_class=Response,
    responses={200: {"content": {FRAME_TYPE: {}}}},
)
async def transform(
    server: Server,
    request: Request,
    image: Picture,
    weights: Annotated[str, Form()] = "digits",
    distortion: Annotated[str | None, Form(description="JSON, as in a run.")] = None,
    theta: Annotated[
        str | None,
        Form(
            description="JSON: where transformers are to look, in place of where they would, by "
            'their names in a frame, as in {"st": [1, 0, 0, 0, 1, 0]}.'
        ),
    ] = None,
) -> Response:
    """A picture through a trained network: one frame.

    Under `picture` the frame has a key. With it the picture can be shown again and again, each time
    through other regions, on the WebSocket `/api/transform/stream`.
    """
    # What is sent empty is taken for what is not sent, and would be given the default.
    if (await request.form()).get("weights") == "":
        raise InvalidInput(f"weights is empty; there are {', '.join(cards())}.", "weights")
    data = await _read(image)
    wanted, told = _object(distortion, "distortion"), _object(theta, "theta")
    frame = await server.worker.transform(data, weights, wanted, told)
    return Response(frame, media_type=FRAME_TYPE)


@router.post("/runs/{run_id}/probes", status_code=202, tags=["pictures"])
async def join_probes(
    run_id: str,
    server: Server,
    image: Picture,
    label: Annotated[
        str | None,
        Form(description="The class that it shows, by name; left out, it counts as unknown."),
    ] = None,
) -> dict[str, Any]:
    """A picture joins the probes of a run that trains or is paused, from the next frame on.

    The answer is the run, and under `notes` what was done to the picture.
    """
    run = server.runs.summary(run_id)
    server.trainers.check_may_join(run)
    config = run["config"]
    named = label_of(label, at_hand.dataset(config["dataset"], server.runs.data))
    data = await _read(image)
    fitted = await server.worker.fit(data, config["architecture"], config["dataset"])
    await server.trainers.join(run_id, fitted["image"], named)
    return server.shown(server.runs.summary(run_id)) | {"notes": fitted["notes"]}


@router.websocket("/transform/stream")
async def transform_stream(socket: WebSocket, server: Server) -> None:
    """A picture through a trained network, again and again."""
    await socket.accept()
    with server.pictures.joined() as welcome:
        if welcome:
            await PictureStream(socket, server.pictures).serve()
        else:
            await socket.close(TRY_AGAIN_LATER, "There are too many streams; try again later.")


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


async def _read(picture: UploadFile) -> bytes:
    data = await picture.read(MOST_PICTURE_BYTES + 1)
    if len(data) > MOST_PICTURE_BYTES:
        raise TooLarge("The picture is larger than 10 MB. Save it smaller and try again.")
    return data


def _object(text: str | None, field: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is not JSON that can be read: {error}.", field) from None
    if not isinstance(value, dict):
        raise InvalidInput("This must be a JSON object.", field)
    return value
