"""The contrast of every visible text of the page, from its computed styles."""

from typing import Literal

import pytest

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import open_tab, wait_for_frame
from tests.live_server import Server

MIN_CONTRAST = 4.5
"""Minimum for small text (WCAG 2.2, 1.4.3)."""

# Returns the texts below a contrast, each with its own; disabled controls need none, and text above
# a picture has a shadow for contrast.
LOW_CONTRASTS = """(least) => {
    const context = document.createElement("canvas").getContext("2d");
    const rgba = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = (above, below) =>
        [0, 1, 2].map((i) => above[i] * above[3] + below[i] * (1 - above[3])).concat(1);
    const luminance = (colour) => {
        const [red, green, blue] = colour.map((value) => value / 255).map((value) =>
            value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const hasText = (node) => [...node.childNodes].some((child) =>
        child.nodeType === Node.TEXT_NODE && child.data.trim());
    const low = {};
    let seen = 0;
    for (const node of document.querySelectorAll("body *")) {
        const isVisible = node.checkVisibility({opacityProperty: true, visibilityProperty: true});
        if (!hasText(node) || !isVisible) continue;
        if (node.closest(":disabled, [aria-disabled=true], svg")) continue;
        seen += 1;
        const backgrounds = [];
        let opacity = 1;
        for (let each = node; each; each = each.parentElement) {
            const style = getComputedStyle(each);
            const [overlay] = style.backgroundImage.match(/rgba?\\([^)]*\\)/) ?? [];
            if (overlay) backgrounds.unshift(rgba(overlay));
            backgrounds.unshift(rgba(style.backgroundColor));
            opacity *= Number(style.opacity);
        }
        const ground = backgrounds.reduce((below, above) => over(above, below), [255, 255, 255, 1]);
        const [red, green, blue, alpha] = rgba(getComputedStyle(node).color);
        const ink = over([red, green, blue, alpha * opacity], ground);
        const [dark, light] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
        const contrast = (light + 0.05) / (dark + 0.05);
        if (contrast < least) low[node.textContent.slice(0, 60)] = contrast;
    }
    return [seen, low];
}"""


VIEWS = {"1": ".stn-probes", "2": ".stn-detail", "3": ".stn-probe-summary"}
"""What is shown after a key was pressed."""

TABS = {
    "Try a picture": ".stn-picture [data-step]",
    "New run": "[data-testid=stBaseButton-primary]",
    "Results": ".stn-result-section",
}
"""What is waited for in each further tab."""


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_visible_text_has_enough_contrast(
    server: Server, still: str, open_page: OpenPage, color_scheme: Literal["light", "dark"]
) -> None:
    page = open_page(server, still, color_scheme=color_scheme, reduced_motion="reduce")
    wait_for_frame(page)
    for key, view in VIEWS.items():
        page.locator(".stn-viewer").press(key)
        page.locator(view).first.wait_for()
        seen, low = page.evaluate(LOW_CONTRASTS, MIN_CONTRAST)
        assert seen > 50
        assert low == {}, view
    for tab, part in TABS.items():
        open_tab(page, tab)
        page.locator(part).first.wait_for()
        seen, low = page.evaluate(LOW_CONTRASTS, MIN_CONTRAST)
        assert seen > 5
        assert low == {}, tab
    open_tab(page, "How it works")
    for link in page.locator(".stn-walkthrough-step-link").all():
        link.click()
        if page.locator(".stn-walkthrough-skip:visible").count():
            page.locator(".stn-walkthrough-skip:visible").click()
        page.locator(".stn-walkthrough-figure:visible :is(canvas, svg)").first.wait_for()
        seen, low = page.evaluate(LOW_CONTRASTS, MIN_CONTRAST)
        assert seen > 5
        assert low == {}, link.inner_text()
