"""What one running server is made of; made in its lifespan, handed to each request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from stnscope.backend.experiment.catalog import ARCHITECTURES
from stnscope.backend.server.processes.downloads import Downloads
from stnscope.backend.server.processes.exports import Exports
from stnscope.backend.server.processes.imports import Imports
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.backend.server.processes.trainers import Trainers
from stnscope.backend.server.runs import Run, Runs
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.streams.tail import Tails
from stnscope.backend.server.streams.transform_stream import TransformStreams


@dataclass(frozen=True)
class State:
    """The parts of one running server."""

    settings: Settings
    runs: Runs
    trainers: Trainers
    tails: Tails
    worker: InferenceWorker
    pictures: TransformStreams
    exports: Exports
    fetches: Downloads
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
