"""Every view is a link: opened elsewhere it shows the same."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page

from tests.conftest import Trained
from tests.dashboard.conftest import Open, brief_run
from tests.dashboard.looking import await_said, await_shown, painted
from tests.live_server import Server, wait_until


def asked(page: Page) -> dict[str, str]:
    address = page.evaluate("location.href")
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def await_address(page: Page, **expected: str) -> None:
    wait_until(lambda: asked(page) == expected)


def test_what_is_looked_at_stands_in_the_address(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}")
    painted(page)
    await_address(page, run=ended)
    steps = server.recorded(ended)
    page.get_by_label("Go to step").fill(str(steps[4]))
    page.get_by_label("Go to step").press("Enter")
    painted(page, steps[4])
    await_address(page, run=ended, step=str(steps[4]))
    page.get_by_label("Speed of a replay").select_option("0.5")
    page.locator(".stn-legend").click()  # letters would choose from the list else
    page.keyboard.press("m")
    page.keyboard.press("2")
    page.keyboard.press("]")
    wanted = {
        "run": ended,
        "step": str(steps[4]),
        "sight": "one",
        "probe": "1",
        "layers": "dots.outline.mesh",
        "speed": "0.5",
    }
    await_address(page, **wanted)

    elsewhere = visit(server, page.evaluate("location.search"))
    elsewhere.locator(f".stn-one[data-step='{steps[4]}']").wait_for()
    elsewhere.get_by_text("Probe 2 of 12").wait_for()
    assert elsewhere.get_by_label("Speed of a replay").input_value() == "0.5"
    assert (elsewhere.locator(".stn-viewer .stn-mesh").first.get_attribute("d") or "").count("M")
    await_said(elsewhere, "Held here")
    await_address(elsewhere, **wanted)


def test_a_live_view_is_a_link_to_what_is_live(server: Server, running: str, visit: Open) -> None:
    page = visit(server, f"?run={running}&step=3")
    await_said(page, "Held here; training")
    await_shown(page, "step <= 3")
    page.get_by_role("switch", name="Follow live").click()
    await_said(page, "Live")
    await_address(page, run=running)


def test_an_address_that_makes_no_sense_shows_what_it_can(
    server: Server, ended: str, visit: Open
) -> None:
    page = visit(server, f"?run={ended}&step=99999999&sight=none&probe=x&layers=a.b&speed=1000")
    last = server.run(ended)["last_step"]
    assert painted(page, last) == last
    page.keyboard.press("2")
    page.get_by_text("Probe 1 of 12").wait_for()


def test_slow_replay_is_slower(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}&speed=0.1")
    painted(page)
    page.wait_for_timeout(2000)
    slow = len(set(page.evaluate("window.paints")))
    page.get_by_label("Speed of a replay").select_option("4")
    before = page.evaluate("window.paints.length")
    page.wait_for_timeout(2000)
    fast = len(set(page.evaluate("window.paints")[before:]))
    assert fast > 2 * slow


def test_collapses_are_marked_and_told(server: Server, visit: Open) -> None:
    run_id = brief_run(
        server, lambda run: run["collapsed"] and run["step"] > 20, localisation_learning_rate=0.5
    )
    page = visit(server, f"?run={run_id}&step=0")
    painted(page, 0)
    page.locator(".stn-collapse").first.wait_for(state="attached")
    told = page.locator(".stn-timeline").get_attribute("aria-description") or ""
    assert "At least half of the regions had collapsed in steps" in told


def test_what_is_no_step_is_not_gone_to(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}&step=0")
    painted(page, 0)
    field = page.get_by_label("Go to step")
    field.fill("1e1")
    field.press("Enter")
    assert not field.evaluate("(field) => field.validity.valid")
    assert field.input_value() == "1e1"
    field.fill("4")
    field.press("Enter")
    await_shown(page, "step > 0 && step <= 4")


def test_a_probe_that_is_not_there_is_the_last_one(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}&sight=one&probe=999&step=0")
    page.get_by_text("Probe 12 of 12").wait_for()
    await_address(page, run=ended, sight="one", probe="11", step="0")


def test_a_closing_lap_is_a_link_too(server: Server, trained: Trained, visit: Open) -> None:
    run_id = trained.copied_into(server.home)
    page = visit(server, f"?run={run_id}&lap=1")
    await_said(page, "The input moves, the trained network stands still")
    await_address(page, run=run_id, lap="1")
    # A step is one of the run's, not of the lap's.
    one, following = server.recorded(run_id)[3:5]
    page.get_by_label("Go to step").fill(str(one))
    page.keyboard.press("Enter")
    painted(page, one)
    await_address(page, run=run_id, step=str(one))
    # Keys act on the step again.
    page.keyboard.press("ArrowRight")
    painted(page, following)


def test_back_leads_to_the_run_and_the_step_before(server: Server, ended: str, visit: Open) -> None:
    other = brief_run(server, seed=41)
    step = str(server.recorded(ended)[5])
    page = visit(server, f"?run={ended}&step={step}&sight=crowd")
    await_said(page, "Held here")
    await_address(page, run=ended, step=step, sight="crowd")
    page.locator(".stn-run-title", has_text="seed 41").click()
    await_address(page, run=other, sight="crowd")
    await_said(page, "seed 41")
    page.go_back()
    await_said(page, "seed 4")
    await_address(page, run=ended, step=step, sight="crowd")
    await_said(page, "Held here")
    page.go_forward()
    await_said(page, "seed 41")
