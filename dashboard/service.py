"""The page as a service of its own, with the same access control as the interface.

    streamlit run dashboard/service.py

Streamlit's options set where it listens. Browsers reach it at `browser.serverAddress`, by default
at this machine's own names, and at `browser.serverPort`, by default at its own port.
"""

import os
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import file_util
from streamlit.config import is_manually_set

from stnscope.access.cache_control import ImmutableFiles
from stnscope.access.first_paint import FirstPaint
from stnscope.access.middleware import AccessControl
from stnscope.access.policy import LOOPBACK, Access, own_hosts
from stnscope.access.security_headers import SecurityHeaders, page_policy
from stnscope.access.token import TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE

SCHEMES = ("http", "https")


def _hosts(listens_on: str) -> frozenset[str]:
    """Return the allowed `Host` values."""
    port = st.get_option("server.port")
    # Health checks run inside the container, where the port is the one that is listened on.
    health = {f"localhost:{port}"}
    public_port = int(st.get_option("browser.serverPort") or port)
    if not is_manually_set("browser.serverAddress"):
        return own_hosts(listens_on, public_port) | health
    name = st.get_option("browser.serverAddress").lower()
    # Browsers leave out the scheme's default port.
    public = {f"{name}:{public_port}", *([name] if public_port in (80, 443) else [])}
    return frozenset(public | health)


def _access() -> Access:
    """Return the access policy.

    Raises:
        SystemExit: a token is needed and missing, or invalid.
    """
    listens_on = st.get_option("server.address") or "0.0.0.0"
    hosts = _hosts(listens_on)
    try:
        return Access(
            hosts=hosts,
            # A proxy that terminates TLS in front of the page makes its origin https.
            origins=frozenset(f"{scheme}://{host}" for scheme in SCHEMES for host in hosts),
            token=os.environ.get(TOKEN_VARIABLE) or None,
            viewer_token=os.environ.get(VIEWER_TOKEN_VARIABLE) or None,
            loopback_only=listens_on in LOOPBACK,
            host_option="--browser.serverAddress",
        )
    except ValueError as error:
        raise SystemExit(f"stnscope: {error}") from None


def _policies() -> dict[str, str]:
    """Return the content security policy of the page."""
    index = Path(file_util.get_static_dir()) / "index.html"
    api = os.environ.get("STNSCOPE_PUBLIC_URL", "")
    return {"/": page_policy(index.read_text(encoding="utf-8"), api)}


MIDDLEWARE = [
    Middleware(
        SecurityHeaders,
        policies=_policies(),
        frames=os.environ.get("STNSCOPE_ALLOW_FRAME", "").split(),
    ),
    Middleware(AccessControl, access=_access()),
    Middleware(ImmutableFiles),
    Middleware(FirstPaint, folder=Path(__file__).parent),
]

app = st.App(Path(__file__).with_name("app.py"), middleware=MIDDLEWARE)
