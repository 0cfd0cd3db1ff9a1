"""What runs can be made of, and data sets on their way here."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DISTORTIONS,
    FAMILIES,
    OPTIMISERS,
    PADDINGS,
    SCHEDULES,
    DatasetEntry,
    default_epochs,
    fits,
)
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.limits import LIMITS
from stnscope.backend.server.state import Server, State
from stnscope.backend.server.throughput import images_per_second
from stnscope.backend.version import VERSION
from stnscope.models.cards import cards

router = APIRouter()


@router.get("/health", tags=["server"])
def health() -> dict[str, str]:
    """Answers once the server can serve."""
    return {"status": "ok", "version": VERSION}


@router.get("/catalog", tags=["server"])
def catalog(server: Server) -> dict[str, Any]:
    """What runs can be made of, and which trained weights are at hand."""
    tables: dict[str, Mapping[str, Any]] = {
        "architectures": ARCHITECTURES,
        "families": FAMILIES,
        "distortions": DISTORTIONS,
        "optimisers": OPTIMISERS,
        "schedules": SCHEDULES,
        "paddings": PADDINGS,
    }
    return {name: [asdict(entry) for entry in table.values()] for name, table in tables.items()} | {
        "datasets": [_shown(entry, server) for entry in _datasets(server).values()],
        "skipped": [asdict(each) for each in availability.list_skipped_folders(server.runs.data)],
        "weights": [asdict(card) for card in cards().values()],
        "limits": LIMITS,
        "defaults": RunConfig().model_dump(mode="json"),
        "data": str(server.runs.data),
        "images_per_second": images_per_second(server.runs),
    }


def _datasets(server: State) -> dict[str, DatasetEntry]:
    return availability.list_datasets(server.runs.data)


def _shown(entry: DatasetEntry, server: State) -> dict[str, Any]:
    """A data set, which networks fit it and for how many epochs each, its size and its progress.

    The size is of what is to be fetched, the progress how far that is.
    """
    networks = [each for each in ARCHITECTURES.values() if fits(each, entry)]
    return asdict(entry) | {
        "networks": [each.name for each in networks],
        "epochs": {each.name: default_epochs(each, entry) for each in networks},
        "download": server.fetches.size(entry.name),
        "fetching": server.fetches.show(entry.name),
    }


@router.get("/datasets/{name}", tags=["data sets"])
def show_dataset(name: str, server: Server) -> dict[str, Any]:
    """One data set, as the catalog has it."""
    entries = _datasets(server)
    if name not in entries:
        raise NotFound(f"There is no data set {name!r}; there are {', '.join(entries)}.")
    return _shown(entries[name], server)


@router.post("/datasets/{name}/fetch", status_code=202, tags=["data sets"])
async def fetch_dataset(name: str, server: Server) -> dict[str, Any]:
    """Begins to fetch a data set into the data folder; asked again, tells how far it is."""
    return server.fetches.start(name)


@router.delete("/datasets/{name}/fetch", status_code=204, tags=["data sets"])
async def stop_fetching(name: str, server: Server) -> None:
    """Breaks off; what has come is kept, to go on from."""
    server.fetches.cancel(name)
