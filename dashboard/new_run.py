"""The form that starts a run, or a sweep."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from stnscope.dashboard.catalog_entries import (
    Entries,
    Entry,
    by_name,
    descriptions,
    select_entry,
)
from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.comparison_fields import comparison_fields
from stnscope.dashboard.dataset_choice import choose_dataset, is_available
from stnscope.dashboard.machine_fields import is_usual_machine, machine_fields
from stnscope.dashboard.paper_fields import paper_fields
from stnscope.dashboard.training_fields import sampler_fields, training_fields
from stnscope.dashboard.training_time import epoch_seconds, format_duration, run_seconds

NO_SECOND_DISTORTION = "None"
OWN_SETTINGS = "Own settings"
PAPER_TABLE = "A published table"
MOTIONS: dict[bool | str, str] = {
    False: "Off",
    True: "Along a path of their distortion",
    "tracks": "Along their tracks",
}
"""How probes move, where the data set has tracks."""


@st.fragment
def new_run_form(
    client: Client,
    catalog: dict[str, Any],
    show_runs: Callable[[list[str]], None],
    show_sweep: Callable[[str], None],
    refresh: Callable[[], None],
) -> None:
    """Draw the form, and start the run, the two runs of a preset, or a sweep.

    Args:
        client: of the server.
        catalog: the server's.
        show_runs: called with the ids of the runs that were started; a second one is to be
            compared with the first.
        show_sweep: called with the id of the sweep that was started.
        refresh: called when the catalog has changed.
    """
    presets = by_name(catalog["presets"])
    name = st.pills(
        "Preset",
        [*presets, PAPER_TABLE, OWN_SETTINGS],
        default=next(iter(presets)),
        required=True,
        format_func=lambda name: presets[name]["title"] if name in presets else name,
        help="Configurations that were trained to their end, or your own settings.",
    )
    if name == PAPER_TABLE:
        _paper_form(client, catalog, show_sweep, refresh)
        return
    preset = presets.get(name)
    if preset is None:
        _own_form(client, catalog, show_runs, show_sweep, refresh)
        return
    configs = preset["runs"]
    st.caption(f"{preset['description']} {_duration(catalog, configs)}")
    is_started = st.button("Start training", type="primary")
    _note_queue(catalog)
    if is_started:
        _start_runs(client, configs, show_runs)


def _start_runs(
    client: Client, configs: list[dict[str, Any]], show_runs: Callable[[list[str]], None]
) -> None:
    try:
        ids = [client.start_run(config)["id"] for config in configs]
    except ApiError as error:
        st.error(str(error))
    else:
        show_runs(ids)
        st.rerun()


def _note_queue(catalog: dict[str, Any]) -> None:
    st.caption(
        f"{catalog['trainers']} runs train at a time and further ones wait. Starting a run pauses "
        "the demonstration."
    )


def _duration(catalog: dict[str, Any], configs: list[dict[str, Any]]) -> str:
    """Return how long a preset's runs take; two train at the same time."""
    duration = format_duration(max(run_seconds(catalog, config) for config in configs))
    runs = "Its two runs take" if len(configs) > 1 else "It takes"
    return f"{runs} {duration} here."


def _own_form(
    client: Client,
    catalog: dict[str, Any],
    show_runs: Callable[[list[str]], None],
    show_sweep: Callable[[str], None],
    refresh: Callable[[], None],
) -> None:
    """Draw the fields of a configuration, and start its run, or the sweep of compared values.

    Args: as for `new_run_form`.
    """
    dataset = choose_dataset(client, catalog, refresh)
    if dataset is None:
        return
    network = _choose_network(catalog, dataset)
    with st.container(key="new-run"):
        config = _config_fields(catalog, dataset, network)
        comparison = comparison_fields(catalog, dataset, network)
    if comparison is None:
        st.caption(_estimate(catalog, dataset, network, config))
        is_started = st.button("Start training", type="primary")
        _note_queue(catalog)
        if is_started:
            _start_runs(client, [config], show_runs)
        return
    runs = "1 run" if comparison.runs == 1 else f"{comparison.runs} runs"
    sweep = comparison.sweep(config, _defaults(catalog, dataset, network, config))
    duration = format_duration(comparison.seconds(catalog, sweep["run"]))
    location = "here" if is_usual_machine(catalog, config) else "here on one CPU thread"
    at_once = min(comparison.runs, catalog["trainers"])
    st.caption(comparison.missing or f"It takes {duration} {location}, {at_once} runs at a time.")
    is_started = st.button(f"Train {runs}", type="primary", disabled=comparison.runs == 0)
    _note_queue(catalog)
    if is_started:
        _start_sweep(client, sweep, show_sweep)


def _start_sweep(client: Client, sweep: dict[str, Any], show_sweep: Callable[[str], None]) -> None:
    try:
        started = client.start_sweep(sweep)
    except ApiError as error:
        st.error(str(error))
    else:
        show_sweep(started["id"])
        st.rerun()


def _paper_form(
    client: Client,
    catalog: dict[str, Any],
    show_sweep: Callable[[str], None],
    refresh: Callable[[], None],
) -> None:
    """Draw the choice of a published table, and start its sweep.

    Args: as for `new_run_form`.
    """
    chosen = paper_fields(catalog)
    datasets = by_name(catalog["datasets"])
    for name in chosen.datasets:
        if not is_available(client, catalog, datasets[name], refresh):
            return
    runs = "1 run" if chosen.runs == 1 else f"{chosen.runs} runs"
    at_once = min(chosen.runs, catalog["trainers"])
    duration = format_duration(chosen.seconds(catalog))
    st.caption(
        f"It takes {duration} here on one CPU thread, {at_once} at a time. "
        "Together the runs are a sweep: one link, with a table, curves and the last frames."
    )
    is_started = st.button(f"Train {runs}", type="primary")
    _note_queue(catalog)
    if is_started:
        _start_sweep(client, chosen.sweep(), show_sweep)


def _defaults(
    catalog: dict[str, Any], dataset: Entry, network: Entry, config: dict[str, Any]
) -> dict[str, Any]:
    """Return the defaults that depend on the network and the optimiser."""
    optimiser = by_name(catalog["optimisers"])[config["optimiser"]]
    return {
        "epochs": dataset["epochs"][network["name"]],
        "learning_rate": _rate(network, optimiser, "learning_rate"),
        "localisation_learning_rate": _rate(network, optimiser, "localisation_learning_rate"),
        "weight_decay": optimiser["weight_decay"],
        "consistency": dataset["consistency"],
    }


def _rate(network: Entry, optimiser: Entry, name: str) -> float:
    """Return a default learning rate."""
    rate: float = round(network[name] * optimiser["rate_factor"], 12)
    return rate


def _choose_network(catalog: dict[str, Any], dataset: Entry) -> Entry:
    networks = by_name(catalog["architectures"])
    compatible = {name: networks[name] for name in dataset["networks"]}
    network = compatible[
        st.selectbox(
            "Network",
            list(compatible),
            index=list(compatible).index(dataset["architecture"]),
            format_func=lambda name: compatible[name]["title"],
            key=f"network for {dataset['name']}",
            help="\n\n".join(_source(each) for each in compatible.values()),
        )
    ]
    st.caption(f"{network['description']} {network['parameters']:,} parameters.")
    return network


def _source(network: Entry) -> str:
    """Return where a network is from, and how it differs from there."""
    recipe = f"Trained there with {network['recipe']}" if network["recipe"] else ""
    parts = (network["source"], network["differences"], recipe)
    return f"**{network['title']}**: {' '.join(part for part in parts if part)}"


def _config_fields(catalog: dict[str, Any], dataset: Entry, network: Entry) -> dict[str, Any]:
    """Draw the fields; return a run's configuration."""
    basic = st.container()
    with st.expander("Advanced settings"):
        training = training_fields(catalog, dataset, network)
        sampler = sampler_fields(catalog) if network["transformers"] else {}
    with st.expander("Machine"):
        machine = machine_fields(catalog)
    optimiser = by_name(catalog["optimisers"])[training["optimiser"]]
    with basic:
        task = _task_fields(catalog, dataset, network)
        numbers = _number_fields(catalog, dataset, network, optimiser)
    return {
        "dataset": dataset["name"],
        "architecture": network["name"],
        **task,
        **numbers,
        **training,
        **machine,
        "sampler": sampler,
    }


def _key_suffix(dataset: Entry, network: Entry) -> str:
    """Return an end for the keys of fields whose default depends on the data set and network.

    With a new key Streamlit draws a new field, which offers the new default.
    """
    return f"for {dataset['name']} and {network['name']}"


def _task_fields(catalog: dict[str, Any], dataset: Entry, network: Entry) -> dict[str, Any]:
    """Draw the fields of the transformers' family and of the distortion."""
    families = {
        name: entry
        for name, entry in by_name(catalog["families"]).items()
        if name in network["families"]
    }
    family = catalog["defaults"]["family"]
    if families:
        label = "Transformer" if network["transformers"] == 1 else "Transformers"
        family = select_entry(label, families, family)
    distortions = by_name(catalog["distortions"])
    return {"family": family, "distortion": _distortion_fields(distortions, dataset, network)}


def _number_fields(
    catalog: dict[str, Any], dataset: Entry, network: Entry, optimiser: Entry
) -> dict[str, Any]:
    defaults, suffix = catalog["defaults"], _key_suffix(dataset, network)
    optimiser_suffix = f"{suffix} by {optimiser['name']}"
    left, right = st.columns(2)
    seed = left.number_input(
        "Seed",
        value=defaults["seed"],
        help="Runs with the same configuration and seed are the same; another seed shows how much "
        "is chance.",
    )
    epochs = right.number_input(
        "Epochs",
        value=dataset["epochs"][network["name"]],
        key=f"epochs {suffix}",
        help="How often the network is trained on all training images. The default is enough to "
        "watch it learn.",
    )
    batch = left.number_input(
        "Batch size", value=defaults["batch_size"], help="Images for each step."
    )
    rate = right.number_input(
        "Learning rate",
        value=_rate(network, optimiser, "learning_rate"),
        step=1e-4,
        format="%g",
        key=f"learning rate {optimiser_suffix}",
        help="The classifier's, at the schedule's peak.",
    )
    localisation_rate = left.number_input(
        "Localisation learning rate",
        value=_rate(network, optimiser, "localisation_learning_rate"),
        step=1e-4,
        format="%g",
        key=f"localisation rate {optimiser_suffix}",
        help="The localisation network's, at the schedule's peak. With 0 its regions never change.",
    )
    probes = right.number_input(
        "Probes",
        value=min(defaults["probes"]["count"], dataset["held_out"]),
        key=f"probes {suffix}",
        help=f"Held-out images that are shown while the network trains, at most "
        f"{catalog['limits']['probes']}.",
    )
    moving = _moving_field(defaults["probes"]["moving"], dataset)
    return {
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch,
        "learning_rate": rate,
        "localisation_learning_rate": localisation_rate,
        "probes": {"count": probes, "moving": moving},
    }


def _moving_field(default: bool, dataset: Entry) -> bool | str:
    """Draw the field for moving probes; return it as a configuration has it."""
    help_text = (
        "Move the probes while the network trains, to see how well its regions follow them. "
        "This can be changed later."
    )
    if not dataset["tracks"]:
        return st.checkbox("Moving probes", default, help=help_text)
    return st.selectbox(
        "Moving probes",
        list(MOTIONS),
        index=list(MOTIONS).index(default),
        format_func=lambda motion: MOTIONS[motion],
        help=f"{help_text} A track is a series of photos of one sign.",
    )


def _distortion_fields(distortions: Entries, dataset: Entry, network: Entry) -> dict[str, Any]:
    suffix = _key_suffix(dataset, network)
    first = st.selectbox(
        "Distortion",
        list(distortions),
        index=list(distortions).index(dataset["distortion"]),
        format_func=lambda name: distortions[name]["title"],
        key=f"distortion {suffix}",
        help=descriptions(distortions),
    )
    second = st.selectbox(
        "Second distortion",
        [NO_SECOND_DISTORTION, *distortions],
        format_func=lambda name: distortions[name]["title"] if name in distortions else name,
        help="Applied to the result of the first one.",
    )
    strength = st.slider(
        "Strength",
        0.0,
        1.0,
        dataset["strength"],
        step=0.05,
        key=f"strength {suffix}",
        help="How far images are distorted; 0 leaves every image upright in the middle.",
    )
    name = first if second == NO_SECOND_DISTORTION else f"{first}+{second}"
    return {"name": name, "strength": strength}


def _estimate(
    catalog: dict[str, Any], dataset: Entry, network: Entry, config: dict[str, Any]
) -> str:
    """Return how long one epoch and all epochs take, on one CPU thread."""
    epochs: int = config["epochs"]
    location = "here" if is_usual_machine(catalog, config) else "here on one CPU thread"
    seconds = epoch_seconds(catalog, dataset, network)
    total = f"; {epochs} epochs take {format_duration(epochs * seconds)}" if epochs > 1 else ""
    images = dataset["images"] * dataset["repeats"]
    return f"An epoch shows {images:,} images: {format_duration(seconds)} {location}{total}."
