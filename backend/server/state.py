"""The state of a running server: created in its lifespan, passed to each request."""

from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from stnscope.access.rights import may_act
from stnscope.backend.experiment.catalog import ARCHITECTURES
from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.devices.choice import resume_note
from stnscope.backend.experiment.home import sweep_of
from stnscope.backend.experiment.run_status import flags
from stnscope.backend.server.cluster.cluster import Cluster
from stnscope.backend.server.downloads import Downloads
from stnscope.backend.server.http.conditional import JsonBody
from stnscope.backend.server.http.shared_results import SharedResults
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.processes.exports import Exports
from stnscope.backend.server.processes.imports import Imports
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.backend.server.processes.trainers import Trainers
from stnscope.backend.server.requests.run_requests import RunRequests
from stnscope.backend.server.runs import Run, Runs
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.streams.slots import Slots
from stnscope.backend.server.streams.tail import Tails
from stnscope.backend.server.streams.transform_stream import TransformStreams
from stnscope.backend.server.sweeps import Sweeps


@dataclass(frozen=True)
class State:
    """The parts of one running server, for one request.

    Attributes:
        may_act: whether the request may act; if not, no run allows it anything.
    """

    settings: Settings
    runs: Runs
    sweeps: Sweeps
    trainers: Trainers
    run_requests: RunRequests
    tails: Tails
    viewer_slots: Slots
    worker: InferenceWorker
    transform_streams: TransformStreams
    exports: Exports
    downloads: Downloads
    imports: Imports
    devices: Devices
    cluster: Cluster | None = None
    """Cluster that trains the runs, if one was named."""
    run_lists: SharedResults[tuple[JsonBody, str | None]] = field(default_factory=SharedResults)
    """Lists of runs as JSON, each with the id of its last run if more follow."""
    may_act: bool = True
    refusal: str = ""
    """Why a request that may only view is refused."""

    def run(self, run_id: str) -> Run:
        """Return a run as the interface has it; coroutines call this in a thread.

        Raises:
            NotFound: there is no such run.
        """
        return self.describe(self.runs.summary(run_id))

    def describe(self, run: Run) -> Run:
        """Return a run's summary as the interface has it.

        It adds the network's transformers, what a client needs of its status (`running`, `live`,
        `complete`, `broken`, `deleted`), the `sweep` that created it, whether this server trains it
        (`owned`) or its trainer hangs (`unresponsive`), the `node` of the cluster that trains it,
        or whether it waits for one (`waits_for_cluster`), what can be requested of it now (`can`),
        why no picture can be added to its probes (`picture_refusal`), and what a resume does not
        guarantee (`resume_note`).
        """
        config = run["config"] or {}  # None if its recording cannot be read
        architecture = ARCHITECTURES.get(config.get("architecture", ""))
        return run | {
            "transformers": architecture.transformers
            if architecture
            else config.get("transformers"),
            **flags(run["status"]),
            "sweep": sweep_of(run["id"]),
            "owned": self.trainers.owns(run["id"]),
            "unresponsive": self.trainers.is_unresponsive(run["id"]),
            "node": self.trainers.node(run["id"]),
            "waits_for_cluster": self.trainers.waits_for_cluster(run["id"]),
            "can": self.run_requests.allowed(run) if self.may_act else [],
            "picture_refusal": self.run_requests.picture_refusal(run)
            if self.may_act
            else self.refusal,
            "resume_note": None if run["watched"] else resume_note(config.get("device", CPU)),
        }


def _state(connection: HTTPConnection) -> State:
    state: State = connection.state.server
    return state if may_act(connection.scope) else replace(state, may_act=False)


Server = Annotated[State, Depends(_state)]
