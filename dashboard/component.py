"""The page's own parts: ES modules and their style, mounted as one Streamlit component.

All parts are one component, so that in the browser they share modules, and with them one
connection. Its name carries a digest of the files: Streamlit serves them to be cached, under
addresses that contain the name.
"""

import hashlib
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

PACKAGE = Path(__file__).parent
ASSETS = PACKAGE / "assets"


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:12]


_PART = f"page-{_digest(ASSETS)}"
_NAME = f"stnscope.{_PART}"
# Later sheets override earlier ones.
_SHEETS = ("page", "stage", "controls", "view", "charts", "panels", "small")
_STYLE = "\n".join(
    (ASSETS / "styles" / f"{name}.css").read_text(encoding="utf-8") for name in _SHEETS
)


def mount(data: dict[str, Any] | bytes, *, key: str) -> None:
    """Shows one part: `data["part"]` names it, or a frame's bytes are a transformed picture.

    Args:
        key: fixed, so that a rerun leaves the part as it is unless its data has changed.
    """
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(_NAME) is None:
        # Streamlit looks for manifests in installed distributions, and finds none in one that is
        # installed to be edited: it is handed over.
        manifest = ComponentManifest("stnscope", "", [ComponentConfig(_PART, ASSETS.name)])
        manager.register_from_manifest(manifest, PACKAGE)
    renderer = st.components.v2.component(_NAME, js="main.js", css=_STYLE, isolate_styles=False)
    # A part triggers "again" when the script has to run, and by that alone it does.
    renderer(key=key, data=data, on_again_change=lambda: None)
