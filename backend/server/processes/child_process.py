"""Child processes, as their parent uses them: started, sent messages, and ended in one way.

A child is a module of this package, run in a session of its own: an interrupt typed at the terminal
reaches the parent alone, which then ends its children in order. Parent and child exchange messages
(`message_pipe`) over the child's standard input and output. When its input ends, its parent has
ended, and the child ends too. `child_main` has the child's part.

A child sends heartbeats. Without them for some time it counts as hung. Only seconds
in which this process ran are counted, so that a time in which all were stopped has no effect.
"""

import asyncio
import math
import os
import sys
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from stnscope.access.token import TOKEN_VARIABLES
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.error_codec import decode_error
from stnscope.backend.server.processes.message_pipe import (
    Message,
    encode_message,
    receive_message,
)

TICK_SECONDS = 0.5
"""Interval between checks of a child's heartbeat."""


NO_DEADLINES = Deadlines().with_values(math.inf)
"""For a child whose user waits at a terminal and can interrupt it; a busy machine delays it."""


class ChildEnded(Exception):
    """The child process ended before it sent the message that was expected."""


class ChildHung(ChildEnded):
    """The child process does not respond: it was stopped, or is in an endless native call."""


def command_for(module: str, package: str = __package__) -> Sequence[str]:
    """Return the command that runs a module of a package, such as `trainer_main` of this one."""
    # -P: modules in the current folder must not take the place of installed ones.
    return (sys.executable, "-P", "-m", f"{package}.{module}")


class EndableProcess(ABC):
    """A process, here or elsewhere, that is waited for, and killed if that takes too long."""

    @abstractmethod
    async def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""

    @abstractmethod
    async def wait_for_responsiveness(self, is_responsive: bool) -> None:
        """Wait until the process responds, or has ended; or until it does not respond."""

    @abstractmethod
    async def kill(self) -> None:
        """Kill the process if it still runs, and wait until it has ended."""

    async def wait_or_kill(self, seconds: float) -> None:
        """Wait until the process has ended; kill it after this time."""
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            await self.kill()

    async def wait_or_kill_if_unresponsive(self) -> None:
        """Wait until the process has ended, however long it takes; kill it if it hangs."""
        waits = (self.wait(), self.wait_for_responsiveness(False))
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        await self.kill()


class ChildProcess(EndableProcess):
    """A running child process."""

    def __init__(self, process: Process, deadlines: Deadlines) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self._deadlines = deadlines
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        """Received messages that were not read yet; None is the end."""
        self._has_ended = False
        self._heartbeats = 0
        self._activity: tuple[int, bool] | None = None
        """State at the latest heartbeat: how often the child's main thread was seen at work, and
        whether it waits for a message."""
        self._silence = self._stall = 0.0
        self._changed = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._receive_all()),
            asyncio.create_task(self._count_silence()),
        ]

    @classmethod
    async def start(cls, command: Sequence[str], deadlines: Deadlines | None = None) -> Self:
        """Start a child process."""
        # A child needs no access to the server.
        environment = {k: v for k, v in os.environ.items() if k not in TOKEN_VARIABLES}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, env=environment
        )
        return cls(process, deadlines or Deadlines())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative for a signal, None while the process runs."""
        return self._process.returncode

    @property
    def is_alive(self) -> bool:
        """Whether the process runs; False as soon as its output has ended."""
        return self.exit_code is None and not self._has_ended

    @property
    def is_silent(self) -> bool:
        """Whether the process has sent no heartbeat for a while, or none since it was started."""
        if self._has_ended:
            return False
        is_loaded = self._heartbeats > 0
        return self._silence >= (self._deadlines.silence if is_loaded else self._deadlines.load)

    @property
    def is_unresponsive(self) -> bool:
        """Whether the process hangs: it is silent, or its main thread is in one endless call."""
        is_stalled = self._stall >= self._deadlines.stall and not self._has_ended
        return self.is_silent or is_stalled

    async def wait_for_responsiveness(self, is_responsive: bool) -> None:
        """Wait until the process responds, or has ended; or until it does not respond."""
        while self.is_unresponsive is is_responsive:
            await self._changed.wait()

    async def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a message.

        Raises:
            ChildEnded: the child does not read it.
        """
        try:
            self._input.write(encode_message(dict(head), body))
            await self._input.drain()
        except ConnectionError as error:
            raise ChildEnded from error

    def send_soon(self, head: Mapping[str, Any]) -> None:
        """Send a short message, without waiting until it is read."""
        with suppress(ConnectionError):  # the child has ended
            self._input.write(encode_message(dict(head)))

    async def receive(self, *, can_stall: bool = True, can_be_silent: bool = False) -> Message:
        """Wait for the child's next message.

        Args:
            can_stall: whether a single native call of the child may take long.
            can_be_silent: whether it may be busy without a heartbeat, as while it loads torch.

        Raises:
            StnscopeError: the error that the child sent.
            ChildEnded: the child ended before it sent one.
            ChildHung: the child hangs.
        """
        while True:
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    message = await self._messages.get()
                break
            except TimeoutError:
                if self._is_hung(can_stall, can_be_silent):
                    raise ChildHung from None
        if message is None:
            self._messages.put_nowait(None)
            raise ChildEnded
        head, body = message
        if "error" in head:
            raise decode_error(head)
        return head, body

    def _is_hung(self, can_stall: bool, can_be_silent: bool) -> bool:
        if can_be_silent:
            return self._heartbeats > 0 and self._silence >= self._deadlines.load
        return self.is_silent if can_stall else self.is_unresponsive

    async def _receive_all(self) -> None:
        try:
            while True:
                head, body = await receive_message(self._output)
                if "heartbeat" in head:
                    self._heartbeats += 1
                    activity = (head["heartbeat"], head["is_waiting"])
                    if activity != self._activity or head["is_waiting"]:
                        self._stall = 0.0
                    self._activity = activity
                else:
                    self._messages.put_nowait((head, body))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass  # the end, or something that is not a message
        finally:
            self._has_ended = True
            self._messages.put_nowait(None)
            self._notify()

    async def _count_silence(self) -> None:
        """Count the seconds without a heartbeat; a time in which this process is stopped is one."""
        while not self._has_ended:
            heartbeats, was_unresponsive = self._heartbeats, self.is_unresponsive
            await asyncio.sleep(TICK_SECONDS)
            has_heartbeat = self._heartbeats > heartbeats
            self._silence = 0.0 if has_heartbeat else self._silence + TICK_SECONDS
            self._stall += TICK_SECONDS if self._heartbeats else 0.0
            if was_unresponsive != self.is_unresponsive:
                self._notify()

    def _notify(self) -> None:
        """Notify those that wait for the process to respond, or not to."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close_stdin(self) -> None:
        """Close the child's input: it is to end by itself."""
        self._input.close()

    async def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        return await self._process.wait()

    async def kill(self) -> None:
        """Kill the process if it still runs, and wait until it has ended."""
        if self.exit_code is None:
            self._process.kill()
        await self.wait()


class ChildOwner:
    """The owner of at most one child process at a time."""

    _process: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process, while there is one."""
        return None if self._process is None else self._process.pid

    async def _end_process(self) -> None:
        """Kill the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            await process.kill()


async def call(module: str, request: Mapping[str, Any]) -> Message:
    """Run a child process for one request, however long it takes; return its response.

    Raises:
        StnscopeError: the error that the child sent.
        ChildEnded: the child ended before it sent a response.
    """
    child = await ChildProcess.start(command_for(module), NO_DEADLINES)
    try:
        await child.send(request)
        return await child.receive()
    finally:
        await child.kill()
