"""Choices from the catalog, and those that few need: how to train, and how to sample."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

Entry = Mapping[str, Any]
Entries = dict[str, Entry]

GREY = 0.5


def named(entries: list[Entry]) -> Entries:
    return {entry["name"]: entry for entry in entries}


def described(entries: Entries) -> str:
    """What each is, for a field's help."""
    return "\n\n".join(f"**{each['title']}**: {each['description']}" for each in entries.values())


def choose(label: str, entries: Entries, default: str) -> str:
    """Lays out a list to choose from; answers with the name of what is chosen."""
    chosen: str = st.selectbox(
        label,
        list(entries),
        index=list(entries).index(default),
        format_func=lambda name: entries[name]["title"],
        help=described(entries),
    )
    return chosen


def recipe(catalog: dict[str, Any]) -> dict[str, Any]:
    """Lays out how the network is trained; those fields of a configuration."""
    defaults, optimisers = catalog["defaults"], named(catalog["optimisers"])
    optimiser = choose("Optimiser", optimisers, defaults["optimiser"])
    schedule = choose("Schedule", named(catalog["schedules"]), defaults["schedule"])
    left, right = st.columns(2)
    decay = left.number_input(
        "Weight decay",
        value=optimisers[optimiser]["weight_decay"],
        step=1e-3,
        format="%g",
        # A key of its own for each, so that its default is offered.
        key=f"weight decay by {optimiser}",
        help="How strongly weights are drawn to 0.",
    )
    smoothing = right.number_input(
        "Label smoothing",
        value=defaults["label_smoothing"],
        step=0.05,
        format="%g",
        help="The share of a label that is spread over all classes.",
    )
    return {
        "optimiser": optimiser,
        "schedule": schedule,
        "weight_decay": decay,
        "label_smoothing": smoothing,
    }


def sampler(catalog: dict[str, Any]) -> dict[str, Any]:
    """Lays out how transformers sample; that part of a configuration."""
    paddings = named(catalog["paddings"])
    padding = choose("Padding", paddings, catalog["defaults"]["sampler"]["padding"])
    left, right = st.columns(2)
    supersampling = left.number_input(
        "Supersampling",
        value=None,
        min_value=1,
        max_value=4,
        step=1,
        placeholder="default",
        help="Samples along each side of an output pixel, 1 to 4; more reduce aliasing. "
        "Leave it empty for the network's default.",
    )
    tone = None
    if padding == "background":
        tone = right.number_input(
            "Tone", value=GREY, step=0.05, format="%g", help="From 0, black, to 1, white."
        )
    return {"padding": padding, "background": tone, "supersampling": supersampling}
