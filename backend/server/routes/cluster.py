"""The cluster that trains the runs: its nodes, what is trained where, and what waits."""

from collections.abc import Mapping
from typing import Any

from stnscope.backend.server import schemas
from stnscope.backend.server.cluster.cluster import ClusterTrainer
from stnscope.backend.server.http.api_router import ApiRouter
from stnscope.backend.server.http.description import responses
from stnscope.backend.server.state import Server

router = ApiRouter()


@router.get("/cluster", tags=["server"], **responses(schemas.Cluster))
async def show_cluster(server: Server) -> Mapping[str, Any]:
    """Show the nodes of the cluster, what each trains, and which runs wait for resources."""
    cluster = server.cluster
    if cluster is None:
        return {"address": None, "refusal": None, "nodes": [], "waiting": []}
    trainers = cluster.trainers
    nodes = [
        {**node, "runs": [_describe(each) for each in trainers if each.node == node["name"]]}
        for node in cluster.nodes
    ]
    return {
        "address": cluster.address,
        "refusal": cluster.refusal,
        "nodes": nodes,
        "waiting": [
            {**_describe(each), "fits": cluster.fits(each)}
            for each in trainers
            if each.node is None
        ],
    }


def _describe(trainer: ClusterTrainer) -> dict[str, Any]:
    needs = trainer.needs
    return {"run": trainer.run_id, "cpus": needs["num_cpus"], "gpus": needs["num_gpus"]}
