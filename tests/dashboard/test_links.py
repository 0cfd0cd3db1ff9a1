"""The page's address describes the view; opening it shows the same view."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page

from tests.conftest import TrainedRun
from tests.dashboard.conftest import OpenPage, record_run
from tests.dashboard.page_queries import wait_for_frame, wait_for_status_text, wait_for_step_where
from tests.live_server import Server, wait_until


def query_parameters(page: Page) -> dict[str, str]:
    address = page.evaluate("location.href")
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def wait_for_address(page: Page, **expected: str) -> None:
    wait_until(lambda: query_parameters(page) == expected)


def test_address_describes_the_view(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    wait_for_address(page, run=stopped_run)
    steps = server.recorded_steps(stopped_run)
    page.get_by_label("Go to step").fill(str(steps[4]))
    page.get_by_label("Go to step").press("Enter")
    wait_for_frame(page, steps[4])
    wait_for_address(page, run=stopped_run, step=str(steps[4]))
    page.get_by_label("Speed of a replay").select_option("0.5")
    page.locator(".stn-legend").click()  # takes the focus from the list, which uses letter keys
    page.keyboard.press("m")
    page.keyboard.press("2")
    page.keyboard.press("]")
    expected = {
        "run": stopped_run,
        "step": str(steps[4]),
        "view": "probe",
        "probe": "1",
        "layers": "dots.outline.mesh",
        "speed": "0.5",
    }
    wait_for_address(page, **expected)

    other_page = open_component(server, page.evaluate("location.search"))
    other_page.locator(f".stn-detail[data-step='{steps[4]}']").wait_for()
    other_page.get_by_text("Probe 2 of 12").wait_for()
    assert other_page.get_by_label("Speed of a replay").input_value() == "0.5"
    assert (other_page.locator(".stn-viewer .stn-mesh").first.get_attribute("d") or "").count("M")
    wait_for_status_text(other_page, "Paused replay")
    wait_for_address(other_page, **expected)


def test_address_of_a_live_view_has_no_step(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}&step=3")
    wait_for_status_text(page, "Paused replay of a running run")
    wait_for_step_where(page, "step <= 3")
    page.get_by_role("switch", name="Follow live").click()
    wait_for_status_text(page, "Live")
    wait_for_address(page, run=training_run)


def test_invalid_parameters_are_replaced_by_defaults(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(
        server, f"?run={stopped_run}&step=99999999&view=none&probe=x&layers=a.b&speed=1000"
    )
    last = server.get_run(stopped_run)["last_step"]
    assert wait_for_frame(page, last) == last
    page.keyboard.press("2")
    page.get_by_text("Probe 1 of 12").wait_for()


def test_lower_playback_speed_paints_fewer_frames(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&speed=0.1")
    wait_for_frame(page)
    page.wait_for_timeout(2000)  # the time over which frames are counted
    slow = len(set(page.evaluate("window.paints")))
    page.get_by_label("Speed of a replay").select_option("4")
    before = page.evaluate("window.paints.length")
    page.wait_for_timeout(2000)
    fast = len(set(page.evaluate("window.paints")[before:]))
    assert fast > 2 * slow


def test_collapses_are_marked_and_described(server: Server, open_component: OpenPage) -> None:
    run_id = record_run(server, 24, localisation_learning_rate=0.5)
    assert server.get_run(run_id)["collapsed"]
    page = open_component(server, f"?run={run_id}&step=0")
    wait_for_frame(page, 0)
    page.locator(".stn-collapse").first.wait_for(state="attached")
    description = page.locator(".stn-timeline").get_attribute("aria-description") or ""
    assert "At least half of the regions had collapsed in steps" in description


def test_invalid_step_is_rejected(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    field = page.get_by_label("Go to step")
    field.fill("1e1")
    field.press("Enter")
    assert not field.evaluate("(field) => field.validity.valid")
    assert field.input_value() == "1e1"
    step = server.recorded_steps(stopped_run)[1]
    field.fill(str(step))
    field.press("Enter")
    wait_for_frame(page, step)


def test_probe_number_out_of_range_shows_the_last_probe(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&probe=999&step=0")
    page.get_by_text("Probe 12 of 12").wait_for()
    wait_for_address(page, run=stopped_run, view="probe", probe="11", step="0")


def test_address_describes_a_closing_lap(
    server: Server, trained_run: TrainedRun, open_component: OpenPage
) -> None:
    run_id = trained_run.copy_into(server.home)
    page = open_component(server, f"?run={run_id}&lap=1")
    wait_for_status_text(page, "Closing lap: the input moves, the trained weights do not")
    wait_for_address(page, run=run_id, lap="1")
    # "Go to step" means a step of the run, not of the lap.
    step, next_step = server.recorded_steps(run_id)[3:5]
    page.get_by_label("Go to step").fill(str(step))
    page.keyboard.press("Enter")
    wait_for_frame(page, step)
    wait_for_address(page, run=run_id, step=str(step))
    # Arrow keys change the step of the run again.
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, next_step)


def test_back_button_returns_to_the_previous_run_and_step(
    server: Server, stopped_run: str, open_page: OpenPage
) -> None:
    other = record_run(server, seed=41)
    step = str(server.recorded_steps(stopped_run)[5])
    page = open_page(server, f"?run={stopped_run}&step={step}&view=summary")
    wait_for_status_text(page, "Paused replay")
    wait_for_address(page, run=stopped_run, step=step, view="summary")
    page.locator(".stn-run-title", has_text="seed 41").click()
    wait_for_address(page, run=other, view="summary")
    wait_for_status_text(page, "seed 41")
    page.go_back()
    wait_for_status_text(page, "seed 4")
    wait_for_address(page, run=stopped_run, step=step, view="summary")
    wait_for_status_text(page, "Paused replay")
    page.go_forward()
    wait_for_status_text(page, "seed 41")
