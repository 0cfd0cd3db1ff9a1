"""Entries of the server's catalog in the form: by name, and as a choice."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

Entry = Mapping[str, Any]
Entries = dict[str, Entry]


def by_name(entries: Sequence[Entry]) -> Entries:
    """Return a table of the catalog by the entries' names."""
    return {entry["name"]: entry for entry in entries}


def descriptions(entries: Entries) -> str:
    """Return the title and description of each entry, for a field's help."""
    return "\n\n".join(f"**{each['title']}**: {each['description']}" for each in entries.values())


def select_entry(label: str, entries: Entries, default: str) -> str:
    """Draw a field to choose an entry, and return the name of the chosen one."""
    chosen: str = st.selectbox(
        label,
        list(entries),
        index=list(entries).index(default),
        format_func=lambda name: entries[name]["title"],
        help=descriptions(entries),
    )
    return chosen
