"""Sweeps: list, start, control and delete groups of runs; their tables, curves and CSV."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from stnscope.backend.experiment.config import FrozenModel
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, TABLES
from stnscope.backend.experiment.run_status import flags
from stnscope.backend.experiment.sweeps.sweep_config import ROW_FIELD, SweepConfig
from stnscope.backend.experiment.sweeps.table import (
    Combination,
    MemberSummary,
    combinations,
    status_of,
    write_csv,
)
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.conditional import JsonBody
from stnscope.backend.server.http.description import file_of, responses
from stnscope.backend.server.requests.sweep_requests import (
    allowed_now,
    control_sweep,
    delete_sweep,
    plan_sweep,
    submit_sweep,
)
from stnscope.backend.server.schemas import SweepAction
from stnscope.backend.server.state import Server, State
from stnscope.backend.server.sweeps import Sweep

router = ApiRouter()

CSV_TYPE = "text/csv"
JSON_TYPE = "application/json"
RUN_FIELDS = tuple(
    name for name in schemas.SweepRun.model_fields if name not in ("seed", "done", "failed")
)
"""Columns of the table for a run, from its summary."""


class SweepControl(FrozenModel):
    """A request to act on all runs of a sweep that it fits."""

    action: SweepAction


@router.get("/sweeps", tags=["sweeps"], **responses(list[schemas.SweepSummary], 304))
def list_sweeps(request: Request, server: Server) -> Response:
    """List sweeps, the newest first; 304 if the tag in `If-None-Match` is still theirs."""

    def encode() -> tuple[JsonBody, None]:
        summaries = [summarize(server, each)[0] for each in server.sweeps.list()]
        return JsonBody.encode(summaries), None

    body, _ = server.run_lists.get(("sweeps", server.may_act), encode)
    return body.respond(request)


@router.post("/sweeps", tags=["sweeps"], **responses(schemas.Sweep, 507, status=201))
async def start_sweep(config: SweepConfig, server: Server) -> Response:
    """Start a sweep: create all its runs, which are trained as soon as they have their turn."""
    planned = await plan_sweep(server.sweeps, server.devices, config)
    sweep = await run_in_threadpool(server.sweeps.create, config, planned)
    await submit_sweep(server.trainers, server.sweeps, sweep)
    body = await run_in_threadpool(_encode, server, sweep)
    return Response(body.plain, 201, {"Location": f"/api/sweeps/{sweep.id}"}, JSON_TYPE)


@router.get("/sweeps/{sweep_id}", tags=["sweeps"], **responses(schemas.Sweep, 304, 404))
def show_sweep(sweep_id: str, request: Request, server: Server) -> Response:
    """Show a sweep as a table: a row for each combination of values, over its seeds."""
    sweep = server.sweeps.get(sweep_id)

    body, _ = server.run_lists.get(
        ("sweep", sweep_id, server.may_act), lambda: (_encode(server, sweep), None)
    )
    return body.respond(request)


@router.get(
    "/sweeps/{sweep_id}/curves", tags=["sweeps"], **responses(schemas.SweepCurves, 304, 404)
)
def show_curves(sweep_id: str, request: Request, server: Server) -> Response:
    """Show accuracy and loss over epochs: the mean over seeds, the lowest and the highest."""
    sweep = server.sweeps.get(sweep_id)

    def encode() -> tuple[JsonBody, None]:
        members = server.sweeps.members(sweep)
        epochs = max((member.summary["epochs"] or 1 for member in members), default=1)
        curves = server.sweeps.curves(members)
        named = [{name: band._asdict() for name, band in each.items()} for each in curves]
        return JsonBody.encode({"epochs": epochs, "combinations": named}), None

    body, _ = server.run_lists.get(("curves", sweep_id), encode)
    return body.respond(request)


@router.get(
    "/sweeps/{sweep_id}/csv",
    tags=["sweeps"],
    response_class=Response,
    **responses(file_of(CSV_TYPE), 404),
)
def download_csv(sweep_id: str, server: Server) -> Response:
    """Return the runs of a sweep as CSV, a row each."""
    sweep = server.sweeps.get(sweep_id)
    name = f"sweep-{sweep.id}.csv"
    return Response(
        write_csv(sweep.fields, server.sweeps.members(sweep)),
        media_type=CSV_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post(
    "/sweeps/{sweep_id}/control", tags=["sweeps"], **responses(schemas.Sweep, 404, 409, 504, 507)
)
async def control(sweep_id: str, control: SweepControl, server: Server) -> Response:
    """Stop or resume all runs of a sweep that can be; responds once it took effect.

    What was queued by a command that has ended is resumed too.
    """
    sweep = await run_in_threadpool(server.sweeps.get, sweep_id)
    await control_sweep(server.run_requests, server.sweeps, sweep, control.action)
    body = await run_in_threadpool(_encode, server, sweep)
    return Response(body.plain, media_type=JSON_TYPE)


@router.delete("/sweeps/{sweep_id}", tags=["sweeps"], **responses(None, 404, 409, status=204))
async def remove_sweep(sweep_id: str, server: Server) -> None:
    """Remove a sweep with all its runs, none of which may be in training."""
    sweep = await run_in_threadpool(server.sweeps.get, sweep_id)
    for run_id in await delete_sweep(server.run_requests, server.sweeps, sweep):
        await server.exports.end_run(run_id)


def summarize(server: State, sweep: Sweep) -> tuple[dict[str, Any], list[MemberSummary]]:
    """Return a sweep's entry in a list, and its runs."""
    members = server.sweeps.members(sweep)
    runs = [member.summary for member in members]
    allowed = allowed_now(server.run_requests, runs) if server.may_act else []
    counts = Counter(run["status"] for run in runs)
    status = status_of(members)
    meaning = flags(status)
    return {
        "id": sweep.id,
        "name": sweep.config.name,
        "created": sweep.created,
        "fields": sweep.fields,
        "seeds": sweep.config.seeds,
        "status": status,
        "running": meaning["running"],
        "broken": meaning["broken"],
        "runs": len(members),
        "done": counts.pop("finished", 0),
        "training": counts.pop("running", 0),
        "waiting": counts.pop("queued", 0),
        "others": counts,
        "can": allowed,
    }, members


def _encode(server: State, sweep: Sweep) -> JsonBody:
    """Return a sweep with its table; one of hundreds of runs is large."""
    summary, members = summarize(server, sweep)
    rows = [_describe_combination(each) for each in combinations(members)]
    content = {**summary, "config": sweep.config.model_dump(), "combinations": rows}
    return JsonBody.encode(content)


def _describe_combination(combination: Combination) -> dict[str, Any]:
    figures = {name: spread and asdict(spread) for name, spread in combination.figures.items()}
    runs = [
        {
            "seed": seed,
            "done": summary["status"] == "finished",
            "failed": summary["status"] == "failed",
            **{name: summary[name] for name in RUN_FIELDS},
        }
        for _, seed, summary in combination.runs
    ]
    # Only a published table has rows.
    row = ROWS.get(combination.values.get(ROW_FIELD, ""))
    return {
        "values": combination.values,
        "done": combination.finished,
        "collapsed": combination.collapsed,
        "observed": combination.observed,
        **figures,
        "published": row
        and {
            "network": row.network,
            "data": row.data,
            "figure": row.published,
            "measure": TABLES[row.table].measure,
        },
        "runs": runs,
    }
