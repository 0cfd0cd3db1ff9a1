"""The page without a server looks as Streamlit's: the same sheets, the same theme."""

import re
import tomllib

from stnscope.dashboard import component
from tests.dashboard.javascript import ASSETS

CONFIG = tomllib.loads((ASSETS.parent / ".streamlit" / "config.toml").read_text())
PAGE = (ASSETS / "standalone.html").read_text()
SHEET = (ASSETS / "styles" / "standalone.css").read_text()


def test_it_has_the_sheets_of_the_component_in_their_order() -> None:
    sheets = re.findall(r'<link rel="stylesheet" href="styles/([\w-]+)\.css">', PAGE)
    styles = "\n".join((ASSETS / "styles" / f"{name}.css").read_text() for name in sheets[1:])
    assert sheets[0] == "standalone"
    assert styles == component.STYLE


def test_its_theme_is_that_of_streamlit() -> None:
    theme = CONFIG["theme"]
    light, _, dark = SHEET.partition("@media (prefers-color-scheme: dark)")
    for part, colours in ((light, theme["light"]), (dark, theme["dark"])):
        for name, colour in colours.items():
            variable = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
            assert f"--st-{variable}: {colour};" in part
    assert f"--st-base-radius: {theme['baseRadius']};" in SHEET
    assert f"{theme['baseFontSize']}px" in SHEET
