"""Requests of commands to a server that runs on this machine or another one."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

REQUEST_SECONDS = 60.0
"""A sweep of hundreds of runs takes seconds to be queued."""
FIND_SECONDS = 5.0

# Without a proxy that the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """A running server refuses a request; the text is a sentence."""


def submit_sweep(address: str, sweep_id: str, token: str | None) -> bool:
    """Let a server train a sweep that it has in its home.

    False if no server runs there, or it serves another home.

    Args:
        address: of the server, with a slash at its end.
        sweep_id: of the sweep.
        token: that the server may need.

    Raises:
        Refused: it does not accept the token, or only shows runs, or the sweep cannot be resumed.
    """
    path = f"{address.rstrip('/')}/api/sweeps/{sweep_id}"
    status, body = _request(path, token, FIND_SECONDS)
    if status == HTTPStatus.OK:
        status, body = _request(f"{path}/control", token, REQUEST_SECONDS, {"action": "resume"})
        if status == HTTPStatus.OK:
            return True
    elif status in (None, HTTPStatus.NOT_FOUND):
        return False
    raise Refused(body.get("detail") or f"It responded with {status}.")


def _request(
    address: str, token: str | None, seconds: float, content: Any = None
) -> tuple[int | None, dict[str, Any]]:
    """Return the status and the JSON object of a response; None and nothing if there is none."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data, headers)
    try:
        with _opener.open(request, timeout=seconds) as response:
            return response.status, _parse(response.read())
    except urllib.error.HTTPError as error:
        return error.code, _parse(error.read())
    except (OSError, ValueError):
        return None, {}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
