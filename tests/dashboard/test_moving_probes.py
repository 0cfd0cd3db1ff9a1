"""Moving probes: during training, and in the closing lap of a finished run."""

import pytest
from playwright.sync_api import Locator, Page

from tests.conftest import TrainedRun
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    drawn_step,
    read_pixels,
    status_text,
    wait_for_frame,
    wait_for_status_text,
)
from tests.live_server import Server, wait_until


@pytest.fixture(scope="module")
def finished_run(server: Server, trained_run: TrainedRun) -> str:
    """A finished run, which has a closing lap."""
    return trained_run.copy_into(server.home)


def switch(page: Page, name: str) -> Locator:
    return page.get_by_role("switch", name=name)


def is_checked(page: Page, name: str) -> bool:
    return switch(page, name).get_attribute("aria-checked") == "true"


def read_figure(page: Page, name: str) -> str:
    return page.locator(f".stn-measurements .stn-{name} dd").inner_text()


def test_switch_moves_the_probes_of_a_training_run(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    assert not is_checked(page, "Moving probes")
    before = read_pixels(page, "input")
    assert not any(letter.isdigit() for letter in read_figure(page, "stillness"))
    switch(page, "Moving probes").click()
    try:
        wait_until(lambda: server.get_run(training_run)["settings"]["moving"])
        page.locator('.stn-switch[aria-checked="true"]', has_text="Moving").wait_for()
        wait_until(lambda: read_pixels(page, "input") != before)
        page.locator(".stn-stillness dd", has_text=".").wait_for()
        assert 0 < float(read_figure(page, "stillness")) < 3
    finally:
        server.post_control(training_run, moving=False)
    page.locator('.stn-switch[aria-checked="false"]', has_text="Moving").wait_for()
    wait_until(lambda: read_pixels(page, "input") == before)


def test_finished_run_plays_its_closing_lap_and_returns(
    server: Server, finished_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={finished_run}")
    wait_for_frame(page)
    last = server.get_run(finished_run)["last_step"]

    def is_paused() -> bool:
        page.keyboard.press("End")
        return "Paused replay of a finished run" in status_text(page)

    wait_until(is_paused)
    wait_for_frame(page, last)
    unmoved = read_pixels(page, "input")
    switch(page, "Moving probes").click()
    wait_for_status_text(page, "Closing lap: the input moves, the trained weights do not")
    seen = set()

    def has_moved() -> bool:
        seen.add(str(read_pixels(page, "input")))
        return len(seen) > 10

    wait_until(has_moved)
    assert drawn_step(page) == last
    assert 0 < float(read_figure(page, "stillness")) < 3
    page.keyboard.press("Home")
    wait_until(lambda: read_pixels(page, "input") == unmoved)
    page.keyboard.press("ArrowRight")
    wait_until(lambda: read_pixels(page, "input") != unmoved)
    assert page.locator(".stn-timeline").input_value() == "1"
    switch(page, "Moving probes").click()
    wait_for_status_text(page, "Paused replay of a finished run")
    wait_until(lambda: read_pixels(page, "input") == unmoved)
    assert not is_checked(page, "Moving probes")


def test_run_without_a_lap_disables_the_switch_with_a_reason(
    server: Server, still: str, open_component: OpenPage
) -> None:
    page = open_component(server, still)
    wait_for_frame(page)
    assert switch(page, "Moving probes").is_disabled()
    assert "finishes" in (switch(page, "Moving probes").get_attribute("title") or "")
    assert page.get_by_label("Speed of training").is_disabled()


def test_slow_motion_and_learning_rates_are_set_during_training(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={training_run}")
    wait_for_frame(page)
    config = server.get_run(training_run)["config"]
    page.get_by_label("Speed of training").select_option("0.5")
    try:
        wait_until(lambda: server.get_run(training_run)["settings"]["slow_motion"] == 0.5)
        assert "Live: training" in status_text(page)
        page.get_by_text("Learning rates", exact=True).click()
        field = page.locator(".stn-rates").get_by_label("Learning rate", exact=True)
        assert float(field.input_value()) == config["learning_rate"]
        field.fill("0.0007")
        field.press("Enter")
        wait_until(lambda: server.get_run(training_run)["settings"]["learning_rate"] == 0.0007)
        field.fill("7")
        field.press("Enter")
        page.locator(".stn-panel [role=status]", has_text="Learning rate must be").wait_for()
        assert server.get_run(training_run)["settings"]["learning_rate"] == 0.0007
    finally:
        server.post_control(training_run, learning_rate=config["learning_rate"])
        server.slow_down(training_run)
