"""What one running server is made of; made in its lifespan, handed to each request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from backend.experiment.catalog import ARCHITECTURES
from backend.server.exports import Exports
from backend.server.fetches import Fetches
from backend.server.imports import Imports
from backend.server.pictures import Pictures
from backend.server.runs import Run, Runs
from backend.server.settings import Settings
from backend.server.tail import Tails
from backend.server.trainers import Trainers
from backend.server.worker import InferenceWorker


@dataclass(frozen=True)
class State:
    """The parts of one running server."""

    settings: Settings
    runs: Runs
    trainers: Trainers
    tails: Tails
    worker: InferenceWorker
    pictures: Pictures
    exports: Exports
    fetches: Fetches
    imports: Imports

    def shown(self, run: Run) -> Run:
        """A run as the interface shows it: with what it has, and what may be asked of it here."""
        architecture = ARCHITECTURES.get(run["config"]["architecture"])
        return run | {
            "transformers": architecture.transformers if architecture else None,
            "owned": self.trainers.owns(run["id"]),
            "actions": self.trainers.actions(run),
        }


def _server(connection: HTTPConnection) -> State:
    state: State = connection.state.server
    return state


Server = Annotated[State, Depends(_server)]
