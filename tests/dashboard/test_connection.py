"""A server that goes away and comes back."""

import signal

from playwright.sync_api import Route

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    drawn_step,
    read_pixels,
    status_text,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server, wait_until


def test_lost_connection_is_told_with_the_age_of_the_last_frame_and_mends_itself(
    own_server: Server, open_page: OpenPage
) -> None:
    run_id = own_server.start_run(epochs=1000)
    page = open_page(own_server, f"?run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    assert own_server.process is not None
    own_server.stop(signal.SIGKILL)
    wait_for_status_text(page, "Connection lost, reconnecting; last frame")
    before = status_text(page)
    page.wait_for_function("(text) => !document.body.innerText.includes(text)", arg=before)
    assert "Connection lost" in status_text(page), "the age grows"
    assert any(any(image) for image in read_pixels(page, "input")), "old pixels stay"
    assert page.locator(".stDialog").is_visible() is False
    for name in ("Pause", "Stop", "Moving probes", "Restart", "New seed"):
        assert page.locator(".stn-viewer .stn-button", has_text=name).is_disabled(), name
    assert page.get_by_label("Speed of training").is_disabled()

    at = drawn_step(page)
    own_server.start()
    own_server.wait_for_status(run_id, "interrupted")
    wait_for_status_text(page, "Following; interrupted")
    page.locator(".stn-viewer [data-action=resume]").click()
    wait_for_status_text(page, "Live; running")
    wait_for_step_where(page, f"step > {at}")
    # What Streamlit shows has found its server again too, and goes on.
    runs = len(own_server.http.get("/runs").json())
    page.get_by_role("button", name="Start training").click()
    wait_until(lambda: len(own_server.http.get("/runs").json()) == runs + 1)


def test_a_replay_whose_frames_do_not_come_asks_now_and_then(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, json={"detail": "Not just now."})

    page.route("**/frames/*", refuse)
    page.keyboard.press("End")
    wait_until(lambda: page.evaluate("1") and len(asked) > 0)
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_timeout(3000)
    # Those at hand are played; then one at a time and a few ahead, once a second.
    assert len(asked) < 40


def test_control_that_is_refused_is_told_in_words(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    # As when another page was quicker.
    page.route("**/control", lambda route: route.continue_(post_data='{"action": "resume"}'))
    page.locator(".stn-viewer [data-action=pause]").click()
    alert = page.locator(".stn-viewer [role=alert]")
    alert.filter(has_text="running").wait_for()
    assert server.get_run(training_run)["status"] == "running"


def test_skipped_frames_are_counted(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    page.evaluate("{ const end = Date.now() + 2500; while (Date.now() < end); }")
    page.locator(".stn-skipped", has_text="frames skipped").wait_for()


# How many bytes of the page's own modules went over the line, one number for each.
FETCHED = """performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/bidi-components/stnscope."))
    .map(({ transferSize }) => transferSize)"""


def test_a_second_visit_fetches_no_module_again(
    server: Server, stopped_run: str, open_page: OpenPage
) -> None:
    page = open_page(server, f"?run={stopped_run}")
    wait_for_frame(page)
    page.reload()
    wait_for_frame(page)
    fetched = page.evaluate(FETCHED)
    assert len(fetched) > 20
    assert set(fetched) == {0}
