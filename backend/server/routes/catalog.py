"""The catalog: everything a run can be made of; data sets to download; what a client may do."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DISTORTIONS,
    FAMILIES,
    OPTIMISERS,
    PADDINGS,
    PRECISIONS,
    PRESETS,
    SCHEDULES,
    DatasetEntry,
    default_epochs,
    fits,
)
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.devices.choice import Device, automatic
from stnscope.backend.experiment.devices.cores import automatic_threads, count_cores
from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.options import DEFAULTS as EXPORT_DEFAULTS
from stnscope.backend.experiment.limits import LIMITS
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.reproduction.row_groups import GROUPS
from stnscope.backend.server import schemas
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.conditional import JsonBody
from stnscope.backend.server.http.description import responses
from stnscope.backend.server.state import Server, State
from stnscope.backend.server.throughput import images_per_second
from stnscope.backend.version import VERSION

router = ApiRouter()


@router.get("/health", tags=["server"], **responses(schemas.Health))
def health() -> dict[str, str]:
    """Respond once the server is ready."""
    return {"status": "ok", "version": VERSION}


@router.get("/access", tags=["server"], **responses(schemas.Access))
def access(server: Server) -> dict[str, Any]:
    """Show what the request's token permits, and what a link for others is made of."""
    settings = server.settings
    return {
        "may_act": server.may_act,
        "refusal": None if server.may_act else server.refusal,
        "needs_token": settings.token is not None,
        "viewer_token": settings.viewer_token,
        "address": settings.address if settings.is_shared else None,
    }


@router.get("/catalog", tags=["server"], **responses(schemas.Catalog, 304))
async def catalog(request: Request, server: Server) -> Response:
    """List what a run can be made of, and the trained weights; 304 as for `GET /api/runs`."""
    devices = await server.devices.all()
    body = await run_in_threadpool(_encode_catalog, server, devices)
    return body.respond(request)


def _encode_catalog(server: State, devices: Sequence[Device]) -> JsonBody:
    datasets, skipped = availability.list_all(server.runs.data)
    tables: dict[str, Mapping[str, Any]] = {
        "architectures": ARCHITECTURES,
        "families": FAMILIES,
        "distortions": DISTORTIONS,
        "optimisers": OPTIMISERS,
        "schedules": SCHEDULES,
        "precisions": PRECISIONS,
        "paddings": PADDINGS,
        "presets": PRESETS,
        "published": GROUPS,
    }
    content = {name: [asdict(entry) for entry in table.values()] for name, table in tables.items()}
    further = {
        "datasets": [_describe(entry, server) for entry in datasets.values()],
        "skipped": [asdict(folder) for folder in skipped],
        "devices": [asdict(device) for device in (*devices, automatic(devices))],
        "cores": count_cores(),
        "automatic_threads": automatic_threads(),
        "weights": [asdict(card) for card in server.runs.weights_cards().values()],
        "limits": LIMITS,
        "defaults": RunConfig().model_dump(mode="json"),
        "export_defaults": asdict(EXPORT_DEFAULTS),
        "export_formats": [row.describe() | {"name": name} for name, row in FORMATS.items()],
        "trainers": server.settings.trainers,
        "data": display_name(server.runs.data),
        "images_per_second": images_per_second(server.runs),
    }
    return JsonBody.encode(content | further)


def _datasets(server: State) -> dict[str, DatasetEntry]:
    return availability.list_datasets(server.runs.data)


def _describe(entry: DatasetEntry, server: State) -> dict[str, Any]:
    """Return a data set as the interface has it.

    With the networks that fit it, the epochs by default for each, the number of bytes to download
    (`download_bytes`), and the state of the download (`download`).
    """
    networks = [network for network in ARCHITECTURES.values() if fits(network, entry)]
    return asdict(entry) | {
        "networks": [network.name for network in networks],
        "epochs": {network.name: default_epochs(network, entry) for network in networks},
        "download_bytes": server.downloads.size(entry.name),
        "download": server.downloads.describe(entry.name),
    }


@router.get("/datasets/{name}", tags=["data sets"], **responses(schemas.Dataset, 404))
def show_dataset(name: str, server: Server) -> dict[str, Any]:
    """Show one data set, as the catalog has it."""
    entries = _datasets(server)
    if name not in entries:
        raise NotFound(f"There is no data set {name!r}; there are {', '.join(entries)}.")
    return _describe(entries[name], server)


@router.post(
    "/datasets/{name}/download", tags=["data sets"], **responses(schemas.Download, 404, status=202)
)
def download_dataset(name: str, server: Server) -> dict[str, Any]:
    """Start to download a data set into the data folder; repeated, return its progress."""
    return server.downloads.start(name)


@router.delete("/datasets/{name}/download", tags=["data sets"], **responses(None, 404, status=204))
def cancel_download(name: str, server: Server) -> None:
    """Cancel a download; what was received is kept, and the next one continues from there."""
    server.downloads.cancel(name)
