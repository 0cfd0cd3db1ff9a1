"""Going back and forth in what was recorded, while more is being recorded."""

import re

import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    drawn_step,
    status_text,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server, wait_until


def slider(page: Page) -> int:
    return int(page.locator(".stn-timeline").input_value())


def test_ended_run_replays_in_a_loop(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    assert "Replay; stopped" in status_text(page)
    last = server.get_run(stopped_run)["last_step"]
    wait_for_step_where(page, f"step === {last}")
    wait_for_step_where(page, "step === 0")
    recorded = server.recorded_steps(stopped_run)
    wait_for_step_where(page, f"step >= {recorded[5]}")
    steps = page.evaluate("window.paints")
    start = steps.index(0, steps.index(last))
    assert steps[start : start + 5] == recorded[:5], "none is skipped"


def test_reduced_motion_shows_the_last_frame_and_stands(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}", reduced_motion="reduce")
    last = server.get_run(stopped_run)["last_step"]
    assert wait_for_frame(page) == last
    page.wait_for_timeout(1000)
    assert page.evaluate("window.paints") == [last]


def test_keys_move_the_picture(server: Server, stopped_run: str, open_component: OpenPage) -> None:
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
    wait_for_status_text(page, "Playback paused")
    at = drawn_step(page)
    page.wait_for_timeout(500)
    assert drawn_step(page) == at


# Every listing of a run's steps but the first waits until the test lets it go.
LISTING_WAITS = """
const ask = window.fetch;
let listings = 0;
window.fetch = async (address, ...rest) => {
  if (/\\/frames(\\?|$)/.test(address) && ++listings > 1) {
    await new Promise((release) => (window.release = release));
  }
  return ask(address, ...rest);
};
"""


def test_step_chosen_while_the_steps_are_listed_stays_chosen(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}", init=LISTING_WAITS)
    wait_for_frame(page)
    page.wait_for_function("() => Boolean(window.release)")
    page.keyboard.press("Home")
    wait_for_status_text(page, "Playback paused")
    wait_for_frame(page, 0)
    with page.expect_response(re.compile(r"/frames(\?|$)")):
        page.evaluate("() => window.release()")
    page.wait_for_timeout(500)
    assert "Playback paused" in status_text(page)
    assert drawn_step(page) == 0


def test_held_step_is_not_moved_by_new_frames(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    server.wait_for_step(training_run, 40)
    page.locator(".stn-timeline").fill("20")
    wait_for_step_where(page, "step > 10 && step <= 20")
    at = drawn_step(page)
    assert "Playback paused; running" in status_text(page)
    assert page.get_by_role("switch", name="Follow live").get_attribute("aria-checked") == "false"
    server.wait_for_step(training_run, server.get_run(training_run)["step"] + 30)
    assert (drawn_step(page), slider(page)) == (at, at)
    page.get_by_role("switch", name="Follow live").click()
    wait_for_status_text(page, "Live; running")
    newest = server.get_run(training_run)["step"]
    wait_for_step_where(page, f"step > {newest}")


def test_every_recorded_step_can_be_reached(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    server.wait_for_step(training_run, 60)
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    recorded = server.recorded_steps(training_run)
    # While a step is held, the page learns of newer ones every two seconds.
    page.wait_for_function(f"document.querySelector('.stn-timeline').max >= {recorded[-2]}")
    for step in (recorded[1], recorded[len(recorded) // 2], recorded[-2]):
        page.locator(".stn-timeline").fill(str(step))
        wait_for_frame(page, step)


def test_hidden_page_asks_for_no_frames_and_recovers(
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
    hide(page, True)
    wait_until(lambda: any('"hold"' in each for each in pumped(page, sent)))
    at = drawn_step(page)
    server.wait_for_step(training_run, server.get_run(training_run)["step"] + 20)
    assert drawn_step(page) <= at + 3, "at most what was under way"
    hide(page, False)
    wait_for_step_where(page, f"step > {at} + 15")
    assert sent[-1].count("credit") or '"follow"' in sent[-1]


def hide(page: Page, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def pumped(page: Page, sent: list[str]) -> list[str]:
    page.wait_for_timeout(50)  # lets Playwright hand over what it has heard
    return sent


@pytest.mark.parametrize("field", ["Seed", "Epochs"])
def test_keys_typed_into_a_form_stay_there(
    server: Server, stopped_run: str, open_page: OpenPage, field: str
) -> None:
    page = open_page(server, f"?run={stopped_run}")
    wait_for_frame(page)
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    entry = page.get_by_label(field, exact=True)
    entry.click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert drawn_step(page) == 0
