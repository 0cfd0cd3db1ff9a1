"""The example that the page plays until the first live frame."""

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server


def test_example_plays_until_the_first_live_frame(own_server: Server, open_page: OpenPage) -> None:
    page = open_page(own_server)
    wait_for_frame(page)
    wait_for_status_text(page, "Example: no run yet")
    assert page.locator(".stn-viewer").get_attribute("data-run") == "example-digits"
    paints = len(page.evaluate("window.paints"))
    wait_for_expression(page, f"window.paints.length > {paints} + 5")
    assert page.locator(".stn-button-group button:enabled").count() == 0

    run_id = own_server.start_run(epochs=1000)
    page.locator(f".stn-viewer[data-run='{run_id}']").wait_for()
    wait_for_status_text(page, "Live: training")
    wait_for_step_where(page, "step > 3")
