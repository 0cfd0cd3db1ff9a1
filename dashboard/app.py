"""The page. Streamlit runs this script again on each interaction; no run depends on it."""

import os
from pathlib import Path
from typing import Any

import streamlit as st

from stnscope.access.token import TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE, presented_token
from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.component import mount
from stnscope.dashboard.new_run import new_run_form

# The titles of the page's tabs: one is shown at a time, which the address's `tab` names.
TABS = {
    "watch": "Watch",
    "picture": "Try a picture",
    "how": "How it works",
    "new": "New run",
    "results": "Results",
    "sweeps": "Sweeps",
}
TAB = "tab"

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _hide_other_tabs(shown: str) -> str:
    """Return the style that hides all tabs but one: `shown`, until the page's modules set it."""
    # Streamlit wraps each container, and puts a gap between wrappers.
    wrapper = ":has(> .st-key-tab-{})"
    selectors = [f"html[data-tab]:not([data-tab={tab}]) {wrapper.format(tab)}" for tab in TABS]
    selectors += [f"html:not([data-tab]) {wrapper.format(tab)}" for tab in TABS if tab != shown]
    return f"<style>{', '.join(selectors)} {{ display: none; }}</style>"


def _header() -> str:
    """Return the page's title and the navigation, whose links the page's modules follow."""
    links = "".join(
        f'<a href="{"." if tab == "watch" else f"?{TAB}={tab}"}" data-tab="{tab}">{title}</a>'
        for tab, title in TABS.items()
    )
    return (
        '<div class="stn-header"><h1>stnscope</h1>'
        f'<nav class="stn-tabs" aria-label="Tabs">{links}</nav></div>'
    )


@st.cache_data(ttl=10, show_spinner=False)
def _catalog(client: Client) -> dict[str, Any]:
    return client.catalog()


def _show_runs(run_ids: list[str]) -> None:
    """Show a run that was started, and compare it with a second one."""
    st.session_state["started"] = run_ids


def _show_sweep(sweep_id: str) -> None:
    """Show a sweep that was started."""
    st.session_state["sweep"] = sweep_id


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
    tab = st.query_params.get(TAB, "")
    st.html(f"<style>{STYLE}</style>" + _hide_other_tabs(tab if tab in TABS else "watch"))
    st.html(_header())
    api = os.environ.get("STNSCOPE_PUBLIC_URL", "")
    try:
        token = _visitor_token()
    except PermissionError:
        st.warning(
            f"stnscope needs its token. [Sign in]({api or '.'}/docs), then reload this page."
        )
        return
    with st.container(key="tab-watch"):
        with st.container(key="stage"):
            started = st.session_state.get("started", [])
            run = st.query_params.get("run")
            mount({"part": "viewer", "api": api, "run": run, "started": started}, key="viewer")
        st.header("Runs")
        mount({"part": "runs", "api": api}, key="runs")
    for name, part in (("picture", "picture"), ("how", "walkthrough"), ("results", "results")):
        with st.container(key=f"tab-{name}"):
            mount({"part": part, "api": api}, key=part)
    with st.container(key="tab-sweeps"):
        sweep = st.session_state.get("sweep")
        mount({"part": "sweeps", "api": api, "sweep": sweep}, key="sweeps")
    with st.container(key="tab-new"):
        _new_run(token)


def _new_run(token: str | None) -> None:
    """Draw the form, or why there is none."""
    try:
        client = Client.from_environment(token)
        catalog = _catalog(client)
        refusal = client.access()["refusal"]
    except ApiError as error:
        st.error(str(error))
        return
    st.header("New run")
    if refusal:
        st.info(refusal)
        return
    with st.container(key="form"):
        new_run_form(client, catalog, _show_runs, _show_sweep, _catalog.clear)


page()
