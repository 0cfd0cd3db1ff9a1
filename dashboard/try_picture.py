"""A picture of the user's, transformed and classified by a trained network."""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from stnscope.dashboard.catalog_entries import Entries, by_name
from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.component import mount
from stnscope.dashboard.examples import EXAMPLES

PICTURE_SOURCES = ("file", "photo", "example")
"""Where a picture may come from. The first one with a picture is used, unless another is newer."""

# In a narrow window the result follows the choice; in a wide one it is beside choice and examples.
STYLE = """
<style>
@media (min-width: 641px) {
  .st-key-picture-parts { display: grid; column-gap: 4rem; row-gap: 1rem;
    grid: auto 1fr / minmax(0, 1fr) minmax(0, 2fr); }
  .st-key-picture-parts > :nth-child(2) { grid-area: 1 / 2 / span 2; }
}
/* Streamlit keeps a file that it refused beside the next ones. */
.st-key-upload [data-testid="stFileChips"] :has([data-testid="stFileChipIconError"]):has(
  ~ [data-testid="stFileChip"], ~ * [data-testid="stFileChip"]) { display: none !important; }
</style>
"""


class Picture(NamedTuple):
    """A picture's file."""

    name: str
    content: bytes


@st.fragment
def try_picture(client: Client) -> None:
    """Draw the choice of a picture, and the network's result for it."""
    try:
        networks = by_name(client.weights())
    except ApiError as error:
        st.error(str(error))
        return
    if not networks:
        st.info("No trained network is installed.")
        return
    st.html(STYLE)
    with st.container(key="picture-parts"):
        choice, result, examples = (
            st.container(key=f"picture-{part}") for part in ("choice", "result", "examples")
        )
    with choice:
        weights = next(iter(networks))
        if len(networks) > 1:
            weights = st.selectbox(
                "Trained network", list(networks), format_func=lambda name: networks[name]["title"]
            )
        subject = networks[weights]["subject"]
        pictures = {"file": _file(subject), "photo": _photo(subject)}
    with examples:
        pictures["example"] = _example(weights, networks)
    picture = _newest(pictures)
    with result:
        if picture is None:
            st.caption("The region that the network samples, and its output, will be shown here.")
        else:
            _show_transformed(client, picture, weights)


def _newest(pictures: Mapping[str, Picture | None]) -> Picture | None:
    """Return the picture of the source that was used last, or of the first that has one."""
    newest = st.session_state.get("newest_picture", PICTURE_SOURCES[0])
    return next(
        (pictures[source] for source in (newest, *PICTURE_SOURCES) if pictures[source]), None
    )


def _set_newest(source: str) -> None:
    st.session_state["newest_picture"] = source


def _file(subject: str) -> Picture | None:
    """Return a chosen, dropped or pasted file; `assets/picture/paste.js` finds the uploader."""
    file = st.file_uploader(
        f"A picture of one {subject}",
        # Of any name: the server recognises a format by its content, and names one that it refuses.
        type=None,
        key="upload",
        on_change=_set_newest,
        args=("file",),
    )
    st.caption("You can also copy a picture anywhere and paste it here with Ctrl+V or ⌘V.")
    return Picture(file.name, file.getvalue()) if file else None


def _photo(subject: str) -> Picture | None:
    # The browser asks for permission as soon as a camera field is drawn.
    if not st.toggle("Use the camera", key="camera"):
        return None
    photo = st.camera_input(
        f"A photo of one {subject}",
        label_visibility="collapsed",
        key="photo",
        on_change=_set_newest,
        args=("photo",),
    )
    return Picture(photo.name, photo.getvalue()) if photo else None


def _example(weights: str, networks: Entries) -> Picture | None:
    subject = networks[weights]["subject"]
    examples = next(
        (EXAMPLES[name] for name in EXAMPLES if networks[name]["subject"] == subject), {}
    )
    if not examples:
        return None
    name = st.pills(
        "Examples",
        list(examples),
        key=f"example for {weights}",
        on_change=_set_newest,
        args=("example",),
    )
    return Picture(examples[name].name, examples[name].read_bytes()) if name else None


def _show_transformed(client: Client, picture: Picture, weights: str) -> None:
    try:
        frame = client.transform(picture.name, picture.content, weights)
    except ApiError as error:
        st.error(str(error))
    else:
        mount(frame, key="picture")
