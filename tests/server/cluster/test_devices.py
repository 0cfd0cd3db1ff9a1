"""While a cluster trains, the devices of its nodes are offered, and not those of the server."""

import asyncio

import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.server.cluster.cluster import Node, needs, node_devices
from stnscope.backend.server.processes.devices import Devices

SMALL: Node = {"id": "a", "name": "a", "cpus": 2.0, "gpus": 0.0}
WITH_GPU: Node = {"id": "b", "name": "b", "cpus": 8.0, "gpus": 1.0}


def devices_of(*nodes: Node) -> Devices:
    return Devices(uses_torch=False, remote=lambda: node_devices(nodes))


def resolve(config: RunConfig, *nodes: Node) -> RunConfig:
    return asyncio.run(devices_of(*nodes).resolve(config))


def test_gpu_of_a_node_can_be_chosen_and_is_reserved() -> None:
    for name in ("cuda", "cuda:0", "auto"):
        resolved = resolve(RunConfig(device=name, threads=2), SMALL, WITH_GPU)
        assert resolved.device == "cuda:0"
        assert needs(resolved) == {"num_cpus": 2, "num_gpus": 1}
    on_processor = resolve(RunConfig(device="cpu", threads=2), SMALL, WITH_GPU)
    assert needs(on_processor) == {"num_cpus": 2, "num_gpus": 0}


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_device_that_no_node_has_is_refused(name: str) -> None:
    refusal = f"no device '{name}' on the nodes of the cluster; there are auto, cpu."
    with pytest.raises(InvalidInput, match=refusal):
        resolve(RunConfig(device=name), SMALL)
    with pytest.raises(Conflict, match=f"{name}, which is not on the nodes of the cluster"):
        asyncio.run(devices_of(SMALL).check_resume(name))


def test_threads_that_are_chosen_automatically_fit_a_node() -> None:
    assert resolve(RunConfig(threads="auto"), {**SMALL, "cpus": 1.0}).threads == 1
    assert resolve(RunConfig(threads="auto"), {**SMALL, "cpus": 0.0}).threads == 1
    assert resolve(RunConfig(threads=16), SMALL).threads == 16, "a node may join"
