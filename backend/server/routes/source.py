"""The source of the networks, for links to the line of code that does a step."""

from pathlib import Path

from fastapi import Response

from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.description import file_of, responses
from stnscope.models.cards import FOLDER

router = ApiRouter()

MEDIA_TYPE = "text/plain; charset=utf-8"
MODELS = FOLDER.parent


@router.get(
    "/source/{path:path}",
    tags=["server"],
    response_class=Response,
    **responses(file_of("text/plain"), 404),
)
def show_source(path: str) -> Response:
    """Return a module of the networks, such as `models/grid.py`."""
    modules = _modules()
    if path not in modules:
        raise NotFound(f"There is no module {path[:80]!r}; there are {', '.join(modules)}.")
    return Response(modules[path].read_bytes(), media_type=MEDIA_TYPE)


def _modules() -> dict[str, Path]:
    """Return the modules of the networks by their path in the repository."""
    files = sorted(MODELS.rglob("*.py"))
    return {f"models/{file.relative_to(MODELS).as_posix()}": file for file in files}
