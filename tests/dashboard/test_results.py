"""Results on the page: figures of result files beside published ones, and what files hold."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from stnscope.backend.experiment.reproduction.paper_tables import ROWS
from stnscope.backend.experiment.reproduction.results import KEPT, read_invariance
from stnscope.backend.experiment.reproduction.sign_networks import NETWORKS
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import pump_events, wait_for_expression, wait_for_layout
from tests.experiment.result_files import write_seed
from tests.live_server import Server, wait_until

RTS, TC = "mnist-rts-st-cnn-affine", "mnist-tc-cnn"
KEPT_DIGITS = read_invariance(KEPT / "invariance-digits-digits.json")
SIZES: list[ViewportSize] = [
    {"width": 390, "height": 844},
    {"width": 900, "height": 900},
    {"width": 1440, "height": 900},
]

TAB = "?tab=results"


@pytest.fixture(scope="module")
def results(server: Server) -> Iterator[None]:
    """Files in the home: of three seeds, cut short, and damaged."""
    folder = server.home / "results"
    paths = {write_seed(folder, RTS, errors, seed) for seed, errors in enumerate((40, 44, 48))}
    paths.add(write_seed(folder, TC, 300, epochs=12))
    damaged = folder / "damaged.json"
    damaged.write_text("{")
    yield
    for path in (*paths, damaged):
        path.unlink()


def section(page: Page, title: str) -> Locator:
    return page.locator(".stn-result-section", has=page.get_by_text(title, exact=True))


def own_figure(page: Page) -> Locator:
    """The button of the mean of three seeds, from the home; a kept file may be beside it."""
    return page.get_by_role("button", name="0.44 ±\u00a00.04 here, ST-CNN, affine, RTS: details")


def test_figures_are_beside_the_published_ones_and_open_their_files(
    server: Server, results: None, open_component: OpenPage
) -> None:
    page = open_component(server, TAB)
    mnist = section(page, "Distorted MNIST")
    mnist.scroll_into_view_if_needed()
    row = mnist.locator("tr", has=page.get_by_text("ST-CNN, affine", exact=True))
    cells = row.locator("td").all_inner_texts()
    assert [cell.split("\n")[0] for cell in cells] == ["0.7", "0.5", "0.8", "1.2", "1.7"]
    assert "0.44 ±\u00a00.04" in cells[1]
    assert "3 seeds" in cells[1]
    cut = mnist.get_by_text("CNN, TC, 3.00: home, cut short after 12 of 40 epochs.")
    expect(cut).to_be_visible()

    button = own_figure(page)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    details = mnist.locator(".stn-result-details")
    expect(details).to_contain_text(f"stnscope reproduce {RTS} --seeds 3")
    for text in (f"{RTS}.json", "44 of 10\u202f000", "20 min", "A processor, 1 of 2 cores used"):
        expect(details).to_contain_text(text)
    details.get_by_text("Configuration").click()
    config = json.loads(details.locator("details pre").inner_text())
    assert config["epochs"] == ROWS[RTS].config.epochs
    button.click()
    expect(details).to_have_count(0)
    unreadable = page.locator(".stn-result-unreadable")
    expect(unreadable).to_contain_text("damaged.json is not shown.")
    # What was only published is there, closed.
    assert section(page, "MNIST addition").get_attribute("open") is None


def test_published_sign_networks_are_always_there(
    server: Server, results: None, open_component: OpenPage
) -> None:
    page = open_component(server, TAB)
    signs = section(page, "Traffic signs (GTSRB)")
    expect(signs.locator(".stn-published")).to_have_text([each.accuracy for each in NETWORKS])
    ours = signs.locator("tr", has=page.get_by_text("gtsrb-2st", exact=True))
    expect(ours).to_contain_text("images of held-out tracks")
    expect(signs).to_contain_text("Published figures are on the official test set")


def test_section_is_away_without_any_file(server: Server, open_page: OpenPage) -> None:
    """The program has files of its own; the response is changed to that of one without."""
    handled: list[str] = []

    def without_files(route: Route) -> None:
        response = route.fetch()
        content = response.json()
        content |= {"evaluations": [], "invariances": [], "unreadable": []}
        content["signs"]["ours"] = []
        for row in (row for table in content["tables"] for row in table["rows"]):
            row["figures"] = []
        route.fulfill(response=response, json=content)
        handled.append(route.request.url)

    page = open_page(server, TAB)
    page.route("**/api/results", without_files)

    def is_refreshed() -> bool:
        # While the request of the page's opening is in flight, it sends no other one.
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        pump_events(page)
        return bool(handled)

    wait_until(is_refreshed)
    expect(page.locator(".stn-results")).to_be_hidden()
    expect(page.locator("a[data-tab=results]")).to_be_hidden()


def test_charts_share_a_cursor_with_the_pictures_below_it(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, TAB)
    charts = section(page, "Invariance: Handwritten digits")
    charts.scroll_into_view_if_needed()
    slider = charts.get_by_role("slider", name="Strength")
    slider.fill("0")
    rotation = charts.locator(".stn-invariance-cell", has=page.get_by_text("Rotated (R)"))
    inputs = rotation.get_by_role("img", name="Inputs")
    painted = "(canvas) => canvas.getContext('2d').getImageData(0, 0, 48, 48).data.join()"
    expect(inputs).to_be_visible()
    page.wait_for_function(
        "(canvas) => canvas.getContext('2d').getImageData(24, 24, 1, 1).data[3] === 255",
        arg=inputs.element_handle(),
    )
    upright = inputs.evaluate(painted)
    scale = charts.locator(".stn-invariance-cell", has=page.get_by_text("Scale", exact=True))
    chart = scale.get_by_role("img", name="Compact ST-CNN, trained on RTS").first
    box = chart.bounding_box()
    assert box is not None
    chart.hover(position={"x": box["width"] - 4, "y": box["height"] / 2})
    # The cursor in one chart moves that of all.
    expect(slider).to_have_value("5")
    expect(slider).to_have_attribute("aria-valuetext", "1.0")
    assert inputs.evaluate(painted) != upright
    result = KEPT_DIGITS.curves[[curve.distortion for curve in KEPT_DIGITS.curves].index("R")]
    expect(
        rotation.locator(
            ".stn-invariance-accuracy", has_text=f"{100 * result.points[-1].accuracy:.1f}%"
        )
    ).to_be_visible()
    button = charts.get_by_role("button", name="Compact ST-CNN, trained on RTS")
    button.click()
    expect(charts.locator(".stn-result-details")).to_contain_text(KEPT_DIGITS.command)
    button.click()
    expect(charts.locator(".stn-result-details")).to_have_count(0)


def test_tables_fit_the_window(server: Server, results: None, open_page: OpenPage) -> None:
    page = open_page(server, TAB, viewport=SIZES[0])
    own_figure(page).click()
    page.get_by_role("button", name="gtsrb-2st: details").first.click()
    page.evaluate("document.querySelectorAll('.stn-results details').forEach((e) => e.open = true)")
    for size in SIZES:
        page.set_viewport_size(size)
        wait_for_expression(page, f"innerWidth === {size['width']}")
        wait_for_layout(page)
        too_wide = page.evaluate(
            """() => [...document.querySelectorAll(".stn-results *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
            .map((each) => each.className)"""
        )
        assert too_wide == [], size
        # Nothing is cut off within a cell either.
        cut_off = page.evaluate(
            """() => [...document.querySelectorAll(".stn-results :is(th, td, p, dd, pre)")]
            .filter((each) => each.clientWidth > 1 && each.scrollWidth > each.clientWidth + 1)
            .map((each) => each.textContent)"""
        )
        assert cut_off == [], size
