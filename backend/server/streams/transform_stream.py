"""Pictures that are shown to a network again and again, each on a WebSocket of its own.

    connected --hello--> answering
                (within 5 s, else closed with 1008)

Each `transform` is answered by a frame or an error, but for those that a newer one has overtaken
while the picture was being shown: they are skipped.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from stnscope.backend.experiment.errors import InvalidInput, StnscopeError
from stnscope.backend.server.processes.inference_worker import MOST_WAITING, InferenceWorker
from stnscope.backend.server.streams.client_socket import (
    HEARTBEAT_SECONDS,
    ClientSocket,
    run_until_first_completes,
)
from stnscope.backend.server.streams.messages import Hello, Transform, error_message, read_transform

AT_ONCE = MOST_WAITING // 2
"""Requests of all streams that stand in the worker's queue: uploads find room there too."""


class TransformStreams:
    """All streams together.

    Args:
        worker: shows the pictures.
        most: streams that may be open at once.
    """

    def __init__(self, worker: InferenceWorker, most: int) -> None:
        self._worker = worker
        self._most = most
        self._open = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    @contextmanager
    def joined(self) -> Iterator[bool]:
        """Counts a stream while inside; False where there are too many already."""
        welcome = self._open < self._most
        self._open += welcome
        try:
            yield welcome
        finally:
            self._open -= welcome

    async def show(self, asked: Transform) -> bytes:
        """A frame's bytes.

        Raises:
            StnscopeError: what `InferenceWorker.transform_again` raises.
        """
        async with self._turns:
            return await self._worker.transform_again(asked.model_dump(exclude={"type"}))


class TransformStream:
    """One stream."""

    def __init__(self, socket: WebSocket, pictures: TransformStreams) -> None:
        self._line = ClientSocket(socket)
        self._pictures = pictures
        self._newest: Transform | None = None
        self._wake = asyncio.Event()

    async def serve(self) -> None:
        """Speaks with the client until it leaves."""
        with suppress(WebSocketDisconnect, TimeoutError):
            if await self._line.greeting(read_transform):
                await run_until_first_completes(self._hear_all(), self._answer_all(), self._beat())

    async def _hear_all(self) -> None:
        while True:
            try:
                message = read_transform(await self._line.hear())
            except InvalidInput as error:
                await self._line.say(error_message(str(error), error.field))
                continue
            if isinstance(message, Hello):
                await self._line.say(error_message("This stream has been greeted already."))
            else:
                self._newest = message
                self._wake.set()

    async def _answer_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            asked, self._newest = self._newest, None
            if asked is not None:
                await self._answer(asked)

    async def _answer(self, asked: Transform) -> None:
        try:
            frame = await self._pictures.show(asked)
        except StnscopeError as error:
            field = getattr(error, "field", None)
            await self._line.say(error_message(str(error), field) | {"request": asked.request})
        else:
            await self._line.send(frame)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS / 4)
            await self._line.beat()
