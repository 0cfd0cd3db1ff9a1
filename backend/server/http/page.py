"""The page, mounted last at the root: Streamlit's own ASGI application."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from stnscope.access.cache_control import ImmutableFiles


def mount(app: FastAPI, script: Path) -> Any:
    """Serve the Streamlit script at `/`, after every route that `app` has already.

    Returns:
        Streamlit's application; the caller must enter its lifespan.
    """
    # A backend that serves no page is installed without Streamlit.
    import streamlit

    page = streamlit.App(script, middleware=[Middleware(ImmutableFiles)])
    app.mount("", page)
    return page
