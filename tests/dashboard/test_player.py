"""Playback and seeking of recorded frames, also while the run trains."""

import re

from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    drawn_step,
    open_tab,
    pump_events,
    status_text,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server, wait_until


def timeline_step(page: Page) -> int:
    return int(page.locator(".stn-timeline").input_value())


def test_ended_run_replays_in_a_loop(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    assert "Replay of a stopped run" in status_text(page)
    wait_for_expression(page, "window.paints.length > 3")
    recorded = server.recorded_steps(stopped_run)
    page.locator(".stn-timeline").fill(str(recorded[-4]))
    page.keyboard.press("Space")
    wait_for_expression(page, f"window.paints.length > window.paints.indexOf({recorded[-4]}) + 9")
    steps = page.evaluate("window.paints")
    chosen = steps.index(recorded[-4])
    assert steps[:chosen] == recorded[:chosen]
    assert steps[chosen : chosen + 9] == recorded[-4:] + recorded[:5], "no step is skipped"


def test_reduced_motion_shows_the_last_frame_without_playback(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}", reduced_motion="reduce")
    last = server.get_run(stopped_run)["last_step"]
    assert wait_for_frame(page) == last
    page.wait_for_timeout(1000)  # playback would paint many frames in this time
    assert page.evaluate("window.paints") == [last]


def test_keys_change_the_step(server: Server, stopped_run: str, open_component: OpenPage) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    recorded = server.recorded_steps(stopped_run)
    page.keyboard.press("Home")
    wait_for_frame(page, recorded[0])
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, recorded[1])
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, recorded[2])
    page.keyboard.press("ArrowLeft")
    wait_for_frame(page, recorded[1])
    page.keyboard.press("End")
    wait_for_frame(page, recorded[-1])
    page.keyboard.press("Space")
    wait_for_status_text(page, "Replay")
    wait_for_step_where(page, f"step < {recorded[-1]}")
    page.keyboard.press("Space")
    wait_for_status_text(page, "Paused replay")
    at = drawn_step(page)
    page.wait_for_timeout(500)  # playback would paint several frames in this time
    assert drawn_step(page) == at


# Blocks every list of a run's steps after the first, until the test calls `release`.
BLOCK_LISTS = """
const fetchUnblocked = window.fetch;
let lists = 0;
window.fetch = async (address, ...rest) => {
  if (/\\/frames(\\?|$)/.test(address) && ++lists > 1) {
    await new Promise((release) => (window.release = release));
  }
  return fetchUnblocked(address, ...rest);
};
"""


def test_step_chosen_before_the_steps_are_listed_stays(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}", init=BLOCK_LISTS)
    wait_for_frame(page)
    wait_for_expression(page, "() => Boolean(window.release)")
    page.keyboard.press("Home")
    wait_for_status_text(page, "Paused replay")
    wait_for_frame(page, 0)
    with page.expect_response(re.compile(r"/frames(\?|$)")):
        page.evaluate("() => window.release()")
    page.wait_for_timeout(500)  # a wrong jump would have been painted by then
    assert "Paused replay" in status_text(page)
    assert drawn_step(page) == 0


def test_new_frames_do_not_change_a_paused_step(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    at = server.recorded_steps(training_run)[1]
    page.locator(".stn-timeline").fill(str(at))
    wait_for_frame(page, at)
    assert "Paused replay of a running run" in status_text(page)
    assert page.get_by_role("switch", name="Follow live").get_attribute("aria-checked") == "false"
    server.wait_for_step(training_run, server.get_run(training_run)["step"] + 8)
    assert (drawn_step(page), timeline_step(page)) == (at, at)
    page.get_by_role("switch", name="Follow live").click()
    wait_for_status_text(page, "Live: training")
    newest = server.get_run(training_run)["step"]
    wait_for_step_where(page, f"step > {newest}")


def test_timeline_reaches_every_recorded_step(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    recorded = server.recorded_steps(training_run)
    # During a pause the page lists new steps every two seconds.
    wait_for_expression(page, f"document.querySelector('.stn-timeline').max >= {recorded[-2]}")
    for step in (recorded[1], recorded[len(recorded) // 2], recorded[-2]):
        page.locator(".stn-timeline").fill(str(step))
        wait_for_frame(page, step)


def test_hidden_page_requests_no_frames_until_it_is_visible(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    sent: list[str] = []
    page = open_component(
        server,
        f"?run={training_run}",
        on_socket=lambda socket: socket.on("framesent", lambda data: sent.append(str(data))),
    )
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    set_hidden(page, True)

    def has_sent_hold() -> bool:
        pump_events(page)
        return any('"hold"' in message for message in sent)

    wait_until(has_sent_hold)
    at = drawn_step(page)
    server.wait_for_step(training_run, server.get_run(training_run)["step"] + 8)
    assert drawn_step(page) <= at + 3, "at most the frames already sent"
    set_hidden(page, False)
    wait_for_step_where(page, f"step > {at} + 5")
    assert sent[-1].count("credit") or '"follow"' in sent[-1]


def set_hidden(page: Page, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_keys_typed_into_a_form_do_not_change_the_step(
    server: Server, stopped_run: str, open_page: OpenPage
) -> None:
    page = open_page(server, f"?run={stopped_run}")
    wait_for_frame(page)
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    open_tab(page, "New run")
    page.get_by_role("radio", name="Own settings").click()
    for field in ("Seed", "Epochs"):
        entry = page.get_by_label(field, exact=True)
        entry.click()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        entry.blur()
        page.keyboard.press("End")
    open_tab(page, "Watch")
    wait_for_frame(page)
    assert drawn_step(page) == 0
