"""The page without a server looks as Streamlit's: the same sheets, the same theme."""

import re
import tomllib

from stnscope.dashboard import component
from tests.dashboard.javascript import ASSETS

CONFIG = tomllib.loads((ASSETS.parent / ".streamlit" / "config.toml").read_text())
PAGE = (ASSETS / "standalone.html").read_text()
SHEET = (ASSETS / "styles" / "standalone.css").read_text()


def test_it_lists_each_style_sheet_and_the_component_has_them_but_streamlits() -> None:
    sheets = re.findall(r'<link rel="stylesheet" href="styles/([\w-]+)\.css">', PAGE)
    files = {path.stem: path.read_text() for path in (ASSETS / "styles").glob("*.css")}
    assert sheets[0] == "standalone"
    assert {*sheets, "gallery"} == files.keys()  # the gallery is a page of its own
    assert SHEET not in component.STYLE
    positions = [component.STYLE.index(files[name]) for name in sheets[1:]]
    assert positions == sorted(positions)


def test_its_theme_is_that_of_streamlit() -> None:
    theme = CONFIG["theme"]
    light, _, dark = SHEET.partition("@media (prefers-color-scheme: dark)")
    for part, colours in ((light, theme["light"]), (dark, theme["dark"])):
        for name, colour in colours.items():
            variable = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
            assert f"--st-{variable}: {colour};" in part
    assert f"--st-base-radius: {theme['baseRadius']};" in SHEET
    assert f"{theme['baseFontSize']}px" in SHEET
