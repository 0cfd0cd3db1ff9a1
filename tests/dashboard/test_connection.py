"""Lost connections, refused requests, skipped frames and cached modules."""

import re
import signal
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.dashboard.conftest import LAPTOP, OpenPage
from tests.dashboard.page_queries import (
    drawn_step,
    open_tab,
    read_pixels,
    status_text,
    wait_for_chart_lines,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server, wait_until
from tests.timeouts import TIMEOUT_MS

SCRIPT_HAS_RUN = "[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"


def test_lost_connection_shows_the_age_of_the_last_frame_and_is_restored(
    own_server: Server, open_page: OpenPage
) -> None:
    run_id = own_server.start_endless_run()
    page = open_page(own_server, f"?run={run_id}")
    # The first frame may be a recorded one, that was not received from the stream.
    wait_for_step_where(page, f"step > {wait_for_frame(page)}")
    wait_for_status_text(page, "Live: training")
    assert own_server.process is not None
    own_server.stop(signal.SIGKILL)
    wait_for_status_text(page, "Connection lost, reconnecting; last frame")
    before = status_text(page)
    wait_for_expression(page, "(text) => !document.body.innerText.includes(text)", arg=before)
    assert "Connection lost" in status_text(page), "the age grows"
    assert any(any(image) for image in read_pixels(page, "input")), "the last pixels stay"
    assert page.locator(".stDialog").is_visible() is False
    for name in ("Pause", "Stop", "Moving probes", "Restart", "New seed"):
        assert page.locator(".stn-viewer .stn-button", has_text=name).is_disabled(), name
    assert page.get_by_label("Speed of training").is_disabled()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".stn-state")).to_be_in_viewport(ratio=1, timeout=TIMEOUT_MS)
    page.set_viewport_size(LAPTOP)

    at = drawn_step(page)
    own_server.start()
    own_server.wait_for_status(run_id, "interrupted")
    wait_for_status_text(page, "Last frame of an interrupted run")
    page.locator(".stn-viewer [data-action=resume]").click()
    wait_for_status_text(page, "Live: training")
    wait_for_step_where(page, f"step > {at}")
    # The form, served by Streamlit, reconnects too; what is clicked before its new script has run
    # is lost.
    page.locator(SCRIPT_HAS_RUN).wait_for()
    runs = len(own_server.http.get("/runs").json())
    open_tab(page, "New run")
    page.get_by_role("button", name="Start training").click()
    wait_until(lambda: len(own_server.http.get("/runs").json()) == runs + 1)


def test_charts_are_drawn_once_their_library_can_be_loaded(
    server: Server, still: str, context: BrowserContext, open_component: OpenPage
) -> None:
    requests: list[str] = []

    def refuse_twice(route: Route) -> None:
        requests.append(route.request.url)
        if len(requests) <= 2:
            route.abort()
        else:
            route.continue_()

    context.route("**/plotly-basic*", refuse_twice)
    page = open_component(server, still)
    wait_for_chart_lines(page)
    assert len(requests) == 3
    context.unroute("**/plotly-basic*")


def test_replay_retries_failed_frames_at_a_limited_rate(
    server: Server, stopped_run: str, context: BrowserContext, open_component: OpenPage
) -> None:
    requests: list[str] = []

    def refuse(route: Route) -> None:
        requests.append(route.request.url)
        route.fulfill(status=503, json={"detail": "Try again later."})

    # Before the page opens, which then loads frames ahead: any but the first is refused.
    context.route(re.compile(r"/frames/[1-9]"), refuse)
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    page.keyboard.press("End")
    wait_until(lambda: page.evaluate("1") and len(requests) > 0)
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_timeout(3000)  # the time over which requests are counted
    # Cached frames are played; then one frame and a few after it are requested once a second.
    assert len(requests) < 40
    context.unroute_all()


def test_refused_control_is_reported(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    # As if another page had paused and resumed the run before.
    page.route("**/control", lambda route: route.continue_(post_data='{"action": "resume"}'))
    page.locator(".stn-viewer [data-action=pause]").click()
    alert = page.locator(".stn-viewer [role=alert]")
    alert.filter(has_text="running").wait_for()
    assert server.get_run(training_run)["status"] == "running"


# A request that the page waits for: it does nothing else meanwhile.
BLOCK_UNTIL_ANSWERED = """{
  const request = new XMLHttpRequest();
  request.open("GET", "late", false);
  request.send();
}"""


def block_until(page: Page, condition: Callable[[], bool]) -> None:
    """Keep a page busy, as a long computation does, until a condition holds."""

    def answer(route: Route) -> None:
        wait_until(condition)
        route.fulfill(body="")

    page.route("**/late", answer)
    page.evaluate(BLOCK_UNTIL_ANSWERED)


def test_skipped_frames_are_counted(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    server.post_control(training_run, slow_motion=0.05)
    page = open_component(server, f"?run={training_run}")
    try:
        wait_for_frame(page)
        wait_for_status_text(page, "Live")
        # More frames than the server sends without hearing from the page.
        enough = server.get_run(training_run)["frames"] + 12
        block_until(page, lambda: server.get_run(training_run)["frames"] >= enough)
        page.locator(".stn-skipped", has_text="frames skipped").wait_for()
    finally:
        server.slow_down(training_run)


def test_page_that_was_busy_keeps_its_connection(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    # Longer than a connection may be silent.
    end = time.monotonic() + 7
    block_until(page, lambda: time.monotonic() > end)
    step = server.get_run(training_run)["step"]
    wait_for_step_where(page, f"step > {step}")
    assert opened == []


# Bytes transferred for each of the page's modules.
MODULE_TRANSFER_SIZES = """performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/bidi-components/stnscope."))
    .map(({ transferSize }) => transferSize)"""


def test_second_visit_loads_modules_from_the_cache(
    server: Server, stopped_run: str, open_page: OpenPage
) -> None:
    page = open_page(server, f"?run={stopped_run}")
    wait_for_frame(page)
    page.wait_for_load_state("networkidle")  # what is loaded after the first frame is stored too
    page.reload()
    wait_for_frame(page)
    sizes = page.evaluate(MODULE_TRANSFER_SIZES)
    assert len(sizes) > 20
    assert set(sizes) == {0}
