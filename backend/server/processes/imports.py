"""Recordings that come in: received beside the others, looked at by a process of its own.

Of a recording that is refused nothing stays; one that is taken in stands there whole.
"""

import asyncio
import json
import logging
import shutil
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from stnscope.backend.experiment.errors import TooLarge, Unavailable
from stnscope.backend.experiment.recording.importer import DRAFT_SUFFIX
from stnscope.backend.experiment.recording.quota import (
    Quota,
    in_words,
    raising_insufficient_storage,
)
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.untrusted_file import HEADER, check_header
from stnscope.backend.experiment.recording.writer import SUFFIXES
from stnscope.backend.server.http.upload import receive
from stnscope.backend.server.processes.error_codec import told
from stnscope.backend.server.runs import Runs

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "stnscope.backend.server.processes.import_main")
ANSWER_SECONDS = 600.0
"""That a recording of the greatest size may take on a slow disk."""
MOST_AT_ONCE = 4
LOOKS = 32 * 1024 * 1024
"""Bytes that come in between two looks at what is free."""
ASIDE = "incoming-"
"""What the folder of a file on its way in begins with, in the home."""
FORGOTTEN_SECONDS = 24 * 3600.0


def most_recording(bounds: Quota) -> int:
    """Bytes that a recording may have to be taken in: one that is at its limit is a little over."""
    return bounds.run + bounds.run // 16


class Imports:
    """The recordings that are coming in to one server; one is looked at at a time.

    Args:
        runs: what they become part of.
        timeout: seconds that a look may take.
    """

    def __init__(self, runs: Runs, timeout: float = ANSWER_SECONDS) -> None:
        self._runs = runs
        self._timeout = timeout
        self._coming = 0
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def take(self, body: AsyncIterator[bytes], kind: str) -> str:
        """Takes in a recording and answers with its id.

        Args:
            body: of the request.
            kind: its content type.

        Raises:
            RecordingError: it is none, or damaged; the text says how.
            TooLarge: it is larger than a recording may be.
            InsufficientStorage: there is no room for it.
            Unavailable: others are coming in, or it took too long.
        """
        if self._coming >= MOST_AT_ONCE:
            raise Unavailable("Other recordings are coming in. Try again in a moment.")
        run_id = self._runs.new_id()
        target = self._runs.folder / f"{run_id}{SUFFIX}"
        # Not among the recordings, whose size is bounded.
        aside = Path(mkdtemp(prefix=ASIDE, dir=self._runs.folder.parent))
        self._coming += 1
        try:
            with raising_insufficient_storage():
                await receive(body, kind, aside / target.name, self._look)
            async with self._turn:
                await self._bring_in(aside / target.name, target)
        finally:
            self._coming -= 1
            await asyncio.to_thread(_clear, aside, target)
        return run_id

    def clear_old(self) -> None:
        """Removes what an earlier server that died over a recording has left."""
        left = (
            *self._runs.folder.parent.glob(f"{ASIDE}*"),
            *self._runs.folder.glob(f"*{DRAFT_SUFFIX}*"),
        )
        for path in left:
            # What is younger may be coming in to another server of this home.
            if time.time() - path.stat().st_mtime > FORGOTTEN_SECONDS:
                _remove(path)

    def _look(self, piece: bytes, came: int) -> None:
        """Looks at a piece of the file; at the first one, whether it may be a recording at all."""
        if came == 0:
            check_header(piece[:HEADER])
        most = most_recording(self._runs.bounds)
        if came + len(piece) > most:
            raise TooLarge(f"The file is larger than {in_words(most)}, the most that is taken in.")
        if came // LOOKS != (came + len(piece)) // LOOKS or came == 0:
            self._runs.check_room(came + len(piece))

    async def _bring_in(self, source: Path, target: Path) -> None:
        self._process = process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        line = json.dumps({"source": str(source), "target": str(target)})
        try:
            async with asyncio.timeout(self._timeout):
                output, _ = await process.communicate(line.encode() + b"\n")
        except TimeoutError:
            raise Unavailable(
                f"The recording took longer than {self._timeout:.0f} s to look at, so it was "
                "given up."
            ) from None
        finally:
            await self.close()
        if not output:
            log.warning("The import process ended with code %s.", process.returncode)
            raise Unavailable("The process that reads recordings ended over this one.")
        answer: dict[str, Any] = json.loads(output)
        if "error" in answer:
            raise told(answer)

    async def close(self) -> None:
        """Ends the look that is under way."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _clear(aside: Path, target: Path) -> None:
    """Removes what is left beside a recording that was to be taken in."""
    _remove(aside)
    for suffix in SUFFIXES:
        _remove(target.with_name(f"{target.stem}{DRAFT_SUFFIX}{suffix}"))
    if not target.exists():
        _remove(target.with_suffix(".lock"))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
