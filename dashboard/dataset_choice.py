"""The choice of a data set, and the download of one that is missing."""

import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from stnscope.dashboard.catalog_entries import Entry, by_name
from stnscope.dashboard.client import ApiError, Client


def choose_dataset(
    client: Client, catalog: dict[str, Any], refresh: Callable[[], None]
) -> Entry | None:
    """Draw the choice of a data set, and how to get one that is not available.

    Args:
        client: of the server.
        catalog: the server's.
        refresh: called when the catalog has changed.

    Returns:
        The chosen data set, or None if it is not available.
    """
    datasets = by_name(catalog["datasets"])
    dataset = datasets[
        st.selectbox(
            "Data set",
            list(datasets),
            format_func=lambda name: _title(datasets[name]),
            key="dataset",
        )
    ]
    st.caption(escape_markdown(dataset["description"]))
    if catalog["skipped"]:
        with st.expander(f"Skipped folders: {len(catalog['skipped'])}"):
            for folder in catalog["skipped"]:
                st.caption(escape_markdown(folder["reason"]))
    return dataset if is_available(client, catalog, dataset, refresh) else None


def is_available(
    client: Client, catalog: dict[str, Any], dataset: Entry, refresh: Callable[[], None]
) -> bool:
    """Return whether a data set is available; if not, draw how to get it.

    Args: as for `choose_dataset`.
    """
    if dataset["available"]:
        return True
    if dataset["fault"]:
        st.warning(escape_markdown(f"This data set cannot be read. {dataset['fault']}"))
    st.info(f"{dataset['instructions']} The data folder is `{catalog['data']}`.")
    if dataset["download_bytes"]:
        _download(client, dataset["name"], dataset["download_bytes"], refresh)
    return False


@st.fragment(run_every=1.0)
def _download(client: Client, name: str, size: int, refresh: Callable[[], None]) -> None:
    """Draw the button that downloads a data set of `size` bytes, and its progress."""
    try:
        dataset = client.dataset(name)
        download = dataset["download"]
        if dataset["available"]:
            refresh()
            st.rerun()
        if download and download["status"] == "running":
            done, total = download["done"], download["total"]
            st.progress(done / total, f"Downloaded {done / 1e6:.1f} of {total / 1e6:.1f} MB")
            return
        if download and download["error"]:
            st.error(download["error"])
        if st.button(f"Download ({size / 1e6:.0f} MB)"):
            client.download(name)
            st.rerun(scope="fragment")
    except ApiError as error:
        st.error(str(error))


def _title(dataset: Entry) -> str:
    if dataset["available"]:
        return str(dataset["title"])
    return f"{dataset['title']} ({'cannot be read' if dataset['fault'] else 'not available'})"


def escape_markdown(text: str) -> str:
    """Escape a text with names of files and folders, which may contain Markdown's characters."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|$~:-])", r"\\\1", text)
