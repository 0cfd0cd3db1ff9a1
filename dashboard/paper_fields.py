"""The form's fields to train a published table, some of its rows, or a committee, as one sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from stnscope.dashboard.catalog_entries import Entry, by_name
from stnscope.dashboard.training_time import run_seconds

ALL_ROWS = "All rows"


@dataclass(frozen=True)
class PaperChoice:
    """A published table, or one of its rows, and the number of seeds."""

    group: Entry
    """Entry of the catalog's `published`."""
    row: str | None
    """Name of a row; None for all."""
    seeds: int
    device: str

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows that are trained."""
        return [each for each in self.group["rows"] if self.row in (None, each["name"])]

    @property
    def runs(self) -> int:
        return len(self.rows) * self.seeds

    @property
    def datasets(self) -> list[str]:
        """The names of the data sets that the rows need."""
        return list(dict.fromkeys(row["config"]["dataset"] for row in self.rows))

    def sweep(self) -> dict[str, Any]:
        """Return the sweep, as `POST /api/sweeps` takes it."""
        return {
            "name": self.rows[0]["title"] if self.row else self.group["title"],
            "table": self.row or self.group["name"],
            "run": {"device": self.device},
            "seeds": self.seeds,
        }

    def seconds(self, catalog: dict[str, Any]) -> float:
        """Return how long its runs take here, as many at a time as there are trainers."""
        total = sum(run_seconds(catalog, row["config"]) for row in self.rows)
        at_once: int = max(1, min(self.runs, catalog["trainers"]))
        return total * self.seeds / at_once


def paper_fields(catalog: dict[str, Any]) -> PaperChoice:
    """Draw the fields; return what is chosen."""
    groups = by_name(catalog["published"])
    name = st.selectbox(
        "Table",
        list(groups),
        format_func=lambda name: groups[name]["title"],
        key="published table",
        help="Each row is trained with its own recipe, which *Results* names; the published figure "
        "is shown beside ours.",
    )
    group = groups[name]
    st.caption(f"{group['source']}.")
    rows = by_name(group["rows"])
    row = st.selectbox(
        "Row",
        [ALL_ROWS, *rows],
        format_func=lambda name: rows[name]["title"] if name in rows else f"{name} ({len(rows)})",
        key=f"row of {name}",
    )
    left, right = st.columns(2)
    seeds = left.number_input(
        "Seeds",
        value=group["seeds"],
        min_value=1,
        max_value=catalog["limits"]["sweep_runs"] // len(rows),
        key=f"seeds of {name}",
        help="How many, from 0 on: the spread over seeds shows how much is chance.",
    )
    devices = by_name(catalog["devices"])
    device = right.selectbox(
        "Device",
        list(devices),
        index=list(devices).index(catalog["defaults"]["device"]),
        format_func=lambda name: devices[name]["title"],
        key="device of a published table",
    )
    return PaperChoice(group, None if row == ALL_ROWS else row, int(seeds), device)
