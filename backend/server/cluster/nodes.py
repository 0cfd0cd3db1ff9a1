"""The nodes of a Ray cluster: which there are, what they have, and what they are called."""

import logging
import os
import socket
from typing import Any

import ray

CONNECT_SECONDS = 5.0
"""Time in which the head of a cluster has to accept a connection."""
EMPTY_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
"""A frame of HTTP/2 that changes no setting; its fourth byte is its type."""
SHORT_ID = 6
"""Digits of a node's id that distinguish nodes of one machine."""


def connect(address: str, namespace: str) -> None:
    """Connect this process to a cluster.

    Args:
        address: `HOST:PORT` of its head, or `auto` for the one that this machine is a node of.
        namespace: of the actors.

    Raises:
        OSError, RuntimeError, ValueError: there is none, or it cannot be used.
    """
    host, _, port = address.rpartition(":")
    if host:
        _check_head(host.strip("[]"), int(port))
    ray.init(address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)


def _check_head(host: str, port: int) -> None:
    """Check that what listens at an address may be a head; Ray itself would wait for minutes.

    Raises:
        OSError: nothing listens there.
        ValueError: it is no HTTP/2 server, which a head is (RFC 9113, section 3.4).
    """
    with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0") != "0":
            return
        try:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + EMPTY_SETTINGS)
            frame = connection.recv(len(EMPTY_SETTINGS), socket.MSG_WAITALL)
        except TimeoutError:
            frame = b""
    if frame[3:4] != EMPTY_SETTINGS[3:4]:
        raise ValueError("the server at this address is not the head of a Ray cluster")


def contact_addresses() -> list[tuple[str, int]]:
    """Return where the head and the node of this machine listen, through which both are used."""
    context = ray.get_runtime_context()
    host, _, port = context.gcs_address.rpartition(":")
    own_id = context.get_node_id()
    return [
        (host.strip("[]"), int(port)),
        *(
            (node["NodeManagerAddress"], node["NodeManagerPort"])
            for node in _all_nodes()
            if node["NodeID"] == own_id
        ),
    ]


def responds(address: tuple[str, int]) -> bool:
    """Whether something listens at an address; the cluster itself detects its loss much later."""
    try:
        socket.create_connection(address, CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def list_nodes() -> list[dict[str, Any]]:
    """Return the nodes that are alive, by name: `id`, `name`, `cpus`, `gpus`."""
    alive = [node for node in _all_nodes() if node["Alive"]]
    hosts = [node["NodeManagerHostname"] for node in alive]
    listed = [
        {
            "id": node["NodeID"],
            "name": _name(node["NodeManagerHostname"], node["NodeID"], hosts),
            "cpus": node["Resources"].get("CPU", 0.0),
            "gpus": node["Resources"].get("GPU", 0.0),
        }
        for node in alive
    ]
    return sorted(listed, key=lambda node: node["name"])


def name_of(node_id: str) -> str:
    """Return the name of a node."""
    names = {node["id"]: node["name"] for node in list_nodes()}
    return str(names.get(node_id, node_id[:SHORT_ID]))


def _all_nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def _name(host: str, node_id: str, hosts: list[str]) -> str:
    """Return a node's host name; with the beginning of its id if a host has several nodes."""
    return host if hosts.count(host) == 1 else f"{host} {node_id[:SHORT_ID]}"
