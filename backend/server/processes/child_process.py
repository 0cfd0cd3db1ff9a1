"""Child processes, as their parent uses them: started, sent messages, and ended in one way.

A child is a module of this package, run in a session of its own: an interrupt typed at the terminal
reaches the parent alone, which then ends its children in order. Parent and child exchange messages
(`message_pipe`) over the child's standard input and output. When its input ends, its parent has
ended, and the child ends too. `child_main` has the child's part.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any, Self

from stnscope.access.token import TOKEN_VARIABLE
from stnscope.backend.server.processes.error_codec import decode_error
from stnscope.backend.server.processes.message_pipe import (
    Message,
    encode_message,
    receive_message,
)


class ChildEnded(Exception):
    """The child process ended before it sent the message that was expected."""


def command_for(module: str) -> Sequence[str]:
    """Return the command that runs a module of this package, such as `trainer_main`."""
    # -P: modules in the current folder must not take the place of installed ones.
    return (sys.executable, "-P", "-m", f"{__package__}.{module}")


class ChildProcess:
    """A running child process."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input = process.stdin
        self._output = process.stdout

    @classmethod
    async def start(cls, command: Sequence[str]) -> Self:
        """Start a child process."""
        # A child needs no access to the server.
        environment = {k: v for k, v in os.environ.items() if k != TOKEN_VARIABLE}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, env=environment
        )
        return cls(process)

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
        return self.exit_code is None and not self._output.at_eof()

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

    async def receive(self) -> Message:
        """Wait for the child's next message.

        Raises:
            StnscopeError: the error that the child sent.
            ChildEnded: the child ended before it sent one.
        """
        try:
            head, body = await receive_message(self._output)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ChildEnded from error
        if "error" in head:
            raise decode_error(head)
        return head, body

    def close_stdin(self) -> None:
        """Close the child's input: it is to end by itself."""
        self._input.close()

    async def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        return await self._process.wait()

    async def wait_or_kill(self, seconds: float) -> None:
        """Wait until the process has ended; kill it after this time."""
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kill the process if it still runs, and wait until it has ended."""
        if self.exit_code is None:
            self._process.kill()
        await self.wait()


async def call(module: str, request: Mapping[str, Any]) -> Message:
    """Run a child process for one request; return its response.

    Raises:
        StnscopeError: the error that the child sent.
        ChildEnded: the child ended before it sent a response.
    """
    child = await ChildProcess.start(command_for(module))
    try:
        await child.send(request)
        return await child.receive()
    finally:
        await child.kill()
