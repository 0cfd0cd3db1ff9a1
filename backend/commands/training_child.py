"""The child process of a command that trains: watched while it trains, and ended in order."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import ChildProcess


@asynccontextmanager
async def training_child(
    command: Sequence[str], deadlines: Deadlines | None = None
) -> AsyncIterator[ChildProcess]:
    """Run a child process that trains.

    While it hangs, a message says so. At the end, after an interrupt too, the child writes a
    checkpoint and ends; if it hangs then, it is killed.
    """
    child = await ChildProcess.start(command, deadlines)
    reporting = asyncio.create_task(_report_unresponsiveness(child))
    try:
        yield child
    finally:
        reporting.cancel()
        child.close_stdin()
        await child.wait_or_kill_if_unresponsive()


async def _report_unresponsiveness(child: ChildProcess) -> None:
    while True:
        await child.wait_for_responsiveness(False)
        print(
            f"\nThe process that trains ({child.pid}) does not respond; it may be stopped. "
            "Interrupt this command to end both.",
            file=sys.stderr,
            flush=True,
        )
        await child.wait_for_responsiveness(True)
        if child.is_alive:
            print("The process that trains responds again.", file=sys.stderr, flush=True)
