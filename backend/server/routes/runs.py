"""Runs: listed, started, controlled, deleted."""

from typing import Self

from fastapi import APIRouter, Response
from pydantic import model_validator

from stnscope.backend.experiment.config import RunConfig, SettingsChange
from stnscope.backend.experiment.run_status import Action
from stnscope.backend.server.runs import Run
from stnscope.backend.server.state import Server

router = APIRouter()


class Control(SettingsChange):
    """What is asked of a trainer: to change settings, to do something, or both, in this order."""

    action: Action | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.given:
            raise ValueError("Name an action, or settings to change.")
        return self


@router.get("/runs", tags=["runs"])
def list_runs(server: Server) -> list[Run]:
    """All runs, the newest first."""
    return [server.describe(run) for run in server.runs.list()]


@router.post("/runs", status_code=201, tags=["runs"])
async def start_run(config: RunConfig, server: Server, response: Response) -> Run:
    """Starts a run; an empty object starts the demonstration's configuration."""
    run_id = server.runs.create(config)
    await server.trainers.submit(run_id)
    response.headers["Location"] = f"/api/runs/{run_id}"
    return server.describe(server.runs.summary(run_id))


@router.get("/runs/{run_id}", tags=["runs"])
def show_run(run_id: str, server: Server) -> Run:
    """One run."""
    return server.describe(server.runs.summary(run_id))


@router.post("/runs/{run_id}/control", tags=["runs"])
async def control_run(run_id: str, control: Control, server: Server) -> Run:
    """Pauses, resumes, steps or stops a run, or changes its settings; answers once it shows."""
    settings = control.model_dump(exclude_none=True, exclude={"action"})
    if settings:
        await server.trainers.change(run_id, settings)
    if control.action is not None:
        await server.trainers.control(run_id, control.action)
    return server.describe(server.runs.summary(run_id))


@router.delete("/runs/{run_id}", status_code=204, tags=["runs"])
async def delete_run(run_id: str, server: Server) -> None:
    """Removes a run that has no live trainer."""
    server.runs.path(run_id)
    await server.trainers.release(run_id)
    server.runs.delete(run_id)
