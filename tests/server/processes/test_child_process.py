"""A child process: its messages, its errors, its end, and that of its parent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import ChildEnded, ChildHung, ChildProcess
from tests.forking import RUN_CODE
from tests.live_server import is_running, wait_until

CHILD = """
import os, sys, time
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.server.processes.child_main import ParentPipe

def handle(head, body):
    print("a library's output")
    if head.get("field"):
        raise InvalidInput("This is wrong.", head["field"])
    if "exit" in head:
        os._exit(head["exit"])
    if "loop" in head:
        while not pipe._received.qsize():
            sum(range(1000))
    if "sleep" in head:
        time.sleep(head["sleep"])
    return {"sum": sum(head["numbers"])}, body[::-1]

pipe = ParentPipe()
while True:
    pipe.handle_request(handle)
"""
COMMAND = (*RUN_CODE, CHILD)


def run(
    scenario: Callable[[ChildProcess], Awaitable[None]], deadlines: Deadlines | None = None
) -> None:
    """Run a scenario with a child process, which is killed at its end."""

    async def start_and_kill() -> None:
        child = await ChildProcess.start(COMMAND, deadlines)
        try:
            await scenario(child)
        finally:
            await child.kill()

    asyncio.run(start_and_kill())


def test_requests_are_answered_in_order_whatever_the_child_prints() -> None:
    async def scenario(child: ChildProcess) -> None:
        large = bytes(range(256)) * 4000
        await child.send({"numbers": [1, 2]}, large)
        await child.send({"numbers": []})
        assert await child.receive() == ({"sum": 3}, large[::-1])
        assert await child.receive() == ({"sum": 0}, b"")
        assert child.is_alive

    run(scenario)


def test_error_keeps_its_class_text_and_field() -> None:
    async def scenario(child: ChildProcess) -> None:
        await child.send({"field": "epochs"})
        with pytest.raises(InvalidInput, match=r"This is wrong\.") as raised:
            await child.receive()
        assert raised.value.field == "epochs"
        await child.send({"numbers": [4]})
        assert await child.receive() == ({"sum": 4}, b"")

    run(scenario)


def test_end_of_the_child_is_an_error() -> None:
    async def scenario(child: ChildProcess) -> None:
        await child.send({"exit": 3})
        with pytest.raises(ChildEnded):
            await child.receive()
        assert await child.wait() == 3
        assert child.exit_code == 3
        assert not child.is_alive
        with pytest.raises(ChildEnded):
            await child.send({"numbers": []})

    run(scenario)


def test_child_ends_with_its_input_even_while_it_computes() -> None:
    async def scenario(child: ChildProcess) -> None:
        await child.send({"sleep": 600, "numbers": []})
        child.close_stdin()
        assert await child.wait() == 0

    run(scenario)


def test_child_that_does_not_end_with_its_input_is_killed() -> None:
    async def scenario() -> None:
        child = await ChildProcess.start((sys.executable, "-c", "import time; time.sleep(600)"))
        child.close_stdin()
        await child.wait_or_kill(0.1)
        assert child.exit_code == -signal.SIGKILL

    asyncio.run(scenario())


def test_stopped_child_is_told_from_one_that_works() -> None:
    async def scenario(child: ChildProcess) -> None:
        await child.send({"numbers": [1]})
        assert await child.receive() == ({"sum": 1}, b"")
        assert not child.is_unresponsive
        os.kill(child.pid, signal.SIGSTOP)
        await child.send({"numbers": [2]})
        with pytest.raises(ChildHung):
            await child.receive()
        assert child.is_silent
        assert child.is_unresponsive
        os.kill(child.pid, signal.SIGCONT)
        await child.wait_for_responsiveness(True)
        assert await child.receive() == ({"sum": 2}, b"")

    run(scenario, Deadlines(silence=2, stall=600))


def test_child_in_an_endless_native_call_is_unresponsive_but_not_silent() -> None:
    async def scenario(child: ChildProcess) -> None:
        await child.send({"numbers": [1]})
        await child.receive()
        await child.send({"sleep": 600, "numbers": []})
        await child.wait_for_responsiveness(False)
        assert not child.is_silent

    run(scenario, Deadlines(silence=600, stall=3))


def test_child_that_waits_for_a_message_or_computes_for_long_is_responsive() -> None:
    async def scenario(child: ChildProcess) -> None:
        await child.send({"loop": True, "numbers": []})
        for _ in range(2):  # in a loop, and then waiting for the next message
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(child.wait_for_responsiveness(False), 4)
            await child.send({"numbers": []})

    run(scenario, Deadlines(silence=600, stall=3))


def test_stopped_child_is_killed() -> None:
    async def scenario(child: ChildProcess) -> None:
        os.kill(child.pid, signal.SIGSTOP)
        child.close_stdin()
        await child.wait_or_kill(0)
        assert child.exit_code == -signal.SIGKILL

    run(scenario)


PARENT = """
import asyncio, sys
from stnscope.backend.server.processes.child_process import ChildProcess, command_for

async def main():
    child = await ChildProcess.start(command_for(sys.argv[1]))
    print(child.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("module", ["export_main", "import_main"])
def test_child_ends_when_its_parent_is_killed(module: str) -> None:
    command = [*RUN_CODE, PARENT, module]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    wait_until(lambda: not is_running(pid))
