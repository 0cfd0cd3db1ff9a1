"""Pictures: through a trained network, or into the probes of a run."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.errors import InvalidInput, TooLarge
from stnscope.backend.experiment.frames.frame import MEDIA_TYPE
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from stnscope.backend.experiment.probes.added_pictures import parse_label
from stnscope.backend.server.state import Server
from stnscope.models.cards import cards

router = APIRouter()

_MEGABYTES = f"{MAX_PICTURE_BYTES // 10**6} MB"

Picture = Annotated[
    UploadFile, File(description=f"PNG, JPEG, WebP, GIF or BMP; {_MEGABYTES} at most.")
]


@router.post(
    "/transform",
    tags=["pictures"],
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
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
    return Response(frame, media_type=MEDIA_TYPE)


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
    server.trainers.check_can_add_picture(run)
    config = run["config"]
    named = parse_label(label, availability.inspect_dataset(config["dataset"], server.runs.data))
    data = await _read(image)
    fitted = await server.worker.fit(data, config["architecture"], config["dataset"])
    await server.trainers.join(run_id, fitted["image"], named)
    return server.describe(server.runs.summary(run_id)) | {"notes": fitted["notes"]}


async def _read(picture: UploadFile) -> bytes:
    data = await picture.read(MAX_PICTURE_BYTES + 1)
    if len(data) > MAX_PICTURE_BYTES:
        raise TooLarge(f"The picture is larger than {_MEGABYTES}. Save it smaller and try again.")
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
