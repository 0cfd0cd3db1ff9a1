"""The page's ES modules and their styles, mounted as one Streamlit component.

All parts are one component, so that in the browser they share modules and their state. Its name
contains a digest of the files: browsers cache the files under addresses that contain the name.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

PACKAGE = Path(__file__).parent
ASSETS = PACKAGE / "assets"


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


PART = f"page-{_digest(ASSETS)}"
_NAME = f"stnscope.{PART}"


def _sheets() -> list[str]:
    """Return the style sheets of the page without a server, but for that in Streamlit's place."""
    page = (ASSETS / "standalone.html").read_text(encoding="utf-8")
    listed = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
    return [path for path in listed if path != "styles/standalone.css"]


# Later sheets override earlier ones.
STYLE = "\n".join((ASSETS / path).read_text(encoding="utf-8") for path in _sheets())


def mount(data: dict[str, Any], *, key: str) -> None:
    """Mount a part of the page, or update it.

    Args:
        data: `data["part"]` names the part.
        key: the same on each rerun, so that the part stays as it is unless its data has changed.
    """
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(_NAME) is None:
        # Streamlit finds no manifest in an editable installation, so it is registered here.
        manifest = ComponentManifest("stnscope", "", [ComponentConfig(PART, ASSETS.name)])
        manager.register_from_manifest(manifest, PACKAGE)
    renderer = st.components.v2.component(_NAME, js="main.js", css=STYLE, isolate_styles=False)
    # A part sets the trigger "rerun" to run the script again; the callback itself does nothing.
    renderer(key=key, data=data, on_rerun_change=lambda: None)
