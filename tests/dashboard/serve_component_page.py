"""Program that serves the page, and at /component/ the component without Streamlit.

Tests of the component do not need Streamlit, whose start and reruns take most of the time until a
page is loaded. The API, its streams and the trainers are the real ones, on the same origin.
"""

import argparse
import os
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stnscope.access.cache_control import ImmutableFiles
from stnscope.access.security_headers import POLICY, page_policy
from stnscope.backend.commands.serve import listen
from stnscope.backend.server.app import create_app
from stnscope.backend.server.settings import Settings
from stnscope.dashboard.component import ASSETS, PART, STYLE

HOST = "127.0.0.1"
HTML = Path(__file__).with_name("component_page.html")
APP = ASSETS.parent / "app.py"


def component_page() -> Starlette:
    """Build the application that serves the page, and the component's files as cacheable."""
    page = HTML.read_text().replace("/* style */", STYLE).replace("%PART%", PART)
    headers = {POLICY: page_policy(page)}
    return Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse(page, headers=headers)),
            Mount(f"/{PART}", StaticFiles(directory=ASSETS)),
        ],
        middleware=[Middleware(ImmutableFiles)],
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--control-timeout", type=float)
    options = parser.parse_args()
    os.environ["STNSCOPE_API_URL"] = f"http://{HOST}:{options.port}"
    settings = Settings(
        home=options.home,
        host=HOST,
        port=options.port,
        demonstration=False,
        standby=False,
        control_timeout=options.control_timeout,
    )
    app = create_app(settings, APP)
    app.router.routes.insert(0, Mount("/component", component_page()))
    config = uvicorn.Config(
        app,
        host=HOST,
        port=options.port,
        log_level="warning",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
    )
    uvicorn.Server(config).run([listen(HOST, options.port)])


if __name__ == "__main__":
    main()
