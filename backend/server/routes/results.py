"""Results: figures that were trained or evaluated, beside the published ones."""

from dataclasses import asdict

from fastapi import Request, Response

from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.reproduction.result_tables import build_tables
from stnscope.backend.experiment.reproduction.results import Origin, find_pictures
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.conditional import JsonBody
from stnscope.backend.server.http.description import file_of, responses
from stnscope.backend.server.state import Server

router = ApiRouter()


@router.get("/results", tags=["results"], **responses(schemas.Results, 304))
def list_results(request: Request, server: Server) -> Response:
    """List published figures, and ours beside them; 304 if `If-None-Match` has their tag.

    Ours are read from the result files that are kept with the program and from those in the home's
    folder `results`. A file that cannot be read is named with the reason.
    """
    folder = server.settings.results
    content = asdict(build_tables(folder)) | {"folder": display_name(folder)}
    return JsonBody.encode(content).respond(request)


@router.get(
    "/results/{origin}/{name}/pictures",
    tags=["results"],
    response_class=Response,
    **responses(file_of("image/webp"), 404),
)
def show_pictures(origin: Origin, name: str, server: Server) -> Response:
    """Return the pictures of a result file of variations; `name` is the file's."""
    pictures = find_pictures(server.settings.results, origin, name)
    if pictures is None:
        raise NotFound("There is no such result file with pictures.")
    return Response(pictures, media_type="image/webp", headers={"Cache-Control": "no-cache"})
