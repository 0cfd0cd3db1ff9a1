"""The page as a service of its own, behind the same gate as the interface.

    streamlit run dashboard/service.py

Streamlit's own options say where it listens. Browsers reach it under `browser.serverAddress` where
that is given, else under this machine's own names; at `browser.serverPort`, else at its own port.
"""

import os
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.config import is_manually_set

from stnscope.access.cache_control import ImmutableFiles
from stnscope.access.middleware import AccessControl
from stnscope.access.policy import LOOPBACK, Access, own_hosts

SCHEMES = ("http", "https")


def _hosts(listens_on: str) -> frozenset[str]:
    """The `Host` values that are answered."""
    port = st.get_option("server.port")
    # What asks for the service's health is inside, where the port is the one that is listened on.
    health = {f"localhost:{port}"}
    seen_port = int(st.get_option("browser.serverPort") or port)
    if not is_manually_set("browser.serverAddress"):
        return own_hosts(listens_on, seen_port) | health
    name = st.get_option("browser.serverAddress").lower()
    # A browser leaves out the port that its scheme implies.
    seen = {f"{name}:{seen_port}", *([name] if seen_port in (80, 443) else [])}
    return frozenset(seen | health)


def _access() -> Access:
    """Who is let in.

    Raises:
        SystemExit: a token is needed and there is none, or it is not one.
    """
    listens_on = st.get_option("server.address") or "0.0.0.0"
    hosts = _hosts(listens_on)
    try:
        return Access(
            hosts=hosts,
            # Whatever ends TLS in front of the page is its origin as well.
            origins=frozenset(f"{scheme}://{host}" for scheme in SCHEMES for host in hosts),
            token=os.environ.get("STNSCOPE_TOKEN") or None,
            loopback_only=listens_on in LOOPBACK,
            host_option="--browser.serverAddress",
        )
    except ValueError as error:
        raise SystemExit(f"stnscope: {error}") from None


app = st.App(
    Path(__file__).with_name("app.py"),
    middleware=[Middleware(AccessControl, access=_access()), Middleware(ImmutableFiles)],
)
