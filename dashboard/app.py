"""The page. Streamlit runs this script again on each interaction; no run depends on it."""

import os
from typing import Any

import streamlit as st

from stnscope.access.token import TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE, presented_token
from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.component import mount
from stnscope.dashboard.new_run import new_run_form
from stnscope.dashboard.try_picture import try_picture

# Streamlit's own header and dialogs are hidden, that of a lost connection too: the stage shows a
# message that does not cover it. While the script runs again nothing is dimmed.
STYLE = """
<style>
header.stAppHeader, .stAppDeployButton, #MainMenu, footer, .stDialog { display: none; }
.stMainBlockContainer { padding: 8px 1rem 4rem; max-width: 1920px; }
/* Reserves the stage's height, so that nothing moves when it is drawn. */
.st-key-stage { min-height: calc(100vh - 5.5rem); }
.stMain:focus-visible, .stMain:focus-visible::before { outline: none; box-shadow: none; border: 0; }
.st-key-runs { min-height: 8rem; }
/* White on the dark theme's blue has too little contrast. */
[data-testid="stBaseButton-primary"] { background-image: linear-gradient(#0005, #0005); }
@media (max-width: 640px) { .st-key-stage { min-height: 1400px; } }
/* Streamlit's own grey has too little contrast. */
.stApp [data-testid="stCaptionContainer"] { opacity: 1; }
[data-testid="stButtonGroup"] button p {
  color: color-mix(in srgb, currentcolor 75%, canvastext);
}
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


def _show_runs(run_ids: list[str]) -> None:
    """Show a run that was started, and compare it with a second one."""
    st.query_params["run"] = run_ids[0]
    st.session_state["started"] = run_ids


def _visitor_token() -> str | None:
    """Return the token with which the script sends requests: the one that the visitor presents.

    Raises:
        PermissionError: the server needs a token, and the visitor presents none.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        return None
    viewer_token = os.environ.get(VIEWER_TOKEN_VARIABLE) or None
    presented = presented_token(st.context.headers, token, viewer_token)
    if presented is None:
        raise PermissionError
    return presented


def page() -> None:
    """Draw the page."""
    st.set_page_config("stnscope", layout="wide")
    st.html(STYLE)
    st.html(TITLE)
    api = os.environ.get("STNSCOPE_PUBLIC_URL", "")
    try:
        token = _visitor_token()
    except PermissionError:
        st.warning(
            f"stnscope needs its token. [Sign in]({api or '.'}/docs), then reload this page."
        )
        return
    with st.container(key="stage"):
        runs = {"run": st.query_params.get("run"), "started": st.session_state.get("started", [])}
        mount({"part": "viewer", "api": api, **runs}, key="viewer")
    try:
        client = Client.from_environment(token)
        catalog = _catalog(client)
        refusal = client.access()["refusal"]
    except ApiError as error:
        st.error(str(error))
        return
    form, run_table = st.columns([1, 2], gap="large")
    with form:
        st.subheader("New run")
        if refusal:
            st.info(refusal)
        else:
            new_run_form(client, catalog, _show_runs, _catalog.clear)
    with run_table:
        st.subheader("Runs")
        mount({"part": "runs", "api": api}, key="runs")
    st.subheader("Try a picture")
    try_picture(client)
    mount({"part": "results", "api": api}, key="results")


page()
