"""The page, mounted last at the root: Streamlit's own ASGI application."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from stnscope.access.cache_control import ImmutableFiles


def mount(app: FastAPI, script: Path) -> Any:
    """Serves the Streamlit script at `/`, behind every route that `app` has already.

    Returns:
        Streamlit's application; its lifespan must be entered by the caller.
    """
    # A backend that serves no page is installed without Streamlit.
    import streamlit

    page = streamlit.App(script, middleware=[Middleware(ImmutableFiles)])
    app.mount("", page)
    return page
