"""The form's fields to compare values: several for a field, and several seeds, as one sweep."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from stnscope.dashboard.catalog_entries import Entries, Entry, by_name
from stnscope.dashboard.training_time import run_seconds

NUMBERS = {
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "localisation_learning_rate": "Localisation learning rate",
    "distortion.strength": "Strength of the distortion",
    "probes.count": "Probes",
    "weight_decay": "Weight decay",
    "label_smoothing": "Label smoothing",
    "consistency": "Consistency loss",
    "ema_decay": "Weight averaging",
    "sampler.supersampling": "Supersampling",
}
"""Fields with numbers, by path, with their titles in the form."""
CHOICES = {
    "architecture": ("Network", "architectures"),
    "family": ("Transformer", "families"),
    "distortion.name": ("Distortion", "distortions"),
    "optimiser": ("Optimiser", "optimisers"),
    "schedule": ("Schedule", "schedules"),
    "sampler.padding": ("Padding", "paddings"),
}
"""Fields with a choice, by path: their titles, and where the catalog has the choices."""
TITLES = {path: title for path, (title, _) in CHOICES.items()} | NUMBERS


@dataclass(frozen=True)
class Comparison:
    """The values that are compared: by the path of a field, and the number of seeds."""

    name: str
    product: Mapping[str, Sequence[Any]]
    seeds: int

    @property
    def missing(self) -> str:
        """Which field has no values yet, as a sentence; empty if all have some."""
        without = [TITLES[path] for path, values in self.product.items() if not values]
        return f"{without[0]} has no values to compare yet." if without else ""

    @property
    def runs(self) -> int:
        """Number of runs; 0 if a field has no values yet."""
        return math.prod(len(values) for values in self.product.values()) * self.seeds

    def sweep(self, config: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sweep, as `POST /api/sweeps` takes it.

        Args:
            config: what the other fields have.
            defaults: those that depend on the network and the optimiser. If these are compared,
                each has its own.
        """
        dependent = {"architecture", "optimiser"} & self.product.keys()
        own = {name for name, value in defaults.items() if config.get(name) == value}
        run = {
            name: value
            for name, value in config.items()
            if name != "seed" and not (dependent and name in own)
        }
        for path in self.product:
            section, _, field = path.partition(".")
            if field and section in run:
                run[section] = {k: v for k, v in run[section].items() if k != field}
            else:
                run.pop(section, None)
        first = config["seed"]
        seeds = list(range(first, first + self.seeds))
        return {"name": self.name, "run": run, "product": self.product, "seeds": seeds}

    def seconds(self, catalog: dict[str, Any], shared: Mapping[str, Any]) -> float:
        """Return how long its runs take here, as many at a time as there are trainers.

        Args:
            catalog: the server's.
            shared: what the configurations of all runs have.
        """
        combinations = itertools.product(*self.product.values())
        total = sum(
            run_seconds(catalog, {**shared, **dict(zip(self.product, values, strict=True))})
            for values in combinations
        )
        at_once: int = max(1, min(self.runs, catalog["trainers"]))
        return total * self.seeds / at_once


def comparison_fields(catalog: dict[str, Any], dataset: Entry, network: Entry) -> Comparison | None:
    """Draw the fields; return what is compared, None if nothing is."""
    with st.expander("Compare values"):
        st.caption(
            "Every combination of the values is trained with each seed. Together they are a sweep: "
            "one link, with a table, curves and the last frames."
        )
        offered = [path for path in TITLES if path not in _without_effect(network)]
        paths = st.multiselect(
            "Fields to compare",
            offered,
            format_func=lambda path: TITLES[path],
            placeholder="Choose fields",
        )
        product = {path: _values(catalog, dataset, network, path) for path in paths}
        seeds = st.number_input(
            "Seeds",
            value=1,
            min_value=1,
            max_value=catalog["limits"]["sweep_runs"],
            help="How many, from the one above on: the spread over seeds shows how much is chance.",
        )
        if not paths and seeds == 1:
            return None
        compared = " and ".join(TITLES[path].lower() for path in paths) or "seeds"
        name = st.text_input(
            "Name of the sweep",
            value=f"{dataset['title']}: {compared}"[: catalog["limits"]["name_length"]],
            max_chars=catalog["limits"]["name_length"],
            key=f"sweep of {dataset['name']} by {compared}",
        )
    return Comparison(name, product, int(seeds))


def _without_effect(network: Entry) -> set[str]:
    if network["transformers"]:
        return set()
    return {"family", "consistency", "localisation_learning_rate", "sampler.padding"} | {
        "sampler.supersampling"
    }


def _values(catalog: dict[str, Any], dataset: Entry, network: Entry, path: str) -> list[Any]:
    """Draw the field for the values of one that is compared; return them, none if one is wrong."""
    if path in NUMBERS:
        text = st.text_input(
            f"{TITLES[path]}: values",
            placeholder="Separated by commas",
            key=f"values of {path}",
        )
        try:
            return list(dict.fromkeys(map(_number, filter(str.strip, text.split(",")))))
        except ValueError as error:
            st.error(f"{TITLES[path]}: {error}")
            return []
    title, table = CHOICES[path]
    entries = _choices(by_name(catalog[table]), dataset, network, path)
    chosen: list[Any] = st.multiselect(
        f"{title}: values",
        list(entries),
        format_func=lambda name: entries[name]["title"],
        placeholder="Choose values",
        key=f"values of {path} for {dataset['name']} and {network['name']}",
    )
    return chosen


def _choices(entries: Entries, dataset: Entry, network: Entry, path: str) -> Entries:
    """Return those choices that fit the data set and the network."""
    fitting = {"architecture": dataset["networks"], "family": network["families"]}.get(path)
    excluded = {"background"}  # of the paddings, this one needs a value of its own
    return {
        name: entry
        for name, entry in entries.items()
        if name not in excluded and (fitting is None or name in fitting)
    }


def _number(text: str) -> int | float:
    """Parse a number.

    Raises:
        ValueError: it is not a number; the message is a sentence.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text.strip()} is not a number.")
    return int(text) if text.strip().isdecimal() else number
