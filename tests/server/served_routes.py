"""Prints all routes of a server with its page, as JSON.

Each is [method or "WEBSOCKET", example of its path, its path as the route has it].

A program of its own, because Streamlit creates its routes for a runtime, one in a process.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from streamlit.runtime import get_instance
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from stnscope.backend.server.app import ROUTERS, create_app
from stnscope.backend.server.settings import Settings

PAGE = Path(__file__).parents[2] / "dashboard" / "app.py"


def list_routes(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each route as a method, an example of its path, and its path."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", prefix + example_path(route.path), prefix + route.path
        elif isinstance(route, Route):
            for method in sorted(route.methods or ()):
                yield method, prefix + example_path(route.path), prefix + route.path
        elif isinstance(route, Mount):
            yield "GET", prefix + route.path + "/", prefix + route.path + "/{path:path}"


def example_path(path: str) -> str:
    return re.sub(r"\{.*?\}", "x", path)


def main() -> None:
    app = create_app(Settings(home=Path(gettempdir())), PAGE)
    [mounted] = [route for route in app.routes if isinstance(route, Mount)]
    page: Any = mounted.app
    page.lifespan()  # creates Streamlit's runtime
    served = [
        *list_routes(app.routes),
        *(route for router in ROUTERS for route in list_routes(router.routes, "/api")),
        *list_routes(create_streamlit_routes(get_instance())),
    ]
    described = {example_path(path) for path in app.openapi()["paths"]}
    assert described <= {path for _, path, _ in served}, "a router is not listed here"
    json.dump(served, sys.stdout)


if __name__ == "__main__":
    main()
