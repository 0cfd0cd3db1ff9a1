"""Pictures: transform one with a trained network, or add one to the probes of a run."""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import File, Form, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.errors import InvalidInput, TooLarge
from stnscope.backend.experiment.frames.frame import MEDIA_TYPE, Label
from stnscope.backend.experiment.limits import MAX_JSON_BYTES, MAX_PICTURE_BYTES
from stnscope.backend.experiment.pictures.file_format import ACCEPTED_FORMATS
from stnscope.backend.experiment.probes.added_pictures import parse_label
from stnscope.backend.experiment.recording.quota import format_bytes
from stnscope.backend.experiment.weights.trained_weights import (
    name_without_transformer,
    transformer_count,
)
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.description import file_of, responses
from stnscope.backend.server.runs import Run
from stnscope.backend.server.state import Server, State

router = ApiRouter()

MAX_LISTED_RUNS = 20
MAX_SIZE = format_bytes(MAX_PICTURE_BYTES)

PictureFile = Annotated[
    UploadFile, File(description=f"{ACCEPTED_FORMATS} are accepted; {MAX_SIZE} at most.")
]


@router.get("/weights", tags=["pictures"], **responses(list[schemas.WeightsCard]))
def list_weights(server: Server) -> list[dict[str, Any]]:
    """List what can transform a picture: trained weights, and checkpoints of the newest runs."""
    found = server.runs.weights_cards() | server.runs.checkpoint_cards(MAX_LISTED_RUNS)
    return [
        {
            **asdict(card),
            "transformers": transformer_count(card),
            "without_transformer": name_without_transformer(card),
        }
        for card in found.values()
    ]


@router.post(
    "/transform",
    tags=["pictures"],
    response_class=Response,
    **responses(file_of(MEDIA_TYPE), 404, 409, 504),
)
async def transform(
    server: Server,
    request: Request,
    image: PictureFile,
    weights: Annotated[
        str,
        Form(description="A name in the catalog, or `run:ID` or `run:ID:STEP` for a checkpoint."),
    ] = "digits",
    distortion: Annotated[str | None, Form(description="JSON, as in a run.")] = None,
    theta: Annotated[
        str | None,
        Form(
            description="JSON: theta for transformers, in place of what they would predict, by "
            'their names in a frame, as in {"st": [1, 0, 0, 0, 1, 0]}.'
        ),
    ] = None,
    variation: Annotated[
        str | None,
        Form(description="JSON: how the picture is changed first, in place of a distortion."),
    ] = None,
) -> Response:
    """Transform a picture with a trained network; return one frame.

    The frame's `picture` is a key with which the picture can be transformed again, with other
    regions each time, on the WebSocket `/api/transform/stream`.
    """
    # FastAPI takes an empty field for a missing one, and would use the default.
    if (await request.form()).get("weights") == "":
        names = await run_in_threadpool(server.runs.weights_cards)
        raise InvalidInput(f"weights is empty; there are {', '.join(names)}.", "weights")
    data = await _read(image)
    settings = {
        name: _parse_object(text, name)
        for name, text in (("distortion", distortion), ("theta", theta), ("variation", variation))
    }
    loop = await run_in_threadpool(server.runs.find_loop, weights)
    if loop is not None:
        if any(settings.values()):
            raise InvalidInput("The network of a watched loop takes a picture as it is.")
        frame = (await server.run_requests.transform_by_loop(loop, data, server.worker)).encode()
    else:
        found = await run_in_threadpool(server.runs.find_weights, weights)
        frame = await server.worker.transform(data, found, settings)
    return Response(frame, media_type=MEDIA_TYPE)


@router.post(
    "/runs/{run_id}/probes",
    tags=["pictures"],
    **responses(schemas.RunWithNotes, 404, 409, 504, status=202),
)
async def add_picture(
    run_id: str,
    server: Server,
    image: PictureFile,
    label: Annotated[
        str | None,
        Form(description="The name of its class; if left out, it counts as unknown."),
    ] = None,
) -> dict[str, Any]:
    """Add a picture to the probes of a run that trains or is paused, from the next frame on.

    Returns the run, with `notes` about how the picture was fitted.
    """
    run, class_index = await run_in_threadpool(_check_picture, server, run_id, label)
    data = await _read(image)
    config = run["config"]
    fitted = await server.worker.fit(data, config["architecture"], config["dataset"])
    await server.run_requests.add_picture(run_id, fitted["image"], class_index)
    return await run_in_threadpool(server.run, run_id) | {"notes": fitted["notes"]}


def _check_picture(server: State, run_id: str, label: str | None) -> tuple[Run, Label]:
    """Return the run that a picture is added to, and the picture's label.

    Raises:
        NotFound: there is no such run.
        Conflict: no picture can be added to it.
        InvalidInput: it has no such class.
    """
    run = server.runs.summary(run_id)
    server.run_requests.check_can_add_picture(run)
    dataset = availability.inspect_dataset(run["config"]["dataset"], server.runs.data)
    return run, parse_label(label, dataset)


async def _read(picture: UploadFile) -> bytes:
    data = await picture.read(MAX_PICTURE_BYTES + 1)
    if len(data) > MAX_PICTURE_BYTES:
        raise TooLarge(f"The picture is larger than {MAX_SIZE}. Save it smaller and try again.")
    return data


def _parse_object(text: str | None, field: str) -> dict[str, Any] | None:
    if not text:
        return None
    if len(text) > MAX_JSON_BYTES:
        raise TooLarge(f"{field} is larger than {format_bytes(MAX_JSON_BYTES)}.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is not JSON that can be read: {error}.", field) from None
    if not isinstance(value, dict):
        raise InvalidInput("This must be a JSON object.", field)
    return value
