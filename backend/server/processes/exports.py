"""Export jobs: each is a child process that makes a file."""

import asyncio
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from stnscope.backend.experiment.errors import Conflict, NotFound, StnscopeError, Unavailable
from stnscope.backend.experiment.export.formats import FORMATS, file_name
from stnscope.backend.experiment.export.options import ExportOptions, Progress
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import (
    ChildEnded,
    ChildHung,
    ChildProcess,
    command_for,
)
from stnscope.backend.server.runs import Runs

COMMAND = command_for("export_main")
MAX_JOBS = 16
"""Files that are not downloaded are removed beyond this number of jobs, the oldest first."""


@dataclass
class Job:
    """One export: its progress, and how it ended."""

    id: str
    run: str
    target: Path
    is_awaited: bool = False
    """Whether a request waits for the file, and cancels the job itself."""
    done: int = 0
    total: int | None = None
    size: int | None = None
    psnr: float | None = None
    name: str = ""
    media_type: str = ""
    error: StnscopeError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def describe(self) -> dict[str, Any]:
        """Return the job as the interface has it."""
        status = "running"
        if self.ended.is_set():
            status = "failed" if self.error else "finished"
        return {
            "id": self.id,
            "run": self.run,
            "status": status,
            "done": self.done,
            "total": self.total,
            "size": self.size,
            "psnr": self.psnr,
            "error": str(self.error) if self.error else None,
            "file": f"/api/exports/{self.id}/file" if status == "finished" else None,
        }


class Exports:
    """The export jobs of one server, one process at a time so that training keeps its core.

    Previews have a process of their own: they are short, and a user waits for them.
    """

    def __init__(self, runs: Runs, deadlines: Deadlines | None = None) -> None:
        self._runs = runs
        self._deadlines = deadlines or Deadlines()
        self._folder = tempfile.TemporaryDirectory(prefix="stnscope-exports-")
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lock = asyncio.Lock()
        self._preview_lock = asyncio.Lock()

    async def start(self, run_id: str, options: ExportOptions) -> dict[str, Any]:
        """Start a job; return its state.

        Raises:
            NotFound: there is no such run.
        """
        return self._describe(await self._start(run_id, options))

    async def make(self, run_id: str, options: ExportOptions) -> bytes:
        """Make a file and return its bytes.

        Raises:
            NotFound: there is no such run.
            StnscopeError: the file cannot be made.
        """
        job = await self._start(run_id, options, is_awaited=True)
        try:
            await job.ended.wait()
            return await run_in_threadpool(self.result(job.id).target.read_bytes)
        finally:
            await self.cancel(job.id)

    def describe(self, job_id: str) -> dict[str, Any]:
        """Return the state of a job.

        Raises:
            NotFound: there is no such job.
        """
        return self._describe(self._job(job_id))

    async def preview(self, run_id: str, options: ExportOptions) -> dict[str, Any]:
        """Return what an export will be, without making it.

        Raises:
            NotFound: there is no such run.
            StnscopeError: the file could not be made either.
        """
        request = await self._request(run_id, options, None)
        async with self._preview_lock:
            try:
                return await self._run_process(request)
            except ChildEnded as error:
                raise Unavailable("The preview ended unexpectedly. Please try again.") from error

    async def end_run(self, run_id: str) -> None:
        """End the jobs of a run that was deleted; files that are finished stay."""
        for job in list(self._jobs.values()):
            if run_id == job.run and not job.ended.is_set():
                job.error = NotFound(f"Run {run_id} was deleted; its export has ended.")
                task = self._tasks[job.id]
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def result(self, job_id: str) -> Job:
        """Return a finished job.

        Raises:
            NotFound: there is no such job.
            Conflict: it is not finished.
            StnscopeError: it could not be made.
        """
        job = self._job(job_id)
        if not job.ended.is_set():
            raise Conflict("This export is still being made.")
        if job.error is not None:
            raise job.error
        return job

    async def cancel(self, job_id: str) -> None:
        """End a job if it still runs, and remove its file.

        Raises:
            NotFound: there is no such job.
        """
        job = self._job(job_id)
        task = self._tasks.pop(job_id)
        del self._jobs[job_id]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await run_in_threadpool(job.target.unlink, missing_ok=True)

    async def close(self) -> None:
        """End all jobs and remove their files."""
        for job_id in list(self._jobs):
            await self.cancel(job_id)
        await run_in_threadpool(self._folder.cleanup)

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise NotFound(f"There is no export {job_id!r}.")
        return self._jobs[job_id]

    async def _start(self, run_id: str, options: ExportOptions, *, is_awaited: bool = False) -> Job:
        job_id = secrets.token_hex(8)
        target = Path(self._folder.name) / f"{job_id}.{options.format}"
        request = await self._request(run_id, options, target)
        job = self._jobs[job_id] = Job(
            job_id,
            run_id,
            target,
            is_awaited,
            name=file_name(run_id, options),
            media_type=FORMATS[options.format].media_type,
        )
        self._tasks[job_id] = asyncio.create_task(self._run_job(job, request))
        await self._remove_oldest()
        return job

    async def _remove_oldest(self) -> None:
        ended = [job for job in self._jobs.values() if job.ended.is_set() and not job.is_awaited]
        for job in ended[: max(0, len(self._jobs) - MAX_JOBS)]:
            if job.id in self._jobs:  # not cancelled while another file was removed
                await self.cancel(job.id)

    async def _run_job(self, job: Job, request: dict[str, Any]) -> None:
        try:
            async with self._lock:
                await self._make_file(job, request)
        except StnscopeError as error:
            job.error = error
        except ChildHung:
            job.error = Unavailable("The export did not respond and was ended. Please try again.")
        except ChildEnded:
            job.error = Unavailable("The export ended unexpectedly. Please try again.")
        finally:
            job.ended.set()

    async def _make_file(self, job: Job, request: dict[str, Any]) -> None:
        def note_progress(done: int, total: int) -> None:
            job.done, job.total = done, total

        info = await self._run_process(request, note_progress)
        job.psnr = info.get("psnr")
        job.size = (await run_in_threadpool(job.target.stat)).st_size

    async def _run_process(
        self, request: dict[str, Any], progress: Progress | None = None
    ) -> dict[str, Any]:
        """Start a process, send it a request, and return its response."""
        process = await ChildProcess.start(COMMAND, self._deadlines)
        try:
            await process.send(request)
            head, _ = await process.receive(can_stall=False)
            while "done" in head:
                if progress is not None:
                    progress(head["done"], head["total"])
                head, _ = await process.receive(can_stall=False)
        finally:
            await process.kill()
        return dict(head)

    async def _request(
        self, run_id: str, options: ExportOptions, target: Path | None
    ) -> dict[str, Any]:
        """Return the request to the process; raises NotFound if there is no such run."""
        recording = await run_in_threadpool(self._runs.path, run_id)
        compared = None
        if options.compare is not None:
            compared = await run_in_threadpool(self._runs.path, options.compare)
        return {
            "recording": str(recording),
            "compared": compared and str(compared),
            "options": options.model_dump(mode="json"),
            "target": target and str(target),
        }

    def _describe(self, job: Job) -> dict[str, Any]:
        """Return a job as the interface has it, with the number of those before it."""
        earlier = list(self._jobs).index(job.id)
        before = sum(not each.ended.is_set() for each in list(self._jobs.values())[:earlier])
        return job.describe() | {"waiting": 0 if job.ended.is_set() else before}
