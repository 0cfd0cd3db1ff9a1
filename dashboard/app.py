"""The page. A rerun of this script changes nothing that trains: it only lays out what is seen."""

import os
from typing import Any

import streamlit as st

from dashboard.client import ApiError, Client
from dashboard.own_picture import own_picture
from dashboard.parts import mount
from gate.token import is_presented

# What is Streamlit's own is hidden, its word on a lost connection too: the stage has one that does
# not cover it. While the script runs again nothing is dimmed.
STYLE = """
<style>
header.stAppHeader, .stAppDeployButton, #MainMenu, footer, .stDialog { display: none; }
.stMainBlockContainer { padding: 1rem 1rem 4rem; max-width: 1920px; }
/* Room for what comes later, so that nothing moves when it does. */
.st-key-viewer { min-height: calc(100vh - 5.5rem); }
.st-key-runs { min-height: 8rem; }
@media (max-width: 640px) { .st-key-viewer { min-height: 1400px; } }
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
    st.query_params["run"] = run_id


def _open_from_list() -> None:
    _show_run(st.session_state["runs"].open)


def _described(entries: dict[str, Any]) -> str:
    return "\n\n".join(f"**{each['title']}**: {each['description']}" for each in entries.values())


@st.fragment
def _start_form(client: Client, catalog: dict[str, Any]) -> None:
    defaults = catalog["defaults"]
    datasets = {entry["name"]: entry for entry in catalog["datasets"] if entry["available"]}
    families = {entry["name"]: entry for entry in catalog["families"]}
    distortions = {entry["name"]: entry for entry in catalog["distortions"]}
    # The server knows the bounds, and says them in a sentence; a field's own are only coloured.
    with st.form("start", border=False):
        dataset = st.selectbox(
            "Data set",
            list(datasets),
            format_func=lambda name: datasets[name]["title"],
            help=_described(datasets),
        )
        family = st.selectbox(
            "Transformer",
            list(families),
            index=list(families).index(defaults["family"]),
            format_func=lambda name: families[name]["title"],
            help=_described(families),
        )
        distortion = st.selectbox(
            "Distortion",
            list(distortions),
            index=list(distortions).index(defaults["distortion"]["name"]),
            format_func=lambda name: distortions[name]["title"],
            help=_described(distortions),
        )
        strength = st.slider(
            "Strength",
            0.0,
            1.0,
            defaults["distortion"]["strength"],
            step=0.05,
            help="Of the distortion; 0 leaves every image upright in the middle.",
        )
        left, right = st.columns(2)
        config = {
            "dataset": dataset,
            "family": family,
            "distortion": {"name": distortion, "strength": strength},
            "seed": left.number_input(
                "Seed", value=defaults["seed"], help="Equal ones: equal runs."
            ),
            "epochs": right.number_input(
                "Epochs", value=defaults["epochs"], help="How often all images are shown."
            ),
            "batch_size": left.number_input(
                "Batch", value=defaults["batch_size"], help="Images for each step."
            ),
            "learning_rate": right.number_input(
                "Learning rate",
                value=defaults["learning_rate"],
                step=1e-4,
                format="%g",
                help="The classifier's, at its peak.",
            ),
            "localisation_learning_rate": left.number_input(
                "Localisation rate",
                value=defaults["localisation_learning_rate"],
                step=1e-4,
                format="%g",
                help="Of the part that finds the region, at its peak; 0 keeps it as it is.",
            ),
        }
        moving = st.checkbox(
            "Moving probes",
            defaults["probes"]["moving"],
            help="The watched images jump about while the network trains. Can be switched later.",
        )
        started = st.form_submit_button("Start training", type="primary")
    st.caption("Two runs train at a time, further ones wait; the demonstration makes room.")
    if started:
        try:
            run = client.start(config | {"probes": {**defaults["probes"], "moving": moving}})
        except ApiError as error:
            st.error(str(error))
        else:
            _show_run(run["id"])
            st.rerun()


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
    mount({"part": "viewer", "api": api, "run": st.query_params.get("run")}, key="viewer")
    client = Client.from_environment()
    try:
        catalog = _catalog(client)
    except ApiError as error:
        st.error(str(error))
        return
    form, runs = st.columns([1, 2], gap="large")
    with form:
        st.subheader("New run")
        _start_form(client, catalog)
    with runs:
        st.subheader("Runs")
        mount({"part": "runs", "api": api}, key="runs", on_open=_open_from_list)
    st.subheader("Your picture")
    own_picture(client, catalog)


page()
