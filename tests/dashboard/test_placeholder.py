"""What is seen at first: a poster until the page has started, an example until a live frame."""

from playwright.sync_api import BrowserContext, Route, expect

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    pump_events,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server
from tests.timeouts import TIMEOUT_MS


def test_example_plays_until_the_first_live_frame(
    own_server: Server, open_component: OpenPage
) -> None:
    page = open_component(own_server)
    wait_for_frame(page)
    wait_for_status_text(page, "Example: no run yet")
    assert page.locator(".stn-viewer").get_attribute("data-run") == "example-digits"
    paints = len(page.evaluate("window.paints"))
    wait_for_expression(page, f"window.paints.length > {paints} + 5")
    assert page.locator(".stn-button-group button:enabled").count() == 0

    run_id = own_server.start_endless_run()
    page.locator(f".stn-viewer[data-run='{run_id}']").wait_for()
    wait_for_status_text(page, "Live: training")
    wait_for_step_where(page, "step > 3")


def test_poster_is_seen_until_the_page_has_started(
    server: Server, still: str, context: BrowserContext
) -> None:
    held: list[Route] = []
    is_held = True

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.route("**/static/js/index.*.js", hold)
    page.goto(f"http://localhost:{server.port}/{still}", wait_until="commit")
    poster = page.locator("#stn-poster")
    expect(poster).to_be_visible()
    # A picture and its output, which the page's policy allows.
    images = "[...document.querySelectorAll('#stn-poster image')]"
    wait_for_expression(
        page, f"{images}.length === 2 && {images}.every((each) => each.getBBox().width > 0)"
    )
    while not held:
        pump_events(page)
    is_held = False
    for route in held:
        route.continue_()
    page.locator(".stn-viewer").wait_for()
    expect(poster).to_be_hidden()
    page.close()
