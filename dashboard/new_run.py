"""A run of one's own: what it learns from, with which network, how."""

import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.training_fields import (
    Entries,
    Entry,
    choose,
    described,
    named,
    recipe,
    sampler,
)

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
    datasets, networks = named(catalog["datasets"]), named(catalog["architectures"])
    dataset = datasets[
        st.selectbox(
            "Data set",
            list(datasets),
            format_func=lambda name: _titled(datasets[name]),
            key="dataset",
        )
    ]
    st.caption(plain(dataset["description"]))
    if catalog["skipped"]:
        with st.expander(f"Folders that are passed over: {len(catalog['skipped'])}"):
            for folder in catalog["skipped"]:
                st.caption(plain(folder["reason"]))
    if not dataset["available"]:
        if dataset["fault"]:
            st.warning(plain(f"It is damaged. {dataset['fault']}"))
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
    with st.container(key="new-run"):
        config = _fields(catalog, dataset, network)
    started = st.button("Start training", type="primary")
    st.caption(_estimate(dataset, network, config["epochs"], catalog["images_per_second"]))
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


def _titled(dataset: Entry) -> str:
    if dataset["available"]:
        return str(dataset["title"])
    return f"{dataset['title']} ({'damaged' if dataset['fault'] else 'not at hand'})"


def plain(text: str) -> str:
    """Text that names files and folders of anyone's, so that none of it is taken for Markdown."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|$~:-])", r"\\\1", text)


def _sources(entries: Entries) -> str:
    return "\n\n".join(_source(each) for each in entries.values())


def _source(network: Entry) -> str:
    trained = f"Trained there with {network['recipe']}" if network["recipe"] else ""
    said = (network["source"], network["differences"], trained)
    return f"**{network['title']}**: {' '.join(part for part in said if part)}"


def _fields(catalog: dict[str, Any], dataset: Entry, network: Entry) -> dict[str, Any]:
    """The form's fields; a run's configuration."""
    fields = st.container()
    with st.expander("More choices"):
        trained = recipe(catalog)
        sampled = sampler(catalog) if network["transformers"] else {}
    optimiser = named(catalog["optimisers"])[trained["optimiser"]]
    with fields:
        more = _looks(catalog, dataset, network) | _numbers(catalog, dataset, network, optimiser)
    return {
        "dataset": dataset["name"],
        "architecture": network["name"],
        **more,
        **trained,
        "sampler": sampled,
    }


def _choice(dataset: Entry, network: Entry) -> str:
    """Ends the key of a field whose default follows from these, so that it is offered anew."""
    return f"for {dataset['name']} and {network['name']}"


def _looks(catalog: dict[str, Any], dataset: Entry, network: Entry) -> dict[str, Any]:
    """How the transformers look, and at what."""
    families = {
        name: entry
        for name, entry in named(catalog["families"]).items()
        if name in network["families"]
    }
    family = catalog["defaults"]["family"]
    if families:
        label = "Transformer" if network["transformers"] == 1 else "Transformers"
        family = choose(label, families, family)
    distortions = named(catalog["distortions"])
    return {"family": family, "distortion": _distortion(distortions, dataset, network)}


def _numbers(
    catalog: dict[str, Any], dataset: Entry, network: Entry, optimiser: Entry
) -> dict[str, Any]:
    defaults, choice = catalog["defaults"], _choice(dataset, network)
    offered = f"{choice} by {optimiser['name']}"
    left, right = st.columns(2)
    seed = left.number_input("Seed", value=defaults["seed"], help="Equal ones: equal runs.")
    epochs = right.number_input(
        "Epochs",
        value=dataset["epochs"][network["name"]],
        key=f"epochs {choice}",
        help="How often all images are shown; at first as many as the network needs to be seen to "
        "learn.",
    )
    batch = left.number_input("Batch", value=defaults["batch_size"], help="Images for each step.")
    rate = right.number_input(
        "Learning rate",
        value=round(network["learning_rate"] * optimiser["rate_factor"], 12),
        step=1e-4,
        format="%g",
        key=f"learning rate {offered}",
        help="The classifier's, at its peak.",
    )
    localisation_rate = left.number_input(
        "Localisation rate",
        value=round(network["localisation_learning_rate"] * optimiser["rate_factor"], 12),
        step=1e-4,
        format="%g",
        key=f"localisation rate {offered}",
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
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch,
        "learning_rate": rate,
        "localisation_learning_rate": localisation_rate,
        "probes": {"count": probes, "moving": moving},
    }


def _distortion(distortions: Entries, dataset: Entry, network: Entry) -> dict[str, Any]:
    choice = _choice(dataset, network)
    first = st.selectbox(
        "Distortion",
        list(distortions),
        index=list(distortions).index(dataset["distortion"]),
        format_func=lambda name: distortions[name]["title"],
        key=f"distortion {choice}",
        help=described(distortions),
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


def _estimate(dataset: Entry, network: Entry, epochs: int, images_per_second: float) -> str:
    """How long an epoch takes, and all of them, as far as this machine's pace is known."""
    images = dataset["images"] * dataset["repeats"]
    seconds = images * network["relative_cost"] / images_per_second
    whole = f"; {epochs} epochs take {_span(epochs * seconds)}" if epochs > 1 else ""
    return f"An epoch shows {images:,} images: {_span(seconds)} here{whole}."


def _span(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return f"about {round(seconds / size)} {name}s"
    return "about a second" if seconds < 1.5 else f"about {round(seconds)} seconds"
