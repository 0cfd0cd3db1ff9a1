"""The process that uses a Ray cluster for a server: starts trainers, and records what they send.

The first message is `{"address", "deadlines", "has_successor"}`; the response is
`{"nodes", "runs"}`, those that have actors already, or `{"refused": REASON}`. `{"close": true}` has
everything detached; other messages concern a run, `{"run": ID}`, with one of

- `train`, `needs`, `retries`: train it; `train` is what a trainer process is given, `needs` are the
  CPUs and GPUs to reserve;
- `request`: of `runs.controls.Controls`;
- `detach`: write a checkpoint and end; `kill`: end;
- `discard`: end an actor that trained it for an earlier server.

It sends `{"run", "node"}` when a run begins on a node, or waits for one again (null),
`{"run", "responsive"}`, `{"run", "ended": EXIT_CODE}`, and `{"nodes"}` when these have changed.

When its input ends, the server has ended, and it ends too, as soon as what detaches has been
recorded. Actors outlive it if `has_successor`: another server will connect to them.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import ray
from ray.exceptions import RayError

from stnscope.backend.server.cluster import nodes
from stnscope.backend.server.cluster.training_thread import SEPARATOR, ClusterTraining
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.server.processes.message_pipe import Message

NODES_INTERVAL = 1.0
"""Seconds between two checks of the nodes."""
NAMESPACE = "stnscope"

INPUT_ENDED: Message = ({"input_ended": True}, b"")


def _watch_nodes(pipe: ParentPipe, known: list[dict[str, Any]]) -> None:
    while True:
        time.sleep(NODES_INTERVAL)
        found = nodes.list_nodes()
        if found != known:
            known = found
            pipe.send({"nodes": found})


def _watch_contacts(addresses: Sequence[tuple[str, int]]) -> None:
    """End this process when the cluster is lost; without its head, calls of Ray block."""
    while all(map(nodes.responds, addresses)):
        time.sleep(NODES_INTERVAL)
    os._exit(1)


def _silence_ray() -> None:
    """Keep what Ray's core prints, such as its stack when a head is lost, from the terminal."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    devnull = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(devnull, descriptor)
    os.close(devnull)


def main() -> None:
    pipe = ParentPipe()
    _silence_ray()
    first = pipe.receive()
    assert first is not None
    deadlines = Deadlines(**first[0]["deadlines"])
    try:
        nodes.connect(first[0]["address"], NAMESPACE)
        found, contacts = nodes.list_nodes(), nodes.contact_addresses()
        actors = {name.partition(SEPARATOR)[0]: name for name in ray.util.list_named_actors()}
    except (RayError, OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        pipe.send({"refused": (reason or str(error)).partition("\n")[0].partition(". ")[0]})
        sys.exit(1)
    pipe.send({"nodes": found, "runs": sorted(actors)})
    threading.Thread(target=_watch_nodes, args=(pipe, found), daemon=True).start()
    threading.Thread(target=_watch_contacts, args=(contacts,), daemon=True).start()
    trainings: dict[str, ClusterTraining] = {}
    has_successor: bool = first[0]["has_successor"]
    # Before the connection, the end of the input ends this process at once.
    pipe.receive_at_end(INPUT_ENDED)
    while (message := pipe.receive()) is not None:
        head, _ = message
        if "close" in head:
            has_successor = False
        if "close" in head or message == INPUT_ENDED:
            _end(list(trainings.values()), has_successor)
        run_id = head["run"]
        if "train" in head:
            values = (head["train"], head["needs"], head["retries"])
            trainings[run_id] = ClusterTraining(
                pipe, run_id, *values, deadlines, actors.pop(run_id, None)
            )
            trainings[run_id].start()
        elif "discard" in head:
            if name := actors.pop(run_id, None):
                with suppress(ValueError, RayError):  # it has ended meanwhile
                    ray.kill(ray.get_actor(name))
        elif run_id in trainings:
            trainings[run_id].handle(head)


def _end(trainings: Sequence[ClusterTraining], has_successor: bool) -> NoReturn:
    """End this process, when what is to be recorded before has been.

    Args:
        trainings: of all runs.
        has_successor: whether another server will connect to those that were not requested to end.
    """
    for training in trainings:
        if not has_successor:
            training.handle({"detach": True})
    for training in trainings:
        if training.is_detaching:
            training.join()
    os._exit(0)


if __name__ == "__main__":
    main()
