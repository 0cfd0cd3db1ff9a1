"""Supervises the inference process: one picture at a time, and a new process where one ends.

The server itself neither imports torch nor decodes a stranger's picture.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any

from stnscope.backend.experiment import errors
from stnscope.backend.server.processes import message_pipe
from stnscope.backend.server.processes.error_codec import told

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "stnscope.backend.server.processes.inference_main")
ANSWER_SECONDS = 20.0
READY_SECONDS = 60.0
MOST_WAITING = 16


class InferenceWorker:
    """The inference process of one server.

    Args:
        command: starts the process.
        timeout: seconds that one picture may take before its process is replaced.
        waiting: pictures that may be on their way at once; further ones are refused.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        timeout: float = ANSWER_SECONDS,
        waiting: int = MOST_WAITING,
    ) -> None:
        self._command = command
        self._timeout = timeout
        self._most = waiting
        self._process: Process | None = None
        self._ready = False
        self._turn = asyncio.Lock()
        self._exchanges: set[asyncio.Task[message_pipe.Message]] = set()

    @property
    def pid(self) -> int | None:
        """The process's number, while there is one."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Starts the process; it gets ready on its own while the server goes on."""
        self._ready = False
        # In a session of its own: an interrupt typed at the terminal reaches the server alone.
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, start_new_session=True
        )

    async def close(self) -> None:
        """Ends the process, and with it whatever it is at."""
        for exchange in list(self._exchanges):
            exchange.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)
        await self._end()

    async def transform(
        self,
        data: bytes,
        weights: str,
        distortion: Mapping[str, Any] | None = None,
        theta: Mapping[str, Any] | None = None,
    ) -> bytes:
        """One frame's bytes, as `inference.transform.transform` makes it.

        Raises:
            StnscopeError: what that raises.
            Unavailable: too many pictures wait, or the process ended over this one.
        """
        request = {"weights": weights, "distortion": distortion, "theta": theta}
        _, frame = await self._answer(request, data)
        return frame

    async def fit(self, data: bytes, architecture: str, dataset: str) -> dict[str, Any]:
        """A picture as it joins the probes of such a run: its `image`, packed, and its `notes`.

        Raises:
            StnscopeError: what `inference.transform.fit_probe` raises.
            Unavailable: too many pictures wait, or the process ended over this one.
        """
        fitted, _ = await self._answer({"architecture": architecture, "dataset": dataset}, data)
        return fitted

    async def transform_again(self, request: Mapping[str, Any]) -> bytes:
        """The same of a picture that it was given lately, by `transform_again` there.

        Args:
            request: that function's arguments by name, and `request`, a number that the frame's
                `info` repeats, or None.

        Raises:
            StnscopeError: what that raises.
            Unavailable: too many pictures wait, or the process ended over this one.
        """
        _, frame = await self._answer({"again": request})
        return frame

    async def _answer(self, request: dict[str, Any], data: bytes = b"") -> message_pipe.Message:
        if len(self._exchanges) >= self._most:
            raise errors.Unavailable("Many pictures are waiting. Try again in a moment.")
        exchange = asyncio.create_task(self._exchange(message_pipe.pack(request, data)))
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._forget)
        # A caller who leaves does not leave half an answer in the pipe for the next.
        return await asyncio.shield(exchange)

    def _forget(self, exchange: asyncio.Task[message_pipe.Message]) -> None:
        self._exchanges.discard(exchange)
        if not exchange.cancelled():
            exchange.exception()  # looked at here, in case its caller has left

    async def _exchange(self, request: bytes) -> message_pipe.Message:
        async with self._turn:
            process = await self._standing_by()
            try:
                async with asyncio.timeout(self._timeout):
                    head, body = await _ask(process, request)
            except TimeoutError:
                await self._replace("took too long")
                raise errors.Unavailable(
                    f"The picture took longer than {self._timeout:.0f} s, so it was given up. "
                    "Try a smaller one."
                ) from None
            except (asyncio.IncompleteReadError, ConnectionError):
                await self._replace("ended")
                raise errors.Unavailable(
                    "The process that reads pictures ended over this one. "
                    "Save the picture anew, for instance as a PNG, and try again."
                ) from None
        if "error" in head:
            raise told(head)
        return head, body

    async def _standing_by(self) -> Process:
        """A process that is ready for a request; where the last one has ended, a new one."""
        if self._process is None or _output(self._process).at_eof():
            await self._end()
            await self.start()
        assert self._process is not None
        if not self._ready:
            try:
                async with asyncio.timeout(READY_SECONDS):
                    await message_pipe.receive(_output(self._process))
            except (TimeoutError, asyncio.IncompleteReadError):
                await self._end()
                raise errors.Unavailable(
                    "The process that reads pictures does not start; the server's log says why."
                ) from None
            self._ready = True
        return self._process

    async def _replace(self, why: str) -> None:
        log.warning("The inference process %s and is replaced.", why)
        await self._end()
        await self.start()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ask(process: Process, request: bytes) -> message_pipe.Message:
    assert process.stdin is not None
    process.stdin.write(request)
    await process.stdin.drain()
    return await message_pipe.receive(_output(process))


def _output(process: Process) -> asyncio.StreamReader:
    assert process.stdout is not None
    return process.stdout
