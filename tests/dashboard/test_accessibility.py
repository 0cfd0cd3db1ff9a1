"""Deque's rules of accessibility hold in each tab of the page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import open_tab, wait_for_frame
from tests.live_server import Server

SERIOUS = {"serious", "critical"}
# Contrast has a test of its own, in both themes.
OPTIONS = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": False}}}
TABS = {
    "Try a picture": ".stn-picture [data-step]",
    "How it works": ".stn-walkthrough-figure canvas",
    "New run": "[data-testid=stBaseButton-primary]",
    "Results": ".stn-result-section",
}
"""What is waited for in each further tab."""


def serious_violations(page: Page, part: str | None = None) -> list[str]:
    """Return the serious violations in a part of the page, or in all, with their first element."""
    # The script of half a megabyte is run once in a page.
    axe = Axe("undefined") if page.evaluate("'axe' in window") else Axe()
    result = axe.run(page, context=part, options=OPTIONS)
    found: list[dict[str, Any]] = result.response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in SERIOUS
    ]


def test_no_tab_has_a_serious_violation(server: Server, still: str, open_page: OpenPage) -> None:
    page = open_page(server, still)
    wait_for_frame(page)
    assert serious_violations(page) == []
    for key in ("2", "3"):
        page.locator(".stn-viewer").press(key)
        assert serious_violations(page, ".stn-viewer") == [], key
    for tab, part in TABS.items():
        open_tab(page, tab)
        page.locator(part).first.wait_for()
        assert serious_violations(page) == [], tab
    open_tab(page, "How it works")
    for link in page.locator(".stn-walkthrough-step-link").all():
        link.click()
        assert serious_violations(page, ".stn-walkthrough") == [], link.inner_text()
