"""The form's settings of the machine: on what a run is computed. They change speed and rounding."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from stnscope.dashboard.catalog_entries import by_name, select_entry

AUTO = "auto"


def machine_fields(catalog: dict[str, Any]) -> dict[str, Any]:
    """Draw the fields of the machine; return that part of a configuration."""
    defaults = catalog["defaults"]
    device = select_entry("Device", by_name(catalog["devices"]), defaults["device"])
    left, right = st.columns(2)
    with left:
        precision = select_entry("Precision", by_name(catalog["precisions"]), defaults["precision"])
    with right:
        threads = _threads_field(catalog)
    channels_last = st.checkbox(
        "Channels last",
        precision == "bfloat16",
        # A key for each precision, so that its own default is offered.
        key=f"channels last in {precision}",
        help="Store the weights of convolutions with their channels last. On a processor a step "
        "of most convolutional networks takes a sixth less time. It rounds differently.",
    )
    return {
        "device": device,
        "precision": precision,
        "threads": threads,
        "channels_last": channels_last,
    }


def is_usual_machine(catalog: dict[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether a run is computed as one is by default, for which durations are estimated."""
    defaults = catalog["defaults"]
    names = ("device", "precision", "threads")
    return not config["channels_last"] and all(config[name] == defaults[name] for name in names)


def _threads_field(catalog: dict[str, Any]) -> int | str:
    """Draw the field of the CPU's threads."""
    automatic, most = catalog["automatic_threads"], catalog["limits"]["threads"]
    counts = range(1, min(catalog["cores"], most) + 1)
    chosen: int | str = st.selectbox(
        "Threads",
        [*counts, AUTO],
        index=catalog["defaults"]["threads"] - 1,
        format_func=lambda count: f"Automatic ({automatic})" if count == AUTO else str(count),
        help="Of the CPU. Another number rounds differently, so that a run with the same "
        "seed is a little different. Automatic leaves a core to the page, and shares the others "
        "between the runs that train at a time.",
    )
    return chosen
