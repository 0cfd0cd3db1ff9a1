"""Layout: elements fit the window, do not shift, and the stage is at the top."""

import json

from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    SIDE_LENGTHS,
    wait_for_expression,
    wait_for_frame,
    wait_for_layout,
)
from tests.live_server import Server

SIZES = [(390, 844), (768, 1024), (1280, 720), (1920, 1080)]


def resize(page: Page, width: int, height: int) -> None:
    """Change the window's size; the layout is then as if the page were opened in that size.

    `test_equal_window_sizes_give_equal_layouts` shows this.
    """
    page.set_viewport_size({"width": width, "height": height})
    wait_for_expression(page, f"innerWidth === {width} && innerHeight === {height}")
    # Size observers run within two animation frames.
    for _ in range(2):
        wait_for_layout(page)


def test_first_screen_has_the_stage_and_its_controls_and_nothing_is_wider_than_the_window(
    server: Server, still: str, open_page: OpenPage
) -> None:
    """Every pixel of the data has the same size there, and nothing of Streamlit's is seen."""
    page = open_page(server, still)
    wait_for_frame(page)
    assert page.title() == "stnscope"
    for selector in ("header.stAppHeader", "#MainMenu", ".stAppDeployButton"):
        assert not page.locator(selector).first.is_visible()
    assert page.evaluate("devicePixelRatio") == 1
    for width, height in SIZES[2:]:
        resize(page, width, height)
        for part in (
            ".stn-probes",
            ".stn-tenths",
            ".stn-timeline-controls",
            ".stn-run-controls",
            ".stn-charts",
        ):
            box = page.locator(f".stn-viewer {part}").bounding_box()
            assert box is not None
            assert box["y"] >= 0, (part, width)
            assert box["y"] + box["height"] <= height, (part, width)
        for kind, side in SIDE_LENGTHS.items():
            sizes = page.locator(f".stn-viewer .stn-{kind} .stn-pixels").evaluate_all(
                "(all) => all.map(({ clientWidth, clientHeight }) => [clientWidth, clientHeight])"
            )
            assert len(sizes) == 12
            assert all(
                across == down and across % side == 0 and across > side for across, down in sizes
            ), width

    # Closed sections have no layout to measure.
    page.evaluate("document.querySelectorAll('.stn-root details').forEach((e) => (e.open = true))")
    for size in SIZES:
        resize(page, *size)
        page.wait_for_timeout(500)
        too_wide = page.evaluate(
            """() => [...document.querySelectorAll(".stn-root *")]
            .filter((each) => !each.closest(".stn-plot *, svg, .stn-segments, .stn-chips"))
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
            .map((each) => each.parentElement.className + " > " + each.outerHTML.slice(0, 200))"""
        )
        assert too_wide == [], size
        assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth"), size


def test_every_picture_is_inside_its_stage(
    server: Server, stopped_run: str, training_run: str, open_page: OpenPage
) -> None:
    """Even a single pixel outside the stage would be cut off."""
    page = open_page(server, f"?run={stopped_run}&compare={training_run}&step=0")
    outside = """() => [...document.querySelectorAll(".stn-viewer .stn-probes")].map((stage) => {
      const all = stage.getBoundingClientRect();
      const pictures = [...stage.querySelectorAll(".stn-pixels, .stn-captions")];
      const out = pictures.map((each) => each.getBoundingClientRect()).filter(({ right, bottom }) =>
        right > all.right + 0.5 || bottom > all.bottom + 0.5);
      return [pictures.length, out.length];
    })"""
    wait_for_frame(page)
    page.locator(".stn-probes[data-step]").nth(1).wait_for()
    sizes = (SIZES[0], (1440, 900), SIZES[3])
    for size in sizes:
        resize(page, *size)
        for layers in ("", "Outputs only", "Outputs only"):
            if layers:
                page.get_by_role("button", name=layers).click()
            count = page.locator(".stn-viewer .stn-probes").count()
            results = page.evaluate(outside)
            assert len(results) == count == 2
            assert all(pictures and not out for pictures, out in results), size
    page.get_by_role("button", name="Close comparison").first.click()
    for size in sizes:
        resize(page, *size)
        assert all(pictures and not out for pictures, out in page.evaluate(outside)), size


def test_equal_window_sizes_give_equal_layouts(
    server: Server, still: str, open_page: OpenPage
) -> None:
    """The previous layout has no effect, although stage and controls size each other."""
    page = open_page(server, still, viewport={"width": 1280, "height": 700})
    wait_for_frame(page)

    def measure_layout(width: int, height: int) -> list[float]:
        page.set_viewport_size({"width": width, "height": height})
        # Size observers run within two animation frames; later frames must be equal.
        sizes: list[list[float]] = page.evaluate(
            """async () => {
            const sizes = [];
            for (let frame = 0; frame < 8; frame++) {
              await new Promise(requestAnimationFrame);
              sizes.push([".stn-probes", ".stn-controls", ".stn-charts"].flatMap((part) => {
                const { width, height } = document.querySelector(part).getBoundingClientRect();
                return [width, height];
              }));
            }
            return sizes.slice(3);
            }"""
        )
        assert all(each == sizes[0] for each in sizes), (width, height)
        return sizes[0]

    windows = [(width, height) for width in (1100, 1280) for height in range(640, 1040, 80)]
    growing = {window: measure_layout(*window) for window in windows}
    shrinking = {window: measure_layout(*window) for window in reversed(windows)}
    assert growing == shrinking


def test_layout_does_not_shift(server: Server, training_run: str, open_page: OpenPage) -> None:
    record_shifts = """
    window.shifts = [];
    const describe = ({ node, previousRect, currentRect }) => ({
      element: node?.outerHTML?.slice(0, 200),
      from: previousRect.toJSON(),
      to: currentRect.toJSON(),
    });
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) {
        window.shifts.push({ value, moved: sources.map(describe) });
      }
    }).observe({ type: "layout-shift", buffered: true });
    """
    page = open_page(server, f"?run={training_run}", init=record_shifts)
    wait_for_frame(page)
    page.wait_for_timeout(4000)  # the time over which shifts are recorded
    shifts = page.evaluate("window.shifts")
    assert sum(each["value"] for each in shifts) < 0.02, json.dumps(shifts)
