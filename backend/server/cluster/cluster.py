"""A Ray cluster, as a server uses it: a second way to start a trainer, besides a local process.

A child process (`driver_main`) communicates with the cluster for all runs. Without a cluster,
`refusal` has the reason, runs are trained on this machine, and connecting is retried.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from stnscope.backend.experiment.config import CPU, RunConfig
from stnscope.backend.experiment.devices.choice import Device
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_process import (
    ChildEnded,
    ChildOwner,
    ChildProcess,
    EndableProcess,
    command_for,
)
from stnscope.backend.server.processes.devices import RemoteDevices

log = logging.getLogger(__name__)

COMMAND = command_for("driver_main", __package__)
SEARCH_SECONDS = 10.0
"""Interval between attempts to connect."""

PROCESSOR = Device(
    CPU,
    "Processor of a node",
    "As many of its CPUs are reserved as the run has threads. Runs on it repeat bit for bit.",
    memory=None,
    exact=True,
)
GPU = Device(
    "cuda:0",  # only the reserved one is visible to a trainer
    "GPU of the cluster",
    "One of a node's GPUs, which is reserved for the run.",
    memory=None,
    exact=False,
)
REPORT_SECONDS = 0.5
"""Interval between checks of where a run is trained."""
Node = Mapping[str, Any]


class ClusterTrainer(EndableProcess):
    """The trainer of one run on a cluster, used as a `ChildProcess` is."""

    def __init__(self, run_id: str, driver: ChildProcess, needs: Mapping[str, float]) -> None:
        self.run_id = run_id
        self.needs = needs
        """`num_cpus` and `num_gpus`, which the cluster reserves for it."""
        self.node: str | None = None
        """The name of the node where it trains; None while it waits for one."""
        self.was_lost = False
        """Whether the cluster was lost; it may train the run nevertheless."""
        self._driver = driver
        self._exit_code: int | None = None
        self._ended = asyncio.Event()
        self._is_responsive = True
        self._changed = asyncio.Event()

    @property
    def exit_code(self) -> int | None:
        """The exit code of the trainer process; None while it runs, or waits for a node."""
        return self._exit_code

    @property
    def is_alive(self) -> bool:
        return self._exit_code is None

    @property
    def is_unresponsive(self) -> bool:
        return self.is_alive and not self._is_responsive

    async def wait_for_responsiveness(self, is_responsive: bool) -> None:
        """Wait until the trainer responds, or has ended; or until it does not respond."""
        while self.is_unresponsive is is_responsive:
            await self._changed.wait()

    async def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a request.

        Raises:
            ChildEnded: the trainer has ended.
        """
        if not self.is_alive:
            raise ChildEnded
        await self._driver.send({"run": self.run_id, "request": dict(head)}, body)

    def close_stdin(self) -> None:
        """Have the trainer write a checkpoint and end."""
        self._send({"detach": True})

    async def wait(self) -> int:
        """Wait until the trainer has ended; return its exit code."""
        await self._ended.wait()
        assert self._exit_code is not None
        return self._exit_code

    async def kill(self) -> None:
        """Kill the trainer, and wait until it has ended."""
        self._send({"kill": True})
        await self.wait()

    def _send(self, message: Mapping[str, Any]) -> None:
        if self.is_alive:
            self._driver.send_soon({"run": self.run_id, **message})

    def note(self, message: Mapping[str, Any]) -> None:
        """Apply a message of the driver about this run."""
        if "node" in message:
            self.node = message["node"]
        if "responsive" in message:
            self._is_responsive = message["responsive"]
        if "ended" in message:
            self._exit_code = message["ended"]
            self._ended.set()
        self._changed.set()
        self._changed = asyncio.Event()


class Cluster(ChildOwner):
    """A Ray cluster.

    Args:
        address: `HOST:PORT` of its head, or `auto` for the one that this machine is a node of.
        retries: how often a run is trained again when its node is lost.
        deadlines: of the server.
    """

    def __init__(self, address: str, retries: int = 0, deadlines: Deadlines | None = None) -> None:
        self.address = address
        self.nodes: Sequence[Node] = ()
        self.refusal: str | None = None
        """Why the cluster is not used now, as a sentence."""
        self._retries = retries
        self._deadlines = deadlines or Deadlines()
        self._trainers: dict[str, ClusterTrainer] = {}
        self._has_successor = False
        """Whether another server continues the runs if this process is killed."""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether runs can be trained on it."""
        return self._process is not None and self._process.is_alive and bool(self.nodes)

    @property
    def trainers(self) -> Sequence[ClusterTrainer]:
        """Those of all runs that the cluster trains, or that wait for it, the oldest first."""
        return list(self._trainers.values())

    def remote_devices(self) -> RemoteDevices | None:
        """Return the devices of the cluster; None while runs are trained on this machine."""
        return node_devices(self.nodes) if self.is_connected else None

    def fits(self, trainer: ClusterTrainer) -> bool:
        """Whether a node has what a run needs; else it waits until one joins."""
        cpus, gpus = trainer.needs["num_cpus"], trainer.needs["num_gpus"]
        return any(node["cpus"] >= cpus and node["gpus"] >= gpus for node in self.nodes)

    async def report(self, trainer: ClusterTrainer, print_line: Callable[[str], None]) -> None:
        """Print where a run is trained, or what it waits for, whenever that changes."""
        line = ""
        while trainer.is_alive:
            previous, line = line, self._describe(trainer)
            if line != previous:
                print_line(line)
            await asyncio.sleep(REPORT_SECONDS)

    def _describe(self, trainer: ClusterTrainer) -> str:
        if trainer.node is not None:
            return f"It trains on {trainer.node}."
        if self.fits(trainer):
            return "It waits for free resources in the cluster."
        cpus, gpus = trainer.needs["num_cpus"], trainer.needs["num_gpus"]
        needs = f"{cpus:g} CPU{'s' if cpus > 1 else ''}{' and a GPU' if gpus else ''}"
        return f"It waits for a node with {needs}: the cluster has none."

    async def start(self, reclaim: Callable[[Sequence[str]], Awaitable[None]]) -> None:
        """Connect, and from then on reconnect whenever the cluster is lost.

        Args:
            reclaim: called after each connection, with the runs that the cluster trains already.
        """
        self._has_successor = True
        runs = await self._connect()
        self._task = asyncio.create_task(self._stay_connected(runs, reclaim))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Stay connected inside this context, if that is possible and until the cluster is lost."""
        await self._connect()
        receiving = asyncio.create_task(self._receive_all())
        try:
            yield
        finally:
            receiving.cancel()
            await self._disconnect()

    async def close(self) -> None:
        """Have what is trained write a checkpoint and end, and disconnect."""
        if self._task is not None:
            self._task.cancel()
        await self._disconnect()

    async def train(
        self, run_id: str, assignment: Mapping[str, Any], config: RunConfig
    ) -> ClusterTrainer:
        """Have a run trained as soon as the cluster has resources for it.

        Args:
            run_id: of the run.
            assignment: what a trainer process is given.
            config: of the run; it determines the CPUs and GPUs.

        Raises:
            ChildEnded: the cluster was lost just now.
        """
        if self._process is None:
            raise ChildEnded
        trainer = ClusterTrainer(run_id, self._process, needs(config))
        self._trainers[run_id] = trainer
        message = {"train": assignment, "needs": trainer.needs, "retries": self._retries}
        try:
            await self._process.send({"run": run_id, **message})
        except ChildEnded:
            del self._trainers[run_id]
            raise
        return trainer

    def discard(self, run_id: str) -> None:
        """End what trained a run for an earlier server; nothing of it is needed."""
        if self._process is not None:
            self._process.send_soon({"run": run_id, "discard": True})

    async def _connect(self) -> list[str]:
        """Connect; return the runs that the cluster trains already."""
        process = await ChildProcess.start(COMMAND, self._deadlines)
        response: Mapping[str, Any] = {"refused": "it does not respond"}
        with suppress(ChildEnded, TimeoutError):
            async with asyncio.timeout(self._deadlines.start):
                response = await self._ask_to_connect(process)
        if "refused" in response:
            await process.kill()
            refusal = (
                f"The cluster at {self.address} cannot be used: {response['refused'].rstrip('.')}. "
                "Runs are trained on this machine."
            )
            if refusal != self.refusal:
                log.warning("%s", refusal)
            self.refusal = refusal
            return []
        self._process = process
        self.nodes, self.refusal = response["nodes"], None
        runs: list[str] = response["runs"]
        return runs

    async def _ask_to_connect(self, process: ChildProcess) -> Mapping[str, Any]:
        """Return the response of the process of a connection to its first message."""
        await process.send(
            {
                "address": self.address,
                "deadlines": asdict(self._deadlines),
                "has_successor": self._has_successor,
            }
        )
        response, _ = await process.receive(can_be_silent=True)
        return response

    async def _stay_connected(
        self, runs: Sequence[str], reclaim: Callable[[Sequence[str]], Awaitable[None]]
    ) -> None:
        while True:
            receiving = asyncio.create_task(self._receive_all())
            if self.is_connected:
                await reclaim(runs)
            await receiving
            await asyncio.sleep(SEARCH_SECONDS)
            runs = await self._connect()

    async def _receive_all(self) -> None:
        """Receive what the process of the connection sends, until it has ended."""
        if self._process is None:
            return
        try:
            with suppress(ChildEnded):
                while True:
                    message, _ = await self._process.receive()
                    self._note(message)
            await self._handle_loss()
        finally:  # also when this is cancelled: nothing else would report that a trainer has ended
            self._end_trainers()

    def _note(self, message: Mapping[str, Any]) -> None:
        if "nodes" in message:
            self.nodes = message["nodes"]
        elif trainer := self._trainers.get(message["run"]):
            trainer.note(message)
            if not trainer.is_alive:
                del self._trainers[message["run"]]

    async def _disconnect(self) -> None:
        """Have the process of the connection detach what is trained, and end."""
        process, self._process = self._process, None
        if process is not None:
            process.send_soon({"close": True})
            process.close_stdin()
            await process.wait_or_kill(self._deadlines.end)

    async def _handle_loss(self) -> None:
        """Handle the end of the process of the connection."""
        await self._end_process()
        self.nodes = ()
        self.refusal = f"The cluster at {self.address} was lost."
        if self._has_successor:
            self.refusal += " Runs are trained on this machine."
        log.warning("%s", self.refusal)

    def _end_trainers(self) -> None:
        trainers, self._trainers = self._trainers, {}
        for trainer in trainers.values():
            trainer.was_lost = True
            trainer.note({"ended": 1})


def needs(config: RunConfig) -> dict[str, float]:
    """Return what a run needs of a node, as options of a Ray actor."""
    threads = config.threads if isinstance(config.threads, int) else 1
    return {"num_cpus": threads, "num_gpus": 0 if config.device == CPU else 1}


def node_devices(nodes: Sequence[Node]) -> RemoteDevices:
    """Return the devices of nodes."""
    has_gpu = any(node["gpus"] >= 1 for node in nodes)
    return RemoteDevices(
        [PROCESSOR, GPU] if has_gpu else [PROCESSOR],
        "on the nodes of the cluster",
        max(1, int(max(node["cpus"] for node in nodes))),
    )
