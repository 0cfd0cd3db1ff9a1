"""A client's WebSocket as every stream uses it: with a handshake, messages and a heartbeat."""

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
SEND_SECONDS = 20.0
"""Time after which a client that receives nothing is disconnected; it may connect again."""

POLICY_VIOLATION = 1008
"""The close code for a client that sends no hello."""


class ClientSocket:
    """One client's WebSocket.

    A client may disconnect, or stop reading, at any moment; that is how streams end: every method
    raises WebSocketDisconnect or TimeoutError then.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sent_at = -HEARTBEAT_SECONDS

    async def wait_for_hello(self, parse: Callable[[str], object]) -> Hello | None:
        """Wait for the client's hello; without one in time, close the socket and return None.

        Args:
            parse: a client's text -> its message; raises InvalidInput if it is invalid.
        """
        deadline = time.monotonic() + HELLO_SECONDS
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                message = parse(await asyncio.wait_for(self.receive(), remaining))
            except TimeoutError:
                break
            except InvalidInput as error:
                await self.send_message(error_message(str(error), error.field))
                continue
            if isinstance(message, Hello):
                return message
            await self.send_message(error_message("The first message must be a hello."))
        await self.close(POLICY_VIOLATION, "The first message must be a hello.")
        return None

    async def refuse_hello(self) -> None:
        """Send the error for a second hello."""
        await self.send_message(error_message("This stream has received its hello already."))

    async def receive(self) -> str:
        """Return the client's next message.

        Raises:
            InvalidInput: it is binary.
        """
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text: str | None = message.get("text")
        if text is None:
            raise InvalidInput("Messages are JSON text; this one was binary.")
        return text

    async def send_message(self, message: dict[str, Any]) -> None:
        """Send a message as JSON."""
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send_text(json.dumps(message))
        self._sent_at = time.monotonic()

    async def send_frame(self, frame: bytes) -> None:
        """Send a frame's bytes."""
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send_bytes(frame)
        self._sent_at = time.monotonic()

    async def send_heartbeat(self) -> None:
        """Send a heartbeat, if nothing else has been sent for a while."""
        if time.monotonic() - self._sent_at >= HEARTBEAT_SECONDS:
            await self.send_message({"type": "heartbeat", "time": time.time()})

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        await self._socket.close(code, reason)


async def run_until_first_completes(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines concurrently; once the first has completed, cancel the others."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
