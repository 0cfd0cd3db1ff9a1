"""Controls of a run, by buttons and keys, and their effect on a second page."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Request, Route

from tests.dashboard.conftest import COMPONENT_SERVER, PAGE_OPTIONS, OpenPage
from tests.dashboard.page_queries import (
    pump_events,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
)
from tests.live_server import Server, child_pids, serve, wait_until


def test_keys_control_the_run_and_update_other_pages(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    first, second = (open_component(server, f"?run={training_run}") for _ in range(2))
    for page in (first, second):
        wait_for_frame(page)
        wait_for_status_text(page, "Live: training")
    first.keyboard.press("p")
    for page in (first, second):
        wait_for_status_text(page, "paused")
    at = server.get_run(training_run)["step"]
    second.keyboard.press("s")
    wait_until(lambda: server.get_run(training_run)["step"] == at + 1)
    wait_for_frame(first, at + 1)
    wait_for_frame(second, at + 1)
    second.keyboard.press("p")
    wait_for_status_text(first, "Live: training")


def test_phases_of_a_step_are_shown_in_slow_motion(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    phases = page.locator(".stn-phases")
    assert not phases.is_visible()
    page.get_by_label("Speed of training").select_option("3")
    try:
        phases.wait_for()
        titles = phases.locator("li").all_inner_texts()
        assert titles == ["Batch", "Localise", "Theta", "Sample", "Loss", "Step"]
        for title in titles:
            phases.locator("li[aria-current]", has_text=title).wait_for()
        sentence = phases.locator("p").inner_text()
        phases.locator("li[aria-current]", has_text="Batch").wait_for()
        assert phases.locator("p").inner_text() != sentence
        page.get_by_label("Speed of training").select_option("0")
        phases.wait_for(state="hidden")
        assert page.locator(".stn-run-stage").first.get_attribute("data-phase") == ""
    finally:
        server.slow_down(training_run)


def test_run_is_restarted_with_the_same_or_a_new_seed(
    own_server: Server, open_component: OpenPage
) -> None:
    run_id = own_server.start_endless_run(seed=11, family="attention")
    page = open_component(own_server, f"?run={run_id}")
    wait_for_frame(page)
    own_server.start_run(epochs=1, seed=12)
    page.get_by_role("button", name="New seed").click()
    wait_until(lambda: len(own_server.http.get("/runs").json()) == 3)
    newest = own_server.http.get("/runs").json()[0]
    before = own_server.get_run(run_id)["config"]
    assert newest["config"] == {**before, "seed": 13}
    own_server.wait_for_status(run_id, "stopped")
    wait_for_expression(page, f"() => location.search.includes('{newest['id']}')")
    own_server.wait_for_step(newest["id"], 1)
    wait_for_status_text(page, "seed 13")
    page.get_by_role("button", name="Restart").click()
    wait_until(lambda: len(own_server.http.get("/runs").json()) == 4)
    assert own_server.http.get("/runs").json()[0]["config"]["seed"] == 13


def test_restart_clicked_several_times_starts_one_run(
    own_server: Server, open_component: OpenPage
) -> None:
    run_id = own_server.start_endless_run()
    page = open_component(own_server, f"?run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    page.get_by_role("button", name="Restart").evaluate(
        "(button) => { for (let press = 0; press < 5; press++) button.click(); }"
    )
    wait_for_expression(page, f"() => !location.search.includes('{run_id}')")
    own_server.wait_for_status(run_id, "stopped")
    assert len(own_server.http.get("/runs").json()) == 2


def test_repeated_key_sends_one_request(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    requests: list[str | None] = []

    def on_request(request: Request) -> None:
        if "/control" in request.url:
            requests.append(request.post_data)

    page.on("request", on_request)
    page.evaluate(
        """() => { for (let press = 0; press < 3; press++)
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "p", bubbles: true })); }"""
    )
    wait_for_status_text(page, "paused")
    assert requests == ['{"action":"pause"}']
    page.keyboard.press("p")
    wait_for_status_text(page, "Live: training")
    assert page.locator(".stn-stage-section > .stn-message").inner_text() == ""


def test_action_is_sent_before_the_response_to_the_previous_one(
    server: Server, open_component: OpenPage
) -> None:
    run_id = server.start_endless_run(seed=17)
    page = open_component(server, f"?run={run_id}")
    delayed: list[tuple[Route, APIResponse]] = []

    def delay_resume(route: Route) -> None:
        response = route.fetch()
        if "resume" in (route.request.post_data or ""):
            delayed.append((route, response))
        else:
            route.fulfill(response=response)

    def has_status(status: str) -> bool:
        pump_events(page)
        return bool(server.get_run(run_id)["status"] == status)

    page.route("**/control", delay_resume)
    buttons = page.locator(".stn-button-group")
    for action, expected in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        buttons.locator(f"[data-action={action}]:enabled").click()
        wait_until(partial(has_status, expected))
    ((resume_route, response),) = delayed
    resume_route.fulfill(response=response)
    wait_for_status_text(page, "stopped")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_run_with_a_stopped_trainer_is_reported_and_can_be_stopped(
    tmp_path: Path, own_port: int, open_component: OpenPage
) -> None:
    options = (*PAGE_OPTIONS, "--deadline", "silence=2")
    home = tmp_path / "home"
    with serve(home, *options, port=own_port, program=COMPONENT_SERVER) as server:
        run_id = server.start_endless_run()
        page = open_component(server, f"?run={run_id}")
        wait_for_frame(page)
        assert server.process is not None
        [pid] = child_pids(server.process.pid, "trainer_main")
        os.kill(pid, signal.SIGSTOP)
        wait_for_status_text(page, "The trainer does not respond")
        controls = page.locator(".stn-run-controls")
        assert controls.get_by_role("button", name="Pause").is_disabled()
        controls.get_by_role("button", name="Stop").click()
        wait_for_status_text(page, "stopped")
