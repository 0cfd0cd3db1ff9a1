"""The training of one run on a Ray cluster: its actor, what that records, and a lost node."""

import logging
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from stnscope.backend.experiment.errors import Conflict, StnscopeError
from stnscope.backend.experiment.recording.disk_space import FULL_DISK_INTERVAL, DiskSpace
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.replication import (
    MissingInput,
    NewRows,
    add_rows,
    last_step_row,
    position,
    seed,
)
from stnscope.backend.experiment.recording.writer import TRAINING_LOCK_SECONDS, RecordingWriter
from stnscope.backend.server.cluster import nodes
from stnscope.backend.server.cluster.remote_trainer import (
    ActorLocation,
    RemoteTrainer,
    RowsResponse,
)
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.version import VERSION

log = logging.getLogger(__name__)

REMOVAL_INTERVAL = 0.05
"""Seconds between two checks whether an actor has ended."""
MIN_CREATION_PAUSE, MAX_CREATION_PAUSE = 1.0, 30.0
"""Seconds until an actor is created again whose node was lost before it began."""
SEPARATOR = "#"
"""Separator after the id of the run in an actor's name."""

Request = Mapping[str, Any]
Trainer = ray.remote(RemoteTrainer)


class NodeLost(Exception):
    """The node of a trainer, or its actor, does not respond any more."""


class Withdrawn(Exception):
    """The run is not to be trained any more; its recording has the reason, if there is one."""


class ClusterTraining(threading.Thread):
    """The training of one run on the cluster.

    Args:
        pipe: to the server.
        run_id: of the run.
        assignment: what a trainer process is given.
        needs: `num_cpus` and `num_gpus`.
        retries: how often it is trained again when its node is lost.
        deadlines: of the server.
        actor: the name of the one that an earlier server had train it, if there is one.
    """

    def __init__(
        self,
        pipe: ParentPipe,
        run_id: str,
        assignment: Mapping[str, Any],
        needs: Mapping[str, float],
        retries: int,
        deadlines: Deadlines,
        actor: str | None,
    ) -> None:
        super().__init__(daemon=True)
        self._earlier_actor = actor
        self._pipe = pipe
        self._run_id = run_id
        self._path = Path(assignment["recording"])
        self._data: str = assignment["data"]
        self._quota: Mapping[str, int] = assignment["quota"]
        self._needs = needs
        self._retries = retries
        self._deadlines = deadlines
        self._inbox: queue.SimpleQueue[Request] = queue.SimpleQueue()
        """Requests that are handled here: before the run is on a node, while the disk is full."""
        self._actor: Any = None
        """Actor that trains the run; None until it does."""
        self._actor_name = ""
        """Name of the newest actor."""
        self._takes_requests = threading.Lock()
        self._is_blocked = False
        """Whether the disk is full."""
        self._shortage: str | None = None
        """Why the run was paused here."""
        self._is_detaching = False
        self._was_responsive = True

    @property
    def is_detaching(self) -> bool:
        """Whether it was requested to end."""
        return self._is_detaching

    def handle(self, request: Request) -> None:
        """Handle a message of the server about the run."""
        with self._takes_requests:
            if "request" in request and request["request"].get("action") in ("resume", "step"):
                self._shortage = None
            self._is_detaching = self._is_detaching or "detach" in request or "kill" in request
            if self._actor is None or self._is_blocked:
                self._inbox.put(request)
            else:
                self._pass_on(request)

    def _pass_on(self, request: Request) -> None:
        if "request" in request:
            self._actor.request.remote(request["request"])
        elif "detach" in request:
            self._actor.detach.remote()
        else:
            self._actor.kill.remote()

    def run(self) -> None:
        exit_code = 1
        try:
            exit_code = self._train()
        except Withdrawn:
            exit_code = 0
        except StnscopeError as error:
            log.warning("The training of run %s ended. %s", self._run_id, error)
        finally:
            self._pipe.send({"run": self._run_id, "ended": exit_code})

    def _train(self) -> int:
        while True:
            actor, location = self._wait_for_node()
            try:
                response = self._follow(actor, location)
            except NodeLost:
                self._withdraw(actor)
                log.warning("The node of run %s is lost.", self._run_id)
                if self._retries == 0 or self._is_detaching:
                    self._mark_begun()
                    return 1
                self._retries -= 1
            except Conflict:
                # Another server has the recording: an actor that trains it already is its own.
                if not location.has_run:
                    self._remove(actor)
                raise
            except BaseException:
                self._remove(actor)
                raise
            else:
                self._remove(actor)
                if not response.was_abandoned or self._is_detaching:
                    assert response.exit_code is not None
                    return response.exit_code
            # Other programs read from its recording that it waits.
            with RecordingWriter.open(self._path) as writer:
                writer.update(status="queued")

    def _mark_begun(self) -> None:
        """Record that a trainer had the run, even if its node was lost while that loaded.

        Without a writer the run is interrupted then, and not one that never began.
        """
        with RecordingWriter.open(self._path) as writer:
            if not self._is_detaching and writer.summary(check_writer=False)["status"] == "queued":
                writer.update(status="running")

    def _remove(self, actor: Any) -> None:
        """End an actor that responds, without leaving anything on its node."""
        with suppress(RayError):
            ray.get(actor.remove.remote(), timeout=self._deadlines.end)
        self._withdraw(actor)

    def _withdraw(self, actor: Any) -> None:
        """End an actor, and what it trains; return when the cluster has noted that."""
        with self._takes_requests:
            self._actor = None
        with suppress(RayError):
            ray.kill(actor)
            _wait_until_removed(self._actor_name, self._deadlines.end)

    def _wait_for_node(self) -> tuple[Any, ActorLocation]:
        """Wait until the cluster has resources for the run; return its actor, and where that is.

        Raises:
            Withdrawn: the run was stopped meanwhile, or cannot be trained there.
        """
        self._pipe.send({"run": self._run_id, "node": None})
        pause = MIN_CREATION_PAUSE
        while True:
            actor = self._find_or_create_actor()
            reference = actor.prepare.remote()
            reference.future().add_done_callback(lambda _: self._inbox.put({"placed": True}))
            self._wait_until_placed(actor)
            try:
                location: ActorLocation = self._get(reference)
                break
            except NodeLost as error:
                self._withdraw(actor)
                if reason := _creation_error(error.__cause__):
                    text = f"No trainer could be started on the cluster. {reason}"
                    raise self._fail(text) from None
            # Its node was lost: what waits for resources is sent to nodes too.
            threading.Timer(pause, self._inbox.put, [{"placed": True}]).start()
            self._wait_until_placed(None)
            pause = min(2 * pause, MAX_CREATION_PAUSE)
        if location.version != VERSION:
            self._withdraw(actor)
            raise self._fail(
                f"{nodes.name_of(location.node)} has stnscope {location.version}; "
                f"this is {VERSION}. "
                "Install the same version on all nodes, then resume this run."
            )
        return actor, location

    def _find_or_create_actor(self) -> Any:
        name, self._earlier_actor = self._earlier_actor, None
        if name is not None:
            with suppress(ValueError):  # it has ended meanwhile
                self._actor_name = name
                return ray.get_actor(name)
        self._actor_name = f"{self._run_id}{SEPARATOR}{uuid4().hex[:8]}"
        options = {"name": self._actor_name, "lifetime": "detached", "max_restarts": 0}
        options |= self._needs
        return Trainer.options(**options).remote(self._deadlines)

    def _wait_until_placed(self, actor: Any) -> None:
        """Wait until an actor is on a node, or has ended; keep requests for when it trains.

        Args:
            actor: None during a pause between two of them.

        Raises:
            Withdrawn: the run was stopped meanwhile.
        """
        later: list[Request] = []
        while "placed" not in (message := self._inbox.get()):
            action = message.get("request", {}).get("action")
            if action == "stop" or "detach" in message or "kill" in message:
                if actor is not None:
                    self._withdraw(actor)
                if action == "stop":
                    with RecordingWriter.open(self._path) as writer:
                        writer.update(status="stopped")
                raise Withdrawn
            later.append(message)
        for message in later:
            self._inbox.put(message)

    def _fail(self, error: str) -> Withdrawn:
        """Record why the run failed; return what ends its training."""
        with RecordingWriter.open(self._path) as writer:
            writer.update(status="failed", error=error)
        return Withdrawn()

    def _follow(self, actor: Any, location: ActorLocation) -> RowsResponse:
        """Record what a trainer sends until it has ended; return its last response.

        Raises:
            NodeLost: it does not respond any more.
            Withdrawn: the disk is full, and the run is not to be trained any more.
        """
        with (
            RecordingWriter.open(self._path, lock_seconds=TRAINING_LOCK_SECONDS) as writer,
            DiskSpace(writer, Quota(**self._quota)) as disk_space,
        ):
            if location.has_run and not self._get(actor.continues.remote(last_step_row(writer))):
                log.warning("Run %s was trained elsewhere meanwhile.", self._run_id)
                self._get(actor.remove.remote())
                location = replace(location, has_run=False)
            if not location.has_run:
                try:
                    begin = actor.begin.remote(self._run_id, seed(writer), self._data, self._quota)
                    self._get(begin)
                except StnscopeError as error:
                    text = f"{nodes.name_of(location.node)}: {error}"
                    writer.update(status="failed", error=text)
                    raise Withdrawn from None
            self._pipe.send({"run": self._run_id, "node": nodes.name_of(location.node)})
            self._accept_requests(actor)
            return self._record_responses(actor, writer, disk_space)

    def _accept_requests(self, actor: Any) -> None:
        """Forward the requests that arrived meanwhile, and from now on each at once."""
        with self._takes_requests:
            self._actor = actor
            self._is_blocked = False
            with suppress(queue.Empty):
                while True:
                    self._pass_on(self._inbox.get_nowait())

    def _record_responses(
        self, actor: Any, writer: RecordingWriter, disk_space: DiskSpace
    ) -> RowsResponse:
        with_inputs = False
        while True:
            response: RowsResponse = self._get(actor.rows.remote(position(writer), with_inputs))
            if response.is_responsive != self._was_responsive:
                self._was_responsive = response.is_responsive
                self._pipe.send({"run": self._run_id, "responsive": response.is_responsive})
            try:
                self._add(response.rows, actor, writer, disk_space)
            except MissingInput:
                with_inputs = True
                continue
            with_inputs = False
            if response.exit_code is not None:
                return response
            if self._is_detaching and not response.is_responsive:
                actor.kill.remote()
            if (shortage := disk_space.make_space()) and self._shortage is None:
                self._shortage = shortage
                actor.request.remote({"action": "pause"})

    def _add(
        self, rows: NewRows, actor: Any, writer: RecordingWriter, disk_space: DiskSpace
    ) -> None:
        """Add rows to the recording, however long its disk is full.

        Raises:
            MissingInput: as `add_rows` does.
            Withdrawn: the run was stopped meanwhile.
        """
        if rows.run.get("status") == "paused" and self._shortage:
            rows = replace(rows, run=rows.run | {"error": self._shortage})
        while shortage := disk_space.write(lambda: add_rows(writer, rows)):
            if not self._is_blocked:
                with self._takes_requests:
                    self._is_blocked = True
                actor.request.remote({"action": "pause"})
            disk_space.update_run(status="paused", error=shortage)
            self._wait_for_resume(actor, disk_space, shortage)
        if self._is_blocked:
            disk_space.reset()
            self._accept_requests(actor)

    def _wait_for_resume(self, actor: Any, disk_space: DiskSpace, shortage: str) -> None:
        later: list[Request] = []
        try:
            while True:
                self._get(actor.prepare.remote())  # so that it does not count as abandoned
                try:
                    message = self._inbox.get(timeout=FULL_DISK_INTERVAL)
                except queue.Empty:
                    continue
                match message:
                    case {"request": {"action": "resume" | "step"}}:
                        later.append(message)
                        return
                    case {"request": {"action": "stop"}}:
                        disk_space.update_run(status="stopped", error=shortage)
                        raise Withdrawn
                    case {"request": _}:
                        later.append(message)
                    case _:
                        raise Withdrawn
        finally:
            for message in later:
                self._inbox.put(message)

    def _get(self, reference: Any) -> Any:
        """Return what an actor returns.

        Raises:
            NodeLost: it does not respond.
            StnscopeError: its error.
        """
        silence = 0.0
        while True:
            try:
                return ray.get(reference, timeout=1.0)
            except GetTimeoutError:
                # Counted in polls, so that a time in which this process was stopped does not count.
                silence += 1.0
                if silence >= self._deadlines.silence:
                    raise NodeLost from None
            except RayTaskError as error:
                raise (error.cause or error) from None
            except RayActorError as error:
                raise NodeLost from error


def _wait_until_removed(name: str, seconds: float) -> None:
    """Wait until there is no actor of this name any more.

    `ray.kill` does not wait until its request is sent, which never happens if this process ends.
    """
    deadline = time.monotonic() + seconds
    with suppress(ValueError):  # there is none
        while time.monotonic() < deadline:
            ray.get_actor(name)
            time.sleep(REMOVAL_INTERVAL)


def _creation_error(error: BaseException | None) -> str | None:
    """Return why no actor can be created, as a sentence; None if its node was lost."""
    text = str(error)
    if "ModuleNotFoundError" in text:
        return "stnscope[cluster] is not installed on one of its nodes; install it on all of them."
    if "creation task" in text:
        return f"The reason is: {text.strip().splitlines()[-1].strip()}"
    return None
