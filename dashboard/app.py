"""The page. A rerun of this script changes nothing that trains: it only lays out what is seen."""

import os
from typing import Any

import streamlit as st

from stnscope.access.token import is_presented
from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.component import mount
from stnscope.dashboard.new_run import new_run
from stnscope.dashboard.own_picture import own_picture

# What is Streamlit's own is hidden, its word on a lost connection too: the stage has one that does
# not cover it. While the script runs again nothing is dimmed.
STYLE = """
<style>
header.stAppHeader, .stAppDeployButton, #MainMenu, footer, .stDialog { display: none; }
.stMainBlockContainer { padding: 8px 1rem 4rem; max-width: 1920px; }
/* Room for what comes later, so that nothing moves when it does. */
.st-key-stage { min-height: calc(100vh - 5.5rem); }
.stMain:focus-visible, .stMain:focus-visible::before { outline: none; box-shadow: none; border: 0; }
.st-key-runs { min-height: 8rem; }
/* White on the dark theme's blue would be hard to read. */
[data-testid="stBaseButton-primary"] { background-image: linear-gradient(#0005, #0005); }
@media (max-width: 640px) { .st-key-stage { min-height: 1400px; } }
/* Streamlit's own grey is just too light to be read by all. */
[data-testid="stCaptionContainer"] p { color: inherit; opacity: 0.8; }
[data-stale="true"] { opacity: 1 !important; transition: none !important; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0; display: inline; }
.stn-title { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 14px; }
.stn-title h1, .stn-title p { margin: 0; }
</style>
"""

TITLE = """
<div class="stn-title">
<h1>stnscope</h1>
<p>Watch a spatial transformer network learn where to look.</p>
</div>
"""


@st.cache_data(ttl=10, show_spinner=False)
def _catalog(client: Client) -> dict[str, Any]:
    return client.catalog()


def _show_run(run_id: str) -> None:
    st.query_params["run"] = st.session_state["started"] = run_id


def _is_welcome() -> bool:
    """Whether the visitor has the token; this page must do nothing in its name for others."""
    token = os.environ.get("STNSCOPE_TOKEN")
    return not token or is_presented(st.context.headers, token)


def page() -> None:
    """Lays out the page."""
    st.set_page_config("stnscope", layout="wide")
    st.html(STYLE)
    st.html(TITLE)
    api = os.environ.get("STNSCOPE_PUBLIC_URL", "")
    if not _is_welcome():
        st.warning(f"stnscope needs its token here. [Sign in]({api}/docs), then load this again.")
        return
    with st.container(key="stage"):
        shown = {"run": st.query_params.get("run"), "started": st.session_state.get("started")}
        mount({"part": "viewer", "api": api, **shown}, key="viewer")
    client = Client.from_environment()
    try:
        catalog = _catalog(client)
    except ApiError as error:
        st.error(str(error))
        return
    form, runs = st.columns([1, 2], gap="large")
    with form:
        st.subheader("New run")
        new_run(client, catalog, _show_run, _catalog.clear)
    with runs:
        st.subheader("Runs")
        mount({"part": "runs", "api": api}, key="runs")
    st.subheader("Your picture")
    own_picture(client, catalog)


page()
