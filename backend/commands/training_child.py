"""The trainer of a command: watched while it trains, and ended in order."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import ChildProcess
from stnscope.backend.server.processes.trainers import TrainerProcess


@asynccontextmanager
async def training_child(
    command: Sequence[str], deadlines: Deadlines | None = None
) -> AsyncIterator[ChildProcess]:
    """Run a child process that trains, as `ended_in_order` does."""
    child = await ChildProcess.start(command, deadlines)
    async with ended_in_order(child, f"The process that trains ({child.pid})"):
        yield child


@asynccontextmanager
async def ended_in_order(trainer: TrainerProcess, title: str) -> AsyncIterator[None]:
    """Watch a trainer; at the end, after an interrupt too, it writes a checkpoint and ends.

    A message is printed while it hangs; if it hangs at the end, it is killed.

    Args:
        trainer: that runs.
        title: what messages call it.
    """
    reporting = asyncio.create_task(_report_unresponsiveness(trainer, title))
    try:
        yield
    finally:
        reporting.cancel()
        trainer.close_stdin()
        await trainer.wait_or_kill_if_unresponsive()


async def _report_unresponsiveness(trainer: TrainerProcess, title: str) -> None:
    while True:
        await trainer.wait_for_responsiveness(False)
        print(
            f"\n{title} does not respond; it may be stopped. Interrupt this command to end both.",
            file=sys.stderr,
            flush=True,
        )
        await trainer.wait_for_responsiveness(True)
        if trainer.is_alive:
            print(f"{title} responds again.", file=sys.stderr, flush=True)
