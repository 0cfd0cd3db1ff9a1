"""The form's advanced settings: how the network is trained, and how its transformers sample."""

from typing import Any

import streamlit as st

from stnscope.dashboard.catalog_entries import Entry, by_name, select_entry

MID_GREY = 0.5


def training_fields(catalog: dict[str, Any], dataset: Entry, network: Entry) -> dict[str, Any]:
    """Draw the fields of the training; return that part of a configuration."""
    defaults, optimisers = catalog["defaults"], by_name(catalog["optimisers"])
    optimiser = select_entry("Optimiser", optimisers, defaults["optimiser"])
    schedule = select_entry("Schedule", by_name(catalog["schedules"]), defaults["schedule"])
    left, right = st.columns(2)
    decay = left.number_input(
        "Weight decay",
        value=optimisers[optimiser]["weight_decay"],
        step=1e-3,
        format="%g",
        # A key for each optimiser, so that its own default is offered.
        key=f"weight decay by {optimiser}",
        help="How strongly each step shrinks the weights; a larger one reduces overfitting.",
    )
    smoothing = right.number_input(
        "Label smoothing",
        value=defaults["label_smoothing"],
        step=0.05,
        format="%g",
        help="The share of a label that is spread over all classes; it keeps the network from "
        "becoming overconfident.",
    )
    return {
        "optimiser": optimiser,
        "schedule": schedule,
        "weight_decay": decay,
        "label_smoothing": smoothing,
        **_consistency_field(dataset, network),
        "ema_decay": _averaging_field(catalog["defaults"]["ema_decay"]),
    }


def _consistency_field(dataset: Entry, network: Entry) -> dict[str, Any]:
    """Draw the weight of the consistency loss, if the network has transformers."""
    if not network["transformers"]:
        return {}
    weight = st.number_input(
        "Consistency loss",
        value=dataset["consistency"],
        step=0.1,
        format="%g",
        # A key for each data set, so that its own default is offered.
        key=f"consistency for {dataset['name']}",
        help="Its weight. Each image is distorted twice; the transformers' outputs should be the "
        "same and have contrast, so that regions close in on their subject and turn with it. "
        "0 for none, as in the paper.",
    )
    return {"consistency": weight}


def _averaging_field(default: float) -> float:
    """Draw the field of the averaging of weights."""
    return st.number_input(
        "Weight averaging",
        value=default,
        step=0.01,
        format="%g",
        help="Decay of the moving average of the weights, such as 0.99 over some hundred steps; "
        "the average is shown and evaluated. 0 for the weights themselves.",
    )


def sampler_fields(catalog: dict[str, Any]) -> dict[str, Any]:
    """Draw the fields of the sampler; return that part of a configuration."""
    paddings = by_name(catalog["paddings"])
    padding = select_entry("Padding", paddings, catalog["defaults"]["sampler"]["padding"])
    maximum = catalog["limits"]["supersampling"]
    left, right = st.columns(2)
    supersampling = left.number_input(
        "Supersampling",
        value=None,
        min_value=1,
        max_value=maximum,
        step=1,
        placeholder="default",
        help=f"Samples along each side of an output pixel, 1 to {maximum}; more reduce aliasing. "
        "Leave it empty for the network's default.",
    )
    background = None
    if padding == "background":
        background = right.number_input(
            "Background",
            value=MID_GREY,
            step=0.05,
            format="%g",
            help="The value outside the image, from 0, black, to 1, white.",
        )
    return {"padding": padding, "background": background, "supersampling": supersampling}
