"""Program that is `stnscope serve`, and at /component/ serves the component without Streamlit.

Tests of the component do not need Streamlit, whose start and reruns take most of the time until a
page is loaded. The API, its streams and the trainers are the real ones, on the same origin.
"""

import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stnscope.access.cache_control import ImmutableFiles
from stnscope.access.security_headers import POLICY, page_policy
from stnscope.backend.commands import serve
from stnscope.backend.commands.main import main
from stnscope.backend.server.app import create_app
from stnscope.backend.server.settings import Settings
from stnscope.dashboard.component import ASSETS, PART, STYLE

HTML = Path(__file__).with_name("component_page.html")


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


def create_app_with_component(settings: Settings, page: Path | None) -> Starlette:
    """Build the application of a server, with the component's page in addition."""
    app = create_app(settings, page)
    app.router.routes.insert(0, Mount("/component", component_page()))
    return app


if __name__ == "__main__":
    serve.create_app = create_app_with_component  # type: ignore[assignment, attr-defined]
    sys.exit(main())
