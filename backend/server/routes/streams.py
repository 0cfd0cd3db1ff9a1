"""The WebSockets: the live end of a run, and a picture that is transformed again and again."""

import logging
from contextlib import suppress
from http import HTTPStatus

from fastapi import WebSocket

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.problems import status_of
from stnscope.backend.server.state import Server, State
from stnscope.backend.server.streams.run_stream import RunStream
from stnscope.backend.server.streams.transform_stream import TransformStream

router = ApiRouter()

log = logging.getLogger(__name__)

INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013
FIRST_CLOSE_CODE = 4000
"""Close codes of ours are an HTTP status above this one, such as 4404 and 4422."""
MAX_REASON_BYTES = 123
"""Maximum of a close reason (RFC 6455, 5.5)."""


@router.websocket("/runs/{run_id}/stream")
async def stream(socket: WebSocket, run_id: str, server: Server) -> None:
    """Stream the live end of a run."""
    await socket.accept()
    with server.viewer_slots.use() as is_free:
        if is_free:
            await _serve_run(socket, run_id, server)
        else:
            await socket.close(TRY_AGAIN_LATER, "There are too many viewers; try again later.")


async def _serve_run(socket: WebSocket, run_id: str, server: State) -> None:
    try:
        tail = await server.tails.add_viewer(run_id)
        try:
            await RunStream(socket, tail, server.describe).serve()
        finally:
            await server.tails.remove_viewer(run_id)
    except StnscopeError as error:
        await _close(socket, close_code(error), str(error))
    except Exception:
        log.exception("The stream of run %s ended.", run_id)
        await _close(socket, INTERNAL_ERROR, "Something went wrong; the server's log has it.")


def close_code(error: StnscopeError) -> int:
    """Return the close code for an error."""
    status = status_of(error)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return TRY_AGAIN_LATER
    return FIRST_CLOSE_CODE + status


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close a socket, unless the client has done so, with as much of the reason as fits."""
    shortened = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    with suppress(RuntimeError):
        await socket.close(code, shortened)


@router.websocket("/transform/stream")
async def transform_stream(socket: WebSocket, server: Server) -> None:
    """Transform a picture with a trained network, again and again."""
    await socket.accept()
    with server.transform_streams.slots.use() as is_free:
        if is_free:
            await TransformStream(socket, server.transform_streams).serve()
        else:
            await socket.close(TRY_AGAIN_LATER, "There are too many streams; try again later.")
