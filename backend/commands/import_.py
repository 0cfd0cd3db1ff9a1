"""`stnscope import`: add a recording that was made elsewhere to the runs."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from stnscope.backend.commands.options import Commands, add_quota, command, quota, recordings
from stnscope.backend.server.processes.imports import Imports
from stnscope.backend.server.runs import Runs

EXAMPLES = """\
  stnscope import run.stnscope            as the page's import does
"""
PIECE_BYTES = 1024 * 1024


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Check a recording that was made elsewhere, and add a copy to the runs."
    parser = command(commands, "import", _import, text, EXAMPLES)
    parser.add_argument("file", type=Path, help="the recording, of any origin")
    add_quota(parser)


def _import(options: argparse.Namespace) -> int:
    with options.file.open("rb") as file:
        imports = Imports(Runs(recordings(options), quota(options)))
        run_id = asyncio.run(imports.import_recording(_read_pieces(file), ""))
    print(f"Run {run_id}")
    return 0


async def _read_pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
        yield piece
