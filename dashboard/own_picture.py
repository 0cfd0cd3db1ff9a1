"""A picture of one's own: a file, a pasted one, a photo or an example, put through a network."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from stnscope.dashboard.client import ApiError, Client
from stnscope.dashboard.component import mount
from stnscope.dashboard.examples import EXAMPLES

KINDS = ["png", "jpg", "jpeg", "webp", "gif", "bmp"]
# What was given in several ways is shown in this order, unless one of them has just been used.
WAYS = ("file", "photo", "example")

# One below the other, the result follows what was chosen; in a wide window it stands beside all.
STYLE = """
<style>
@media (min-width: 641px) {
  .st-key-picture-parts { display: grid; column-gap: 4rem; row-gap: 1rem;
    grid: auto 1fr / minmax(0, 1fr) minmax(0, 2fr); }
  .st-key-picture-parts > :nth-child(2) { grid-area: 1 / 2 / span 2; }
}
</style>
"""


class Picture(NamedTuple):
    """A picture's file."""

    name: str
    content: bytes


@st.fragment
def own_picture(client: Client, catalog: dict[str, Any]) -> None:
    """Lays out the choice of a picture, and beside it what the network makes of it."""
    networks = {entry["name"]: entry for entry in catalog["weights"]}
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
        given = {"file": _file(subject), "photo": _photo(subject)}
    with examples:
        given["example"] = _example(weights)
    picture = _newest(given)
    with result:
        if picture is None:
            st.caption("The result stands here: the region that is found, and what it shows.")
        else:
            _show_transformed(client, picture, weights)


def _newest(given: Mapping[str, Picture | None]) -> Picture | None:
    """The picture that was given last, of those that are still there."""
    newest = st.session_state.get("newest_picture", WAYS[0])
    return next((given[way] for way in (newest, *WAYS) if given[way]), None)


def _remember(way: str) -> None:
    st.session_state["newest_picture"] = way


def _file(subject: str) -> Picture | None:
    """A chosen, dropped or pasted file; `assets/paste.js` looks for the uploader by its key."""
    file = st.file_uploader(
        f"A picture of one {subject}",
        type=KINDS,
        key="upload",
        on_change=_remember,
        args=("file",),
    )
    st.caption("Or copy a picture anywhere and paste it here, with Ctrl+V or ⌘V.")
    return Picture(file.name, file.getvalue()) if file else None


def _photo(subject: str) -> Picture | None:
    # Only a camera that is wanted is there: the browser asks for leave as soon as it is.
    if not st.toggle("Use the camera", key="camera"):
        return None
    photo = st.camera_input(
        f"A photo of one {subject}",
        label_visibility="collapsed",
        key="photo",
        on_change=_remember,
        args=("photo",),
    )
    return Picture(photo.name, photo.getvalue()) if photo else None


def _example(weights: str) -> Picture | None:
    examples = EXAMPLES.get(weights, {})
    if not examples:
        return None
    name = st.pills(
        "Or one of these",
        list(examples),
        key=f"example for {weights}",
        on_change=_remember,
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
