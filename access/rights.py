"""The right that each route needs: to view, or to act. The one place that declares it.

Viewing changes nothing for other users: whatever reads, the streams, and a picture of one's own
through a trained network, or through that of a watched loop, which bounds what that costs. Acting
trains, controls, imports, deletes or downloads a data set. An export is an act, because exports
are made one at a time and compute beside the trainers.
"""

from collections.abc import Iterable, MutableMapping
from enum import StrEnum
from typing import Any

from starlette.routing import compile_path

WEBSOCKET = "WEBSOCKET"
"""Used as the method of a route that is a WebSocket."""

VIEWER_REFUSAL = (
    "This link is for viewing only; the server printed another one with which to start, "
    "control, import, export and delete."
)

VIEW_ONLY_REFUSAL = (
    "This server only shows runs, because it was started with --view-only; start, control, import, "
    "export and delete them where they are trained."
)


class Right(StrEnum):
    """What a request may do, or what a route needs."""

    VIEW = "view"
    ACT = "act"


# Methods and path; HEAD needs what GET needs, and OPTIONS never more than to view.
ACTING = (
    "POST /api/runs",
    "PATCH DELETE /api/runs/{run_id}",
    "POST /api/runs/{run_id}/control",
    "POST /api/runs/{run_id}/probes",
    "POST /api/runs/{run_id}/exports",
    "GET /api/runs/{run_id}/export",
    "GET /api/runs/{run_id}/export/preview",
    "DELETE /api/exports/{export_id}",
    "POST /api/sweeps",
    "DELETE /api/sweeps/{sweep_id}",
    "POST /api/sweeps/{sweep_id}/control",
    "POST /api/recordings",
    "POST DELETE /api/datasets/{name}/download",
    # Addresses that do not exist.
    "POST PUT PATCH DELETE /api/{rest:path}",
    # Streamlit's interface for agents, which is disabled.
    "GET POST PUT PATCH DELETE /_stcore/agent/interact",
    "GET POST PUT PATCH DELETE /_stcore/agent/openapi.json",
    "GET POST PUT PATCH DELETE /_stcore/agent/mcp",
)
VIEWING = (
    "GET /api/health",
    "GET /api/access",
    "GET /api/catalog",
    "GET /api/cluster",
    "GET /api/datasets/{name}",
    "GET /api/examples",
    "GET /api/runs",
    "GET /api/runs/{run_id}",
    "GET /api/runs/{run_id}/metrics",
    "GET /api/runs/{run_id}/frames",
    "GET /api/runs/{run_id}/frames/{step}",
    "GET /api/runs/{run_id}/frames/{step}/picture",
    "GET /api/runs/{run_id}/recording",
    "GET /api/sweeps",
    "GET /api/sweeps/{sweep_id}",
    "GET /api/sweeps/{sweep_id}/curves",
    "GET /api/sweeps/{sweep_id}/csv",
    "GET /api/exports/{export_id}",
    "GET /api/exports/{export_id}/file",
    "GET /api/results",
    "GET /api/results/{origin}/{name}/pictures",
    "GET /api/weights",
    "GET /api/source/{path:path}",
    "POST /api/transform",
    "WEBSOCKET /api/runs/{run_id}/stream",
    "WEBSOCKET /api/transform/stream",
    "GET /api/{rest:path}",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/oauth2-redirect",
    # The page. Its script sends its own requests with the token of its visitor.
    "WEBSOCKET /_stcore/stream",
    "PUT DELETE /_stcore/upload_file/{session_id}/{file_id}",
    "GET /_stcore/health",
    "GET /_stcore/metrics",
    "GET /_stcore/host-config",
    "GET /_stcore/bidi-components/{path:path}",
    "GET /component/{path:path}",
    "GET /media/{file_id:path}",
    "GET /auth/login",
    "GET /auth/logout",
    "GET /oauth2callback",
    "GET /{path:path}",
)

SCOPE_KEY = "stnscope.right"


def _declarations(entries: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return the pairs of method and path of some entries."""
    split = [entry.split() for entry in entries]
    return frozenset((method, path) for *methods, path in split for method in methods)


DECLARED = {
    Right.ACT: _declarations(ACTING),
    Right.VIEW: _declarations(VIEWING),
}
_PATTERNS = sorted(
    (
        (right, method, path, compile_path(path)[0])
        for right in (Right.ACT, Right.VIEW)
        for method, path in DECLARED[right]
    ),
    # Paths that include many others are searched last and, of the same kind, acts first.
    key=lambda declared: (":path}" in declared[2], declared[0]),
)


def needed_right(method: str, path: str) -> Right:
    """Return the right that a request needs; to act, for a route that is not declared.

    Args:
        method: of HTTP, or `WEBSOCKET`.
        path: as in the scope of ASGI.
    """
    if method == "OPTIONS":
        return Right.VIEW
    method = "GET" if method == "HEAD" else method
    return next(
        (
            right
            for right, declared, _, pattern in _PATTERNS
            if declared == method and pattern.match(path)
        ),
        Right.ACT,
    )


def set_right(scope: MutableMapping[str, Any], right: Right) -> None:
    """Store what a request may do."""
    scope[SCOPE_KEY] = right


def may_act(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request that access control has passed on may act."""
    return scope.get(SCOPE_KEY) is Right.ACT
