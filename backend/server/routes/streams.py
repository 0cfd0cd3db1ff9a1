"""The WebSockets: the live end of a run, and a picture that is transformed again and again."""

import sqlite3

from fastapi import APIRouter, WebSocket

from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.server.state import Server, State
from stnscope.backend.server.streams.run_stream import RunStream
from stnscope.backend.server.streams.transform_stream import TransformStream

router = APIRouter()

TRY_AGAIN_LATER = 1013
NO_SUCH_RUN = 4404
"""A close code of ours, after HTTP's status 404."""


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
    except NotFound as error:
        await socket.close(NO_SUCH_RUN, str(error)[:120])
        return
    except sqlite3.OperationalError:
        await socket.close(TRY_AGAIN_LATER, "The recording is locked; try again later.")
        return
    try:
        await RunStream(socket, tail, server.describe).serve()
    finally:
        await server.tails.remove_viewer(run_id)


@router.websocket("/transform/stream")
async def transform_stream(socket: WebSocket, server: Server) -> None:
    """Transform a picture with a trained network, again and again."""
    await socket.accept()
    with server.transform_streams.slots.use() as is_free:
        if is_free:
            await TransformStream(socket, server.transform_streams).serve()
        else:
            await socket.close(TRY_AGAIN_LATER, "There are too many streams; try again later.")
