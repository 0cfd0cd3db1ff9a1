"""Going back and forth in what was recorded, while more is being recorded."""

import re

import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import Open
from tests.dashboard.looking import await_said, await_shown, painted, say, shown
from tests.live_server import Server, wait_until


def slider(page: Page) -> int:
    return int(page.locator(".stn-timeline").input_value())


def test_ended_run_replays_in_a_loop(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}")
    painted(page)
    assert "Replay; stopped" in say(page)
    last = server.run(ended)["last_step"]
    await_shown(page, f"step === {last}")
    await_shown(page, "step === 0")
    recorded = server.recorded(ended)
    await_shown(page, f"step >= {recorded[5]}")
    steps = page.evaluate("window.paints")
    start = steps.index(0, steps.index(last))
    assert steps[start : start + 5] == recorded[:5], "none is skipped"


def test_reduced_motion_shows_the_last_frame_and_stands(
    server: Server, ended: str, visit: Open
) -> None:
    page = visit(server, f"?run={ended}", reduced_motion="reduce")
    last = server.run(ended)["last_step"]
    assert painted(page) == last
    page.wait_for_timeout(1000)
    assert page.evaluate("window.paints") == [last]


def test_keys_move_the_picture(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}")
    painted(page)
    recorded = server.recorded(ended)
    page.keyboard.press("Home")
    painted(page, recorded[0])
    page.keyboard.press("ArrowRight")
    painted(page, recorded[1])
    page.keyboard.press("ArrowRight")
    painted(page, recorded[2])
    page.keyboard.press("ArrowLeft")
    painted(page, recorded[1])
    page.keyboard.press("End")
    painted(page, recorded[-1])
    page.keyboard.press("Space")
    await_said(page, "Replay")
    await_shown(page, f"step < {recorded[-1]}")
    page.keyboard.press("Space")
    await_said(page, "Held here")
    at = shown(page)
    page.wait_for_timeout(500)
    assert shown(page) == at


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
    server: Server, ended: str, visit: Open
) -> None:
    page = visit(server, f"?run={ended}", init=LISTING_WAITS)
    painted(page)
    page.wait_for_function("() => Boolean(window.release)")
    page.keyboard.press("Home")
    await_said(page, "Held here")
    painted(page, 0)
    with page.expect_response(re.compile(r"/frames(\?|$)")):
        page.evaluate("() => window.release()")
    page.wait_for_timeout(500)
    assert "Held here" in say(page)
    assert shown(page) == 0


def test_held_step_is_not_moved_by_new_frames(server: Server, running: str, visit: Open) -> None:
    page = visit(server, f"?run={running}")
    painted(page)
    server.await_step(running, 40)
    page.locator(".stn-timeline").fill("20")
    await_shown(page, "step > 10 && step <= 20")
    at = shown(page)
    assert "Held here; training" in say(page)
    assert page.get_by_role("switch", name="Follow live").get_attribute("aria-checked") == "false"
    server.await_step(running, server.run(running)["step"] + 30)
    assert (shown(page), slider(page)) == (at, at)
    page.get_by_role("switch", name="Follow live").click()
    await_said(page, "Live; training")
    newest = server.run(running)["step"]
    await_shown(page, f"step > {newest}")


def test_every_recorded_step_can_be_reached(server: Server, running: str, visit: Open) -> None:
    server.await_step(running, 60)
    page = visit(server, f"?run={running}")
    painted(page)
    page.keyboard.press("Home")
    painted(page, 0)
    recorded = server.recorded(running)
    # While a step is held, the page learns of newer ones every two seconds.
    page.wait_for_function(f"document.querySelector('.stn-timeline').max >= {recorded[-2]}")
    for step in (recorded[1], recorded[len(recorded) // 2], recorded[-2]):
        page.locator(".stn-timeline").fill(str(step))
        painted(page, step)


def test_hidden_page_asks_for_no_frames_and_recovers(
    server: Server, running: str, visit: Open
) -> None:
    sent: list[str] = []
    page = visit(
        server,
        f"?run={running}",
        on_socket=lambda socket: socket.on("framesent", lambda data: sent.append(str(data))),
    )
    painted(page)
    await_said(page, "Live")
    hide(page, True)
    wait_until(lambda: any('"hold"' in each for each in pumped(page, sent)))
    at = shown(page)
    server.await_step(running, server.run(running)["step"] + 20)
    assert shown(page) <= at + 3, "at most what was under way"
    hide(page, False)
    await_shown(page, f"step > {at} + 15")
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
    server: Server, ended: str, visit: Open, field: str
) -> None:
    page = visit(server, f"?run={ended}")
    painted(page)
    page.keyboard.press("Home")
    painted(page, 0)
    entry = page.get_by_label(field, exact=True)
    entry.click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert shown(page) == 0
