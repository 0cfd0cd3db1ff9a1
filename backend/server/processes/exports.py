"""Export jobs: each is a process of its own with a file as its result."""

import asyncio
import json
import secrets
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stnscope.backend.experiment import errors
from stnscope.backend.experiment.export.export import ExportOptions
from stnscope.backend.server.processes.error_codec import told
from stnscope.backend.server.runs import Runs

# Results that are not fetched are let go of, the oldest first.
MOST_JOBS = 16


@dataclass
class Job:
    """One file being made."""

    id: str
    run: str
    target: Path
    process: Process | None = None
    done: int = 0
    total: int | None = None
    error: errors.StnscopeError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Any]:
        status = "running"
        if self.ended.is_set():
            status = "failed" if self.error else "finished"
        finished = status == "finished"
        return {
            "id": self.id,
            "run": self.run,
            "status": status,
            "done": self.done,
            "total": self.total,
            "size": self.target.stat().st_size if finished else None,
            "error": str(self.error) if self.error else None,
            "file": f"/api/exports/{self.id}/file" if finished else None,
        }


class Exports:
    """The export jobs of one server, one process at a time so that training keeps its core."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._folder = tempfile.TemporaryDirectory(prefix="stnscope-exports-")
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Semaphore(1)

    async def start(self, run_id: str, options: ExportOptions) -> dict[str, Any]:
        """Starts a job and answers with its state.

        Raises:
            NotFound: there is no such run.
        """
        return self._start(run_id, options).shown()

    async def make(self, run_id: str, options: ExportOptions) -> Path:
        """Makes a file and waits for it; the caller lets go of it with `cancel`.

        Raises:
            StnscopeError: it cannot be made; the text says why.
        """
        job = self._start(run_id, options)
        try:
            await job.ended.wait()
        except asyncio.CancelledError:
            await self.cancel(job.id)
            raise
        return self.result(job.id)

    def show(self, job_id: str) -> dict[str, Any]:
        return self._job(job_id).shown()

    def result(self, job_id: str) -> Path:
        """The finished file.

        Raises:
            Conflict: it is not finished.
            StnscopeError: why it could not be made.
        """
        job = self._job(job_id)
        if not job.ended.is_set():
            raise errors.Conflict("This export is still being made.")
        if job.error is not None:
            raise job.error
        return job.target

    async def cancel(self, job_id: str) -> None:
        """Ends a job if it still runs and removes its file."""
        job = self._job(job_id)
        task = self._tasks.pop(job_id)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del self._jobs[job_id]
        job.target.unlink(missing_ok=True)

    async def close(self) -> None:
        for job_id in list(self._jobs):
            await self.cancel(job_id)
        self._folder.cleanup()

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise errors.NotFound(f"There is no export {job_id!r}.")
        return self._jobs[job_id]

    def _start(self, run_id: str, options: ExportOptions) -> Job:
        recording = self._runs.path(run_id)
        job_id = secrets.token_hex(8)
        job = Job(job_id, run_id, Path(self._folder.name) / f"{job_id}.{options.format}")
        line = {
            "recording": str(recording),
            "options": options.model_dump(mode="json"),
            "target": str(job.target),
        }
        self._jobs[job_id] = job
        self._tasks[job_id] = asyncio.create_task(self._work(job, json.dumps(line)))
        self._forget_oldest()
        return job

    def _forget_oldest(self) -> None:
        ended = [job for job in self._jobs.values() if job.ended.is_set()]
        for job in ended[: max(0, len(self._jobs) - MOST_JOBS)]:
            job.target.unlink(missing_ok=True)
            del self._jobs[job.id], self._tasks[job.id]

    async def _work(self, job: Job, line: str) -> None:
        try:
            async with self._turn:
                await self._run(job, line)
        finally:
            if job.process is not None and job.process.returncode is None:
                job.process.kill()
                await job.process.wait()
            job.ended.set()

    async def _run(self, job: Job, line: str) -> None:
        command = (sys.executable, "-m", "stnscope.backend.server.processes.export_main")
        job.process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        assert job.process.stdin is not None
        assert job.process.stdout is not None
        job.process.stdin.write(line.encode() + b"\n")
        job.process.stdin.close()
        async for output in job.process.stdout:
            said = json.loads(output)
            if "error" in said:
                job.error = told(said)
            else:
                job.done, job.total = said["done"], said["total"]
        if await job.process.wait() and job.error is None:
            job.error = errors.Unavailable("The export ended unexpectedly. Please try again.")
