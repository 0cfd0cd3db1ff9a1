"""One viewer of a run's live end, over one WebSocket.

    connected --hello--> holding <--follow/hold--> following
                (within 5 s, else closed with 1008)

While following, the newest frame is sent whenever there is a newer one and the client has granted
credit. Frames that a slow client misses are counted, and never queued.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from stnscope.backend.experiment.errors import InvalidInput, NotFound, RecordingError
from stnscope.backend.experiment.run_status import DELETED
from stnscope.backend.server.runs import Run
from stnscope.backend.server.streams.client_socket import ClientSocket, run_until_first_completes
from stnscope.backend.server.streams.messages import (
    INITIAL_CREDIT,
    MAX_CREDIT,
    Credit,
    Follow,
    Hello,
    Hold,
    error_message,
    metrics_message,
    parse_run_message,
    run_message,
)
from stnscope.backend.server.streams.tail import MAX_MESSAGE_ROWS, METRICS_INTERVAL, Tail

GOING_AWAY = 1001
"""The close code when the run was deleted."""


class RunStream:
    """The state of one stream.

    Args:
        socket: the client's.
        tail: the run's live end.
        describe: a run's summary -> the run as the interface has it.
    """

    def __init__(self, socket: WebSocket, tail: Tail, describe: Callable[[Run], Run]) -> None:
        self._client = ClientSocket(socket)
        self._tail = tail
        self._describe = describe
        self._wake = asyncio.Event()
        self._is_following = False
        self._is_counting = False
        self._credit = INITIAL_CREDIT
        self._skipped = 0
        self._after: int | None = None
        self._frame_seq: int | None = None
        self._input_key: str | None = None
        self._metrics_seq = 0
        self._metrics_turn = 0
        self._sent_run: Run = {}
        self._run_checked_at = -METRICS_INTERVAL
        self._run_changes = -1
        """`Tail.changes` when the run was last compared with what was sent."""

    async def serve(self) -> None:
        """Send and receive until the client disconnects or the run is deleted."""
        # A client may disconnect, or stop reading, at any moment; that is how streams end.
        with (
            self._tail.notifying(self._wake, self._waits_for_frame),
            suppress(WebSocketDisconnect, TimeoutError),
        ):
            await self._send_run()
            if hello := await self._client.wait_for_hello(parse_run_message):
                self._after = hello.last_step
                await run_until_first_completes(self._send_all(), self._receive_all())

    async def _receive_all(self) -> None:
        while True:
            try:
                message = parse_run_message(await self._client.receive())
            except InvalidInput as error:
                await self._client.send_message(error_message(str(error), error.field))
                continue
            match message:
                case Follow():
                    self._is_following = True
                case Hold():
                    # Frames that are not requested are not skipped.
                    self._is_following = self._is_counting = False
                case Credit(frames=frames):
                    self._credit = min(MAX_CREDIT, self._credit + frames)
                case Hello():
                    await self._client.refuse_hello()
            self._wake.set()

    async def _send_all(self) -> None:
        while True:
            self._wake.clear()
            # A recording that cannot be read now may be readable later; the tail finds out.
            with suppress(RecordingError, NotFound):
                await self._send_frame()
                await self._send_metrics()
            await self._send_run()
            if self._tail.is_deleted:
                deleted = self._describe(self._tail.run | {"status": DELETED})
                await self._client.send_message(run_message(deleted | {"skipped": self._skipped}))
                await self._client.close(GOING_AWAY, "The run was deleted.")
                return
            await self._client.send_heartbeat()
            with suppress(TimeoutError):
                async with asyncio.timeout(METRICS_INTERVAL / 2):
                    await self._wake.wait()

    def _waits_for_frame(self) -> bool:
        return self._is_following and self._credit > 0

    async def _send_frame(self) -> None:
        stored = self._tail.newest
        if stored is None or not self._waits_for_frame():
            return
        if self._frame_seq == stored.ref.seq:
            return
        if self._is_counting and self._frame_seq is not None:
            self._skipped += max(0, stored.ref.seq - self._frame_seq - 1)
        same_input = stored.input_key == self._input_key
        data = stored.data if same_input else await self._tail.with_input(stored)
        self._credit -= 1
        self._is_counting = True
        self._frame_seq, self._input_key = stored.ref.seq, stored.input_key
        await self._client.send_frame(data)

    async def _send_metrics(self) -> None:
        turn = self._tail.metrics_turn
        if turn == self._metrics_turn:
            return
        self._metrics_turn = turn
        columns = await self._tail.metrics(after=self._after, seq=self._metrics_seq)
        if columns["seq"]:
            self._metrics_seq = max(columns["seq"])
            # From here on only new rows count, also those of steps that are run again.
            self._after = None
            await self._client.send_message(metrics_message(columns))
            if len(columns["seq"]) == MAX_MESSAGE_ROWS:  # there may be more
                self._metrics_turn = 0
                self._wake.set()

    async def _send_run(self) -> None:
        """Send the run if it has changed; what every step changes, at the pace of the metrics."""
        now = time.monotonic()
        is_due = now - self._run_checked_at >= METRICS_INTERVAL
        if not is_due and self._run_changes == self._tail.changes:
            return
        self._run_checked_at, self._run_changes = now, self._tail.changes
        run = self._describe(self._tail.run) | {"skipped": self._skipped}
        if run != self._sent_run:
            self._sent_run = run
            await self._client.send_message(run_message(run))
