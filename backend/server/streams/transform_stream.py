"""Pictures that are transformed again and again, each on a WebSocket of its own.

    connected --hello--> answering
                (within 5 s, else closed with 1008)

The response to each `transform` is a frame or an error, except for those that are superseded by a
newer one while the picture is being transformed: they are skipped.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from stnscope.backend.experiment.errors import InvalidInput, StnscopeError
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights
from stnscope.backend.server.processes.inference_worker import MAX_WAITING, InferenceWorker
from stnscope.backend.server.streams.client_socket import (
    HEARTBEAT_SECONDS,
    ClientSocket,
    run_until_first_completes,
)
from stnscope.backend.server.streams.messages import (
    Hello,
    Transform,
    error_message,
    parse_transform_message,
)
from stnscope.backend.server.streams.slots import Slots

MAX_CONCURRENT_REQUESTS = MAX_WAITING // 2
"""Maximum of all streams together, so that the worker's queue has places for uploads."""


class TransformStreams:
    """All streams together.

    Args:
        worker: transforms the pictures.
        find_weights: returns trained weights by name.
        limit: streams that may be open at once.
    """

    def __init__(
        self,
        worker: InferenceWorker,
        find_weights: Callable[[str], TrainedWeights],
        limit: int,
    ) -> None:
        self._worker = worker
        self._find_weights = find_weights
        self.slots = Slots(limit)
        self._requests = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

    async def transform(self, request: Transform) -> bytes:
        """Return a frame's bytes.

        Raises:
            StnscopeError: as `InferenceWorker.transform_cached` does, or there are no such weights.
        """
        weights = await run_in_threadpool(self._find_weights, request.weights)
        async with self._requests:
            return await self._worker.transform_cached(
                weights, request.model_dump(exclude={"type", "weights"})
            )


class TransformStream:
    """One stream."""

    def __init__(self, socket: WebSocket, streams: TransformStreams) -> None:
        self._client = ClientSocket(socket)
        self._streams = streams
        self._newest: Transform | None = None
        self._wake = asyncio.Event()

    async def serve(self) -> None:
        """Send and receive until the client disconnects."""
        with suppress(WebSocketDisconnect, TimeoutError):
            if await self._client.wait_for_hello(parse_transform_message):
                await run_until_first_completes(
                    self._receive_all(), self._respond_to_all(), self._send_heartbeats()
                )

    async def _receive_all(self) -> None:
        while True:
            try:
                message = parse_transform_message(await self._client.receive())
            except InvalidInput as error:
                await self._client.send_message(error_message(str(error), error.field))
                continue
            if isinstance(message, Hello):
                await self._client.refuse_hello()
            else:
                self._newest = message
                self._wake.set()

    async def _respond_to_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            request, self._newest = self._newest, None
            if request is not None:
                await self._respond(request)

    async def _respond(self, request: Transform) -> None:
        try:
            frame = await self._streams.transform(request)
        except StnscopeError as error:
            message = error_message(str(error), getattr(error, "field", None))
            await self._client.send_message(message | {"request": request.request})
        else:
            await self._client.send_frame(frame)

    async def _send_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS / 4)
            await self._client.send_heartbeat()
