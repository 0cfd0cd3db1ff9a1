"""Runs: list, start, control and delete them."""

from typing import Annotated, Any, Self

from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import model_validator

from stnscope.backend.experiment.catalog.examples import EXAMPLES
from stnscope.backend.experiment.config import FrozenModel, RunConfig, SettingsChange
from stnscope.backend.experiment.limits import PositiveCount
from stnscope.backend.experiment.recording.run_name import RunName
from stnscope.backend.experiment.run_status import Action
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.conditional import JsonBody, next_link
from stnscope.backend.server.http.description import responses
from stnscope.backend.server.runs import Run
from stnscope.backend.server.state import Server

router = ApiRouter()


class Control(SettingsChange):
    """A request to change settings, to act on a run, or both, in this order."""

    action: Action | None = None

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.values:
            raise ValueError("Name an action, or settings to change.")
        return self


class Naming(FrozenModel):
    """The name to give to a run."""

    name: RunName | None


@router.get("/runs", tags=["runs"], **responses(list[schemas.Run], 304, 404))
def list_runs(
    request: Request,
    server: Server,
    limit: Annotated[PositiveCount | None, Query(description="How many at most; else all.")] = None,
    after: Annotated[str | None, Query(description="Only those that follow this run.")] = None,
    live: Annotated[
        bool | None, Query(description="Only those to which frames may be added, or the others.")
    ] = None,
    swept: Annotated[
        bool, Query(description="False for those of sweeps only while they are trained.")
    ] = True,
) -> Response:
    """List runs, the newest first; 304 if the tag in `If-None-Match` is still theirs.

    With a limit, the header `Link` has the address of the next ones, if there are more.
    """

    def encode() -> tuple[JsonBody, str | None]:
        without = () if swept else server.sweeps.run_ids()
        runs, has_more = server.runs.page(limit=limit, after=after, live=live, without=without)
        body = JsonBody.encode([server.describe(run) for run in runs])
        return body, runs[-1]["id"] if has_more else None

    # A run's description depends on what the request may do.
    body, last = server.run_lists.get((limit, after, live, swept, server.may_act), encode)
    return body.respond(request, next_link(request, after=last))


@router.get("/examples", tags=["runs"], **responses(list[schemas.Example]))
def list_examples(server: Server) -> list[dict[str, Any]]:
    """List the recordings that ship with the program; requests for a run accept their ids."""
    examples = [example for example in EXAMPLES.values() if server.runs.exists(example.id)]
    return [
        {
            "title": example.title,
            "description": example.description,
            "compare": EXAMPLES[example.compare].id if example.compare else None,
            "run": server.run(example.id),
        }
        for example in examples
    ]


@router.post("/runs", tags=["runs"], **responses(schemas.Run, 507, status=201))
async def start_run(config: RunConfig, server: Server, response: Response) -> Run:
    """Start a run; an empty object starts the demonstration's configuration."""
    config = await server.devices.resolve(config)
    run_id = await run_in_threadpool(server.runs.create, config)
    await server.trainers.submit(run_id)
    response.headers["Location"] = f"/api/runs/{run_id}"
    return await run_in_threadpool(server.run, run_id)


@router.get("/runs/{run_id}", tags=["runs"], **responses(schemas.Run, 404))
def show_run(run_id: str, server: Server) -> Run:
    """Show one run."""
    return server.run(run_id)


@router.patch("/runs/{run_id}", tags=["runs"], **responses(schemas.Run, 404, 409, 507))
def name_run(run_id: str, change: Naming, server: Server) -> Run:
    """Give a run a name, whatever its status; null takes it away."""
    server.runs.rename(run_id, change.name)
    return server.run(run_id)


@router.post("/runs/{run_id}/control", tags=["runs"], **responses(schemas.Run, 404, 409, 504, 507))
async def control_run(run_id: str, control: Control, server: Server) -> Run:
    """Pause, resume, step or stop a run, or change its settings; responds once it took effect.

    What does not fit the run's status is 409; what did not take effect in time is 504, and may
    still do so.
    """
    settings = control.model_dump(exclude_none=True, exclude={"action"})
    if settings:
        await server.run_requests.change(run_id, settings)
    if control.action is not None:
        await server.run_requests.control(run_id, control.action)
    return await run_in_threadpool(server.run, run_id)


@router.delete("/runs/{run_id}", tags=["runs"], **responses(None, 404, 409, status=204))
async def delete_run(run_id: str, server: Server) -> None:
    """Remove a run that has no live trainer."""
    await server.run_requests.delete(run_id)
    await server.exports.end_run(run_id)
