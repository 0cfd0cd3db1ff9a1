"""The inference process as the server uses it: one picture at a time; replaced when it ends.

The server itself neither imports torch nor decodes an untrusted picture.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from stnscope.backend.experiment.errors import Unavailable
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import (
    ChildEnded,
    ChildHung,
    ChildOwner,
    ChildProcess,
    command_for,
)
from stnscope.backend.server.processes.message_pipe import Head, Message

log = logging.getLogger(__name__)

COMMAND = command_for("inference_main")


def command_on(device: str) -> Sequence[str]:
    """Return the command of a process that applies networks on this device."""
    return (*COMMAND, device)


MAX_WAITING = 16


class InferenceWorker(ChildOwner):
    """The inference process of one server.

    Args:
        command: starts the process.
        deadlines: for the process to start, to show that it runs, and to transform a picture.
        max_waiting: requests that may wait at once; further ones are refused.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        deadlines: Deadlines | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._command = command
        self._deadlines = deadlines or Deadlines()
        self._max_waiting = max_waiting
        self._is_ready = False
        self._lock = asyncio.Lock()
        self._requests: set[asyncio.Task[Message]] = set()

    async def start(self) -> None:
        """Start the process; it imports torch in the background."""
        self._is_ready = False
        self._process = await ChildProcess.start(self._command, self._deadlines)

    async def close(self) -> None:
        """End the process, and cancel all requests."""
        for request in list(self._requests):
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._end_process()

    async def transform(
        self,
        data: bytes,
        weights: TrainedWeights,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return a frame's bytes, made by `inference.transform.transform`.

        Args:
            data: the bytes of a picture file.
            weights: of the network.
            settings: that function's other arguments by name.

        Raises:
            StnscopeError: as `inference.transform.transform` does.
            Unavailable: too many requests wait, or the process ended while it handled this one.
        """
        request = {"weights": weights.encode(), "settings": dict(settings or {})}
        _, frame = await self._request(request, data)
        return frame

    async def fit(self, data: bytes, architecture: str, dataset: str) -> dict[str, Any]:
        """Return a picture as it is added to the probes of such a run.

        Returns:
            Its encoded `image`, and its `notes`.

        Raises:
            StnscopeError: as `inference.transform.fit_probe` does.
            Unavailable: too many requests wait, or the process ended while it handled this one.
        """
        fitted, _ = await self._request({"architecture": architecture, "dataset": dataset}, data)
        return fitted

    async def fit_input(self, data: bytes, network_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return a picture fitted to a network's input, as `fit` does.

        Args:
            data: the bytes of a picture file.
            network_input: the fields of `PictureInput`.
        """
        fitted, _ = await self._request({"input": network_input}, data)
        return fitted

    async def transform_cached(self, weights: TrainedWeights, request: Mapping[str, Any]) -> bytes:
        """Return a frame's bytes, made by `inference.transform.transform_cached`.

        Args:
            weights: of the network.
            request: that function's other arguments by name, and `request`, a number that the
                frame's `info` repeats, or None.

        Raises:
            StnscopeError: as `inference.transform.transform_cached` does.
            Unavailable: too many requests wait, or the process ended while it handled this one.
        """
        _, frame = await self._request({"cached": {**request, "weights": weights.encode()}})
        return frame

    async def _request(self, head: Head, body: bytes = b"") -> Message:
        if len(self._requests) >= self._max_waiting:
            raise Unavailable("Many pictures are waiting. Try again in a moment.")
        request = asyncio.create_task(self._send_and_receive(head, body))
        self._requests.add(request)
        request.add_done_callback(self._discard)
        # A caller who is cancelled leaves no half-read response in the pipe for the next one.
        return await asyncio.shield(request)

    def _discard(self, request: asyncio.Task[Message]) -> None:
        self._requests.discard(request)
        if not request.cancelled():
            request.exception()  # marked as retrieved, in case the caller was cancelled

    async def _send_and_receive(self, head: Head, body: bytes) -> Message:
        async with self._lock:
            try:
                return await self._exchange(head, body)
            except ChildHung:
                # Nothing is known against the picture: the process was stopped, or swapped out.
                await self._replace("does not respond")
            try:
                return await self._exchange(head, body)
            except ChildHung:
                await self._replace("does not respond")
                raise Unavailable(
                    "The process that reads pictures does not respond. Try again in a moment."
                ) from None

    async def _exchange(self, head: Head, body: bytes) -> Message:
        process = await self._ready_process()
        try:
            async with asyncio.timeout(self._deadlines.picture):
                await process.send(head, body)
                return await process.receive()
        except TimeoutError:
            await self._replace("took too long")
            raise Unavailable(
                f"The picture took longer than {self._deadlines.picture:.0f} s, so it was given "
                "up. Try a smaller one."
            ) from None
        except ChildHung:
            raise
        except ChildEnded:
            await self._replace("ended")
            raise Unavailable(
                "The process that reads pictures ended while it read this one. "
                "Save the picture again, for instance as a PNG, and retry."
            ) from None

    async def _ready_process(self) -> ChildProcess:
        """Return a process that is ready for a request; start a new one if the last has ended."""
        for _ in range(2):  # one may have been ended from outside while it started
            if self._process is None or not self._process.is_alive or self._process.is_unresponsive:
                await self._end_process()
                await self.start()
            assert self._process is not None
            if self._is_ready:
                return self._process
            try:
                async with asyncio.timeout(self._deadlines.start):
                    await self._process.receive(can_be_silent=True)
            except (TimeoutError, ChildEnded):
                await self._end_process()
            else:
                self._is_ready = True
                return self._process
        raise Unavailable("The process that reads pictures does not start; see the server's log.")

    async def _replace(self, reason: str) -> None:
        log.warning("The inference process %s and is replaced.", reason)
        await self._end_process()
        await self.start()
