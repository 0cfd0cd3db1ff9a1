"""The devices of a cluster's nodes are offered beside those of the server."""

import asyncio

import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.server.cluster.cluster import Cluster, needs
from stnscope.backend.server.processes.devices import Devices


def test_gpu_of_a_node_can_be_chosen_and_is_reserved() -> None:
    cluster = Cluster("10.0.0.1:6379")
    devices = Devices(is_asked=False, elsewhere=cluster.devices)
    config = RunConfig(device="cuda", threads=2)
    with pytest.raises(InvalidInput, match="no device 'cuda'"):
        asyncio.run(devices.resolve(config))
    cluster.nodes = [{"id": "a", "name": "a", "cpus": 8.0, "gpus": 1.0}]
    for chosen in (config, config.model_copy(update={"device": "auto"})):
        resolved = asyncio.run(devices.resolve(chosen))
        assert resolved.device == "cuda"
        assert needs(resolved) == {"num_cpus": 2, "num_gpus": 1}
    on_processor = asyncio.run(devices.resolve(config.model_copy(update={"device": "cpu"})))
    assert needs(on_processor) == {"num_cpus": 2, "num_gpus": 0}
