"""One viewer of a run's live end, over one WebSocket.

    connected --hello--> holding <--follow/hold--> following
                (within 5 s, else closed with 1008)

While following, the newest frame is sent whenever there is a newer one and the client has granted
credit. What a slow client misses is counted and told, never queued.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.server.runs import Run
from stnscope.backend.server.streams.client_socket import ClientSocket, run_until_first_completes
from stnscope.backend.server.streams.messages import (
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
from stnscope.backend.server.streams.tail import Tail

METRICS_SECONDS = 0.5

GOING_AWAY = 1001

# Of a run, what changes with every step is told at the pace of the metrics.
PASSING = frozenset({"step", "loss", "last_step", "frames", "skipped"})


class RunStream:
    """The state of one stream."""

    def __init__(self, socket: WebSocket, tail: Tail, describe: Callable[[Run], Run]) -> None:
        self._line = ClientSocket(socket)
        self._tail = tail
        self._describe = describe
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
        self._told_at = self._metrics_at = -METRICS_SECONDS

    async def serve(self) -> None:
        """Speaks with the client until it leaves or the run is deleted."""
        # A client may leave, or stop listening, at any moment; that is how streams end.
        with self._tail.waking(self._wake), suppress(WebSocketDisconnect, TimeoutError):
            await self._tell_run()
            if hello := await self._line.greeting(read):
                self._after = hello.last_step
                await run_until_first_completes(self._send_all(), self._receive_all())

    async def _receive_all(self) -> None:
        while True:
            try:
                message = read(await self._line.hear())
            except InvalidInput as error:
                await self._line.say(error_message(str(error), error.field))
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
                    await self._line.say(error_message("This stream has been greeted already."))
            self._wake.set()

    async def _send_all(self) -> None:
        while True:
            self._wake.clear()
            await self._send_frame()
            await self._send_metrics()
            if self._run_is_news():
                await self._tell_run()
            if self._tail.deleted:
                deleted = {"status": "deleted", "live": False, "can": []}
                await self._line.say(run_message(self._run() | deleted))
                await self._line.close(GOING_AWAY, "The run was deleted.")
                return
            await self._line.beat()
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
        await self._line.send(data)

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
            await self._line.say(metrics_message(columns))

    def _run(self) -> Run:
        return self._describe(self._tail.run) | {"skipped": self._skipped}

    def _run_is_news(self) -> bool:
        run = self._run()
        if _lasting(run) != _lasting(self._told):
            return True
        return run != self._told and time.monotonic() - self._told_at >= METRICS_SECONDS

    async def _tell_run(self) -> None:
        self._told = self._run()
        self._told_at = time.monotonic()
        await self._line.say(run_message(self._told))


def _lasting(run: Run) -> Run:
    return {key: run[key] for key in run if key not in PASSING}
