"""A WebSocket as every stream uses it: greeted, heard, spoken to, and never silent for long."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.server.streams.messages import Hello, error_message

HELLO_SECONDS = 5.0
HEARTBEAT_SECONDS = 2.0
# A socket that takes nothing for so long is dead; its client may come back.
SEND_SECONDS = 20.0

POLICY_VIOLATION = 1008


class ClientSocket:
    """One client's end of a stream.

    A client may leave, or stop listening, at any moment; that is how streams end: whatever is done
    here raises WebSocketDisconnect or TimeoutError then.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sent_at = -HEARTBEAT_SECONDS

    async def greeting(self, read: Callable[[str], object]) -> Hello | None:
        """Waits for a hello; without one in time the socket is closed.

        Args:
            read: a client's text -> its message; raises InvalidInput where it is none.
        """
        deadline = time.monotonic() + HELLO_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = read(await asyncio.wait_for(self.hear(), left))
            except TimeoutError:
                break
            except InvalidInput as error:
                await self.say(error_message(str(error), error.field))
                continue
            if isinstance(message, Hello):
                return message
            await self.say(error_message("Say hello first."))
        await self.close(POLICY_VIOLATION, "The first message must be a hello.")
        return None

    async def hear(self) -> str:
        """The client's next message.

        Raises:
            InvalidInput: it is no text.
        """
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text: str | None = message.get("text")
        if text is None:
            raise InvalidInput("Messages are JSON text; this one was binary.")
        return text

    async def say(self, message: dict[str, Any]) -> None:
        """Sends a message."""
        await asyncio.wait_for(self._socket.send_text(json.dumps(message)), SEND_SECONDS)
        self._sent_at = time.monotonic()

    async def send(self, frame: bytes) -> None:
        """Sends a frame's bytes."""
        await asyncio.wait_for(self._socket.send_bytes(frame), SEND_SECONDS)
        self._sent_at = time.monotonic()

    async def beat(self) -> None:
        """Says that the line stands, where nothing has been said for a while."""
        if time.monotonic() - self._sent_at >= HEARTBEAT_SECONDS:
            await self.say({"type": "heartbeat", "time": time.time()})

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)


async def run_until_first_completes(*works: Coroutine[Any, Any, None]) -> None:
    """Does all of it at once; the first to end, ends the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
