"""The page, mounted last at the root: Streamlit's own ASGI application."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from stnscope.access.cache_control import ImmutableFiles
from stnscope.access.first_paint import FirstPaint
from stnscope.access.security_headers import page_policy


def mount(app: FastAPI, script: Path) -> Any:
    """Serve the Streamlit script at `/`, after every route that `app` has already.

    Returns:
        Streamlit's application; the caller must enter its lifespan.
    """
    # A backend that serves no page is installed without Streamlit.
    import streamlit

    middleware = [Middleware(ImmutableFiles), Middleware(FirstPaint, folder=script.parent)]
    page = streamlit.App(script, middleware=middleware)
    app.mount("", page)
    return page


def policy(api: str) -> str:
    """Return the content security policy of the page; see `page_policy`."""
    from streamlit import file_util

    index = Path(file_util.get_static_dir()) / "index.html"
    return page_policy(index.read_text(encoding="utf-8"), api)
