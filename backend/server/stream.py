"""One viewer of a run's live end, over one WebSocket.

    connected --hello--> holding <--follow/hold--> following
                (within 5 s, else closed with 1008)

While following, the newest frame is sent whenever there is a newer one and the client has granted
credit. What a slow client misses is counted and told, never queued.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.server.messages import (
    FIRST_CREDIT,
    MOST_CREDIT,
    Credit,
    Follow,
    Hello,
    Hold,
    error_message,
    metrics_message,
    read,
    run_message,
)
from backend.server.runs import Run
from backend.server.tail import Tail

HELLO_SECONDS = 5.0
METRICS_SECONDS = 0.5
HEARTBEAT_SECONDS = 2.0
# A socket that takes nothing for so long is dead; its viewer may come back.
SEND_SECONDS = 20.0

GOING_AWAY = 1001
POLICY_VIOLATION = 1008

# Of a run, what changes with every step is told at the pace of the metrics.
PASSING = frozenset({"step", "loss", "last_step", "frames", "skipped"})


class Viewer:
    """The state of one stream."""

    def __init__(self, socket: WebSocket, tail: Tail, shown: Callable[[Run], Run]) -> None:
        self._socket = socket
        self._tail = tail
        self._shown = shown
        self._wake = asyncio.Event()
        self._following = False
        self._counting = False
        self._credit = FIRST_CREDIT
        self._skipped = 0
        self._after: int | None = None
        self._frame_seq: int | None = None
        self._input_key: str | None = None
        self._metrics_seq = 0
        self._told: Run = {}
        self._told_at = self._metrics_at = self._sent_at = -HEARTBEAT_SECONDS

    async def serve(self) -> None:
        """Speaks with the client until it leaves or the run is deleted."""
        # A client may leave, or stop listening, at any moment; that is how streams end.
        with self._tail.waking(self._wake), suppress(WebSocketDisconnect, TimeoutError):
            await self._tell_run()
            if await self._greeted():
                await self._converse()
            else:
                await self._socket.close(POLICY_VIOLATION, "The first message must be a hello.")

    async def _converse(self) -> None:
        """Sends and receives side by side; the first to end, ends both."""
        tasks = [asyncio.create_task(work) for work in (self._send_all(), self._receive_all())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _greeted(self) -> bool:
        deadline = time.monotonic() + HELLO_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = read(await asyncio.wait_for(self._hear(), left))
            except TimeoutError:
                break
            except ValueError as error:
                await self._say(error_message(str(error)))
                continue
            if isinstance(message, Hello):
                self._after = message.last_step
                return True
            await self._say(error_message("Say hello first."))
        return False

    async def _receive_all(self) -> None:
        while True:
            try:
                message = read(await self._hear())
            except ValueError as error:
                await self._say(error_message(str(error)))
                continue
            match message:
                case Follow():
                    self._following = True
                case Hold():
                    # What is not asked for is not skipped.
                    self._following = self._counting = False
                case Credit(frames=frames):
                    self._credit = min(MOST_CREDIT, self._credit + frames)
                case Hello():
                    await self._say(error_message("This stream has been greeted already."))
            self._wake.set()

    async def _send_all(self) -> None:
        while True:
            self._wake.clear()
            await self._send_frame()
            await self._send_metrics()
            if self._run_is_news():
                await self._tell_run()
            if self._tail.deleted:
                await self._say(run_message(self._run() | {"status": "deleted"}))
                await self._socket.close(GOING_AWAY, "The run was deleted.")
                return
            if time.monotonic() - self._sent_at >= HEARTBEAT_SECONDS:
                await self._say({"type": "heartbeat", "time": time.time()})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), METRICS_SECONDS / 2)

    async def _send_frame(self) -> None:
        stored = self._tail.newest
        if not (self._following and self._credit and stored):
            return
        if self._frame_seq == stored.ref.seq:
            return
        if self._counting and self._frame_seq is not None:
            self._skipped += max(0, stored.ref.seq - self._frame_seq - 1)
        same_input = stored.input_key == self._input_key
        data = stored.data if same_input else await self._tail.whole(stored)
        self._credit -= 1
        self._counting = True
        self._frame_seq, self._input_key = stored.ref.seq, stored.input_key
        await asyncio.wait_for(self._socket.send_bytes(data), SEND_SECONDS)
        self._sent_at = time.monotonic()

    async def _send_metrics(self) -> None:
        now = time.monotonic()
        if now - self._metrics_at < METRICS_SECONDS:
            return
        self._metrics_at = now
        columns = await self._tail.metrics(after=self._after, seq=self._metrics_seq)
        if columns["seq"]:
            self._metrics_seq = max(columns["seq"])
            # From here on only what is written anew counts, also for steps that are run again.
            self._after = None
            await self._say(metrics_message(columns))

    def _run(self) -> Run:
        return self._shown(self._tail.run) | {"skipped": self._skipped}

    def _run_is_news(self) -> bool:
        run = self._run()
        if _lasting(run) != _lasting(self._told):
            return True
        return run != self._told and time.monotonic() - self._told_at >= METRICS_SECONDS

    async def _tell_run(self) -> None:
        self._told = self._run()
        self._told_at = time.monotonic()
        await self._say(run_message(self._told))

    async def _hear(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text: str | None = message.get("text")
        if text is None:
            raise ValueError("Messages are JSON text; this one was binary.")
        return text

    async def _say(self, message: dict[str, Any]) -> None:
        await asyncio.wait_for(self._socket.send_text(json.dumps(message)), SEND_SECONDS)
        self._sent_at = time.monotonic()


def _lasting(run: Run) -> Run:
    return {key: run[key] for key in run if key not in PASSING}
