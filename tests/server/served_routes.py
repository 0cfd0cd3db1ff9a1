"""Prints all that a server with its page serves, as JSON: [[method or "WEBSOCKET", path], ...].

A program of its own, because Streamlit's routes are made for a runtime, of which a process has one.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from stnscope.backend.server.app import ROUTERS, create_app
from stnscope.backend.server.settings import Settings

PAGE = Path(__file__).parents[2] / "dashboard" / "app.py"


def named(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each route as a method and an address that leads to it."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", prefix + address(route.path)
        elif isinstance(route, Route):
            for method in sorted(route.methods or ()):
                yield method, prefix + address(route.path)
        elif isinstance(route, Mount):
            yield "GET", prefix + route.path + "/"


def address(path: str) -> str:
    return re.sub(r"\{.*?\}", "x", path)


def main() -> None:
    app = create_app(Settings(home=Path(gettempdir())), PAGE)
    [mounted] = [route for route in app.routes if isinstance(route, Mount)]
    page: Any = mounted.app
    page.lifespan()  # makes the runtime
    served = [
        *named(app.routes),
        *(route for router in ROUTERS for route in named(router.routes, "/api")),
        *named(create_streamlit_routes(page._runtime)),
    ]
    described = {address(path) for path in app.openapi()["paths"]}
    assert described <= {path for _, path in served}, "a router is not listed here"
    json.dump(served, sys.stdout)


if __name__ == "__main__":
    main()
