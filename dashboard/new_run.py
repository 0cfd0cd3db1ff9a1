"""A run of one's own: what it learns from, with which network, how."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dashboard.client import ApiError, Client

Entry = Mapping[str, Any]
Entries = dict[str, Entry]

NOTHING_MORE = "Nothing more"


@st.fragment
def new_run(
    client: Client,
    catalog: dict[str, Any],
    show_run: Callable[[str], None],
    refresh: Callable[[], None],
) -> None:
    """Lays out the form.

    Args:
        client: of the server.
        catalog: what there is.
        show_run: called with the id of a run that was started.
        refresh: called when the catalog has changed.
    """
    datasets, networks = _named(catalog["datasets"]), _named(catalog["architectures"])
    dataset = datasets[
        st.selectbox(
            "Data set",
            list(datasets),
            format_func=lambda name: _titled(datasets[name]),
            key="dataset",
        )
    ]
    st.caption(dataset["description"])
    if not dataset["available"]:
        st.info(f"{dataset['how']} The data folder is `{catalog['data']}`.")
        if dataset["download"]:
            _get(client, dataset["name"], dataset["download"], refresh)
        return
    fitting = {name: networks[name] for name in dataset["networks"]}
    network = fitting[
        st.selectbox(
            "Network",
            list(fitting),
            index=list(fitting).index(dataset["architecture"]),
            format_func=lambda name: fitting[name]["title"],
            key=f"network for {dataset['name']}",
            help=_sources(fitting),
        )
    ]
    st.caption(f"{network['description']} {network['parameters']:,} parameters.")
    with st.form("start", border=False):
        config = _fields(catalog, dataset, network)
        started = st.form_submit_button("Start training", type="primary")
    st.caption(_estimate(dataset, network, catalog["images_per_second"]))
    st.caption("Two runs train at a time, further ones wait; the demonstration makes room.")
    if started:
        try:
            run = client.start(config)
        except ApiError as error:
            st.error(str(error))
        else:
            show_run(run["id"])
            st.rerun()


@st.fragment(run_every=1.0)
def _get(client: Client, name: str, size: int, refresh: Callable[[], None]) -> None:
    """Offers to fetch a data set, and shows how far it is."""
    try:
        dataset = client.dataset(name)
        fetching = dataset["fetching"]
        if dataset["available"]:
            refresh()
            st.rerun()
        if fetching and fetching["status"] == "running":
            done, total = fetching["done"], fetching["total"]
            st.progress(done / total, f"Fetched {done / 1e6:.1f} of {total / 1e6:.1f} MB")
            return
        if fetching and fetching["error"]:
            st.error(fetching["error"])
        if st.button(f"Fetch it ({size / 1e6:.0f} MB)"):
            client.fetch(name)
            st.rerun(scope="fragment")
    except ApiError as error:
        st.error(str(error))


def _named(entries: list[Entry]) -> Entries:
    return {entry["name"]: entry for entry in entries}


def _titled(dataset: Entry) -> str:
    return str(dataset["title"]) if dataset["available"] else f"{dataset['title']} (not at hand)"


def _described(entries: Entries) -> str:
    return "\n\n".join(f"**{each['title']}**: {each['description']}" for each in entries.values())


def _sources(entries: Entries) -> str:
    lines = [
        f"**{each['title']}**: {each['source']} {each['departs']}" for each in entries.values()
    ]
    return "\n\n".join(lines)


def _fields(catalog: dict[str, Any], dataset: Entry, network: Entry) -> dict[str, Any]:
    """The form's fields; a run's configuration."""
    defaults = catalog["defaults"]
    families = {
        name: entry
        for name, entry in _named(catalog["families"]).items()
        if name in network["families"]
    }
    # Keys of their own for each choice above, so that its defaults are offered.
    choice = f"for {dataset['name']} and {network['name']}"
    family = defaults["family"]
    if families:
        family = st.selectbox(
            "Transformer" if network["transformers"] == 1 else "Transformers",
            list(families),
            index=list(families).index(family),
            format_func=lambda name: families[name]["title"],
            help=_described(families),
        )
    distortion = _distortion(_named(catalog["distortions"]), dataset, choice)
    left, right = st.columns(2)
    seed = left.number_input("Seed", value=defaults["seed"], help="Equal ones: equal runs.")
    epochs = right.number_input(
        "Epochs", value=defaults["epochs"], help="How often all images are shown."
    )
    batch = left.number_input("Batch", value=defaults["batch_size"], help="Images for each step.")
    rate = right.number_input(
        "Learning rate",
        value=network["learning_rate"],
        step=1e-4,
        format="%g",
        key=f"learning rate {choice}",
        help="The classifier's, at its peak.",
    )
    localisation_rate = left.number_input(
        "Localisation rate",
        value=network["localisation_learning_rate"],
        step=1e-4,
        format="%g",
        key=f"localisation rate {choice}",
        help="Of the part that finds the region, at its peak; 0 keeps it as it is.",
    )
    probes = right.number_input(
        "Probes",
        value=min(defaults["probes"]["count"], dataset["held_out"]),
        key=f"probes {choice}",
        help="Held-out images that are watched.",
    )
    moving = st.checkbox(
        "Moving probes",
        defaults["probes"]["moving"],
        help="The watched images jump about while the network trains. Can be switched later.",
    )
    return {
        "dataset": dataset["name"],
        "architecture": network["name"],
        "family": family,
        "distortion": distortion,
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch,
        "learning_rate": rate,
        "localisation_learning_rate": localisation_rate,
        "probes": {"count": probes, "moving": moving},
    }


def _distortion(distortions: Entries, dataset: Entry, choice: str) -> dict[str, Any]:
    first = st.selectbox(
        "Distortion",
        list(distortions),
        index=list(distortions).index(dataset["distortion"]),
        format_func=lambda name: distortions[name]["title"],
        key=f"distortion {choice}",
        help=_described(distortions),
    )
    then = st.selectbox(
        "And then",
        [NOTHING_MORE, *distortions],
        format_func=lambda name: distortions[name]["title"] if name in distortions else name,
        help="A second distortion, on what the first has made.",
    )
    strength = st.slider(
        "Strength",
        0.0,
        1.0,
        dataset["strength"],
        step=0.05,
        key=f"strength {choice}",
        help="0 leaves every image upright in the middle.",
    )
    name = first if then == NOTHING_MORE else f"{first}+{then}"
    return {"name": name, "strength": strength}


def _estimate(dataset: Entry, network: Entry, images_per_second: float) -> str:
    """How long an epoch takes, as far as this machine's pace is known."""
    images = dataset["images"] * dataset["draws"]
    return (
        f"An epoch shows {images:,} images: {_span(images * network['work'] / images_per_second)}."
    )


def _span(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return f"about {round(seconds / size)} {name}s here"
    return "about a second here" if seconds < 1.5 else f"about {round(seconds)} seconds here"
