"""The child process of a command that trains: its message when it hangs, and how it ends."""

import asyncio
import os
import signal

import pytest

from stnscope.backend.commands.training_child import training_child
from stnscope.backend.server.deadlines import Deadlines
from tests.forking import RUN_CODE

CHILD = """
from stnscope.backend.server.processes.child_main import ParentPipe

pipe = ParentPipe()
while True:
    pipe.handle_request(lambda head, body: (head, body))
"""
COMMAND = (*RUN_CODE, CHILD)
QUICK = Deadlines(silence=2)


def test_child_that_is_stopped_is_reported_and_again_when_it_continues(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def stop_and_continue() -> int | None:
        async with training_child(COMMAND, QUICK) as child:
            await child.send({"text": "ready"})
            await child.receive()
            os.kill(child.pid, signal.SIGSTOP)
            await child.wait_for_responsiveness(False)
            await asyncio.sleep(0)  # the message is printed
            os.kill(child.pid, signal.SIGCONT)
            await child.wait_for_responsiveness(True)
            await asyncio.sleep(0)
        return child.exit_code

    assert asyncio.run(stop_and_continue()) == 0
    stopped, _, continued = capfd.readouterr().err.strip().partition("\n")
    assert "does not respond" in stopped
    assert "responds again" in continued


def test_child_that_is_stopped_is_killed_at_the_end() -> None:
    async def stop() -> int | None:
        async with training_child(COMMAND, QUICK) as child:
            await child.send({"text": "ready"})
            await child.receive()
            os.kill(child.pid, signal.SIGSTOP)
            await child.wait_for_responsiveness(False)
        return child.exit_code

    assert asyncio.run(stop()) == -signal.SIGKILL


def test_child_that_ends_while_it_is_waited_for_counts_as_responsive() -> None:
    async def end_while_stopped() -> bool:
        async with training_child(COMMAND, QUICK) as child:
            os.kill(child.pid, signal.SIGSTOP)
            waiting = asyncio.create_task(child.wait_for_responsiveness(True))
            await child.kill()
            await waiting
            return child.is_unresponsive

    assert not asyncio.run(end_while_stopped())
