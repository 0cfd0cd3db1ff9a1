"""A server that goes away and comes back."""

import signal

from playwright.sync_api import Route

from tests.dashboard.conftest import Open
from tests.dashboard.looking import await_said, await_shown, painted, pixels, say, shown
from tests.live_server import Server, wait_until


def test_lost_connection_is_told_with_the_age_of_the_last_frame_and_mends_itself(
    own_server: Server, visit: Open
) -> None:
    run_id = own_server.start_run(epochs=1000)
    page = visit(own_server, f"?run={run_id}")
    painted(page)
    await_said(page, "Live")
    assert own_server.process is not None
    own_server.stop(signal.SIGKILL)
    await_said(page, "Connection lost, trying again; the last frame came")
    before = say(page)
    page.wait_for_function("(text) => !document.body.innerText.includes(text)", arg=before)
    assert "Connection lost" in say(page), "the age grows"
    assert any(any(image) for image in pixels(page, "input")), "old pixels stay"
    assert page.locator(".stDialog").is_visible() is False
    for name in ("Pause", "Stop", "Moving probes", "Start again", "New seed"):
        assert page.locator(".stn-viewer .stn-button", has_text=name).is_disabled(), name
    assert page.get_by_label("Speed of training").is_disabled()

    at = shown(page)
    own_server.start()
    own_server.await_status(run_id, "interrupted")
    await_said(page, "Following; interrupted")
    page.locator(".stn-viewer [data-action=resume]").click()
    await_said(page, "Live; training")
    await_shown(page, f"step > {at}")
    # What Streamlit shows has found its server again too, and goes on.
    runs = len(own_server.http.get("/runs").json())
    page.get_by_role("button", name="Start training").click()
    wait_until(lambda: len(own_server.http.get("/runs").json()) == runs + 1)


def test_a_replay_whose_frames_do_not_come_asks_now_and_then(
    server: Server, ended: str, visit: Open
) -> None:
    page = visit(server, f"?run={ended}&step=0")
    painted(page, 0)
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
    server: Server, running: str, visit: Open
) -> None:
    page = visit(server, f"?run={running}")
    painted(page)
    await_said(page, "Live")
    # As when another page was quicker.
    page.route("**/control", lambda route: route.continue_(post_data='{"action": "resume"}'))
    page.locator(".stn-viewer [data-action=pause]").click()
    alert = page.locator(".stn-viewer [role=alert]")
    alert.filter(has_text="running").wait_for()
    assert server.run(running)["status"] == "running"


def test_skipped_frames_are_counted(server: Server, running: str, visit: Open) -> None:
    page = visit(server, f"?run={running}")
    painted(page)
    await_said(page, "Live")
    page.evaluate("{ const end = Date.now() + 2500; while (Date.now() < end); }")
    page.locator(".stn-skipped", has_text="frames skipped").wait_for()


# How many bytes of the page's own modules went over the line, one number for each.
FETCHED = """performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/bidi-components/stnscope."))
    .map(({ transferSize }) => transferSize)"""


def test_a_second_visit_fetches_no_module_again(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}")
    painted(page)
    page.reload()
    painted(page)
    fetched = page.evaluate(FETCHED)
    assert len(fetched) > 20
    assert set(fetched) == {0}
