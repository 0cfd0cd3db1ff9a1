"""Two runs side by side under one cursor."""

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage, record_run
from tests.dashboard.page_queries import fetch_frame, wait_for_frame
from tests.live_server import Server, wait_until

# Half as many steps in an epoch as the runs of 64 a batch.
BATCH = 128


@pytest.fixture(scope="module")
def other(server: Server) -> str:
    return record_run(
        server, lambda run: run["step"] >= 40, family="attention", batch_size=BATCH, seed=8
    )


def steps_shown(page: Page) -> list[int]:
    found = page.locator(".stn-viewer .stn-probes").evaluate_all(
        "(stages) => stages.map((stage) => Number(stage.dataset.step ?? -1))"
    )
    return [int(step) for step in found]


def at_or_before(server: Server, run_id: str, step: int) -> int:
    steps = server.recorded_steps(run_id)
    return int(max(each for each in steps if each <= step))


def test_one_cursor_leads_both_by_step_or_by_epoch(
    server: Server, stopped_run: str, other: str, open_component: OpenPage
) -> None:
    wanted = at_or_before(server, stopped_run, 36)
    page = open_component(server, f"?run={stopped_run}&compare={other}&step=36")
    expected = [wanted, at_or_before(server, other, wanted)]
    wait_until(lambda: steps_shown(page) == expected)
    page.get_by_label("Compare by").select_option("epoch")
    each, theirs = (server.get_run(run)["steps_per_epoch"] for run in (stopped_run, other))
    assert each == 2 * theirs or each == 2 * theirs + 1
    expected[1] = at_or_before(server, other, round(wanted / each * theirs))
    wait_until(lambda: steps_shown(page) == expected)
    page.wait_for_function("() => location.search.includes('by=epoch')")
    page.keyboard.press("Home")
    wait_until(lambda: steps_shown(page) == [0, 0])


def test_two_that_train_are_shown_at_one_step(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    """The one that is further waits for the other, which is never shown further than it."""
    behind = server.start_run(epochs=1000, seed=21)
    try:
        server.wait_for_step(behind, 5)
        page = open_component(server, f"?run={behind}&compare={training_run}")
        wait_until(lambda: -1 not in steps_shown(page) and len(steps_shown(page)) == 2)
        seen = set()
        steps = server.recorded_steps(training_run)
        assert steps[-1] > 60 or server.wait_for_step(training_run, 60)

        def followed() -> bool:
            one, other = steps_shown(page)
            if one == other:
                seen.add(one)
            return len(seen) > 5

        wait_until(followed)
        # The other way round the second one is told to be not as far.
        page = open_component(server, f"?run={training_run}&compare={behind}")
        title = page.locator(".stn-viewer .stn-run-stage-title").nth(1)
        wait_until(lambda: "so far at step" in title.inner_text())
    finally:
        server.control(behind, "stop")


def test_a_replay_shows_two_runs_at_one_step(
    server: Server, stopped_run: str, other: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&compare={other}")
    wait_until(lambda: -1 not in steps_shown(page) and len(steps_shown(page)) == 2)
    pairs = page.evaluate(
        """async () => {
        const stages = [...document.querySelectorAll(".stn-viewer .stn-probes")];
        const seen = [];
        for (let paint = 0; paint < 120; paint++) {
          await new Promise(requestAnimationFrame);
          await new Promise((done) => setTimeout(done));
          seen.push(stages.map((stage) => Number(stage.dataset.step)));
        }
        return seen;
      }"""
    )
    # A fast training does not record every step.
    recorded = server.recorded_steps(other)
    nearest = {step: max(each for each in recorded if each <= step) for step, _ in pairs}
    assert all(second == nearest[first] for first, second in pairs), pairs
    assert len({step for step, _ in pairs}) > 5


def test_probes_of_two_networks_stand_at_equal_places(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    plain = record_run(server, architecture="digits-cnn", seed=9)
    page = open_component(server, f"?run={stopped_run}&compare={plain}&step=0")
    wait_until(lambda: steps_shown(page) == [0, 0])
    tops = page.locator(".stn-viewer .stn-probes").evaluate_all(
        """(stages) => stages.map((stage) =>
          [...stage.querySelectorAll(".stn-input")].map((each) => {
            const { top, width, height } = each.getBoundingClientRect();
            return [top, width, height];
          }))"""
    )
    assert tops[0] == tops[1]
    assert len(tops[0]) == 12


def test_difference_is_told_in_numbers(
    server: Server, stopped_run: str, other: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&compare={other}&step=36")
    row = page.locator(".stn-differences tr", has_text="Loss").locator("td")

    def losses(steps: list[int]) -> list[float]:
        pair = zip((stopped_run, other), steps, strict=True)
        return [fetch_frame(server, run, step).info["loss"] for run, step in pair]

    def is_told() -> bool:
        steps, told = steps_shown(page), row.all_inner_texts()
        if len(steps) < 2 or -1 in steps or len(told) < 3 or "\u2013" in told:
            return False
        one, two = losses(steps)
        numbers = [float(text.replace("\u2212", "-")) for text in told]
        near = np.allclose(numbers, [one, two, two - one], rtol=1e-7, atol=0.0011)
        return near and told[0] == f"{one:.3f}"

    # The numbers follow the pictures at a pace that can be read.
    wait_until(is_told)
    # What is not the same of both, and on the tooltip all.
    name = page.locator(".stn-differences th[data-run='2']")
    assert name.inner_text() == "attention, seed 8"
    title = name.locator("span").get_attribute("title") or ""
    assert title == "digits, attention, seed 8"


def test_charts_show_both_and_go_back_to_one(
    server: Server, stopped_run: str, other: str, open_page: OpenPage
) -> None:
    page = open_page(server, f"?run={stopped_run}")
    wait_for_frame(page)
    row = page.locator(".stn-run", has_text="attention, seed 8")
    row.get_by_role("button", name="Compare").click()
    wait_until(lambda: len(steps_shown(page)) == 2)
    lines = "document.querySelector('.stn-viewer .stn-plot').data?.length"
    page.wait_for_function(f"() => {lines} === 2")
    metrics = server.http.get(f"/runs/{other}/metrics").json()
    known = [
        step
        for step, loss in zip(metrics["step"], metrics["loss"], strict=True)
        if loss is not None
    ]
    second = "document.querySelector('.stn-viewer .stn-plot').data[0].x"
    wait_until(lambda: page.evaluate(second) == known)
    page.get_by_role("button", name="Close comparison").last.click()
    wait_until(lambda: len(steps_shown(page)) == 1)
    page.wait_for_function(f"() => {lines} === 1")
    page.wait_for_function("() => !location.search.includes('compare')")


def test_with_and_without_a_transformer(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    plain = record_run(server, architecture="digits-cnn", seed=8)
    page = open_component(server, f"?run={stopped_run}&compare={plain}&step=0")
    wait_until(lambda: steps_shown(page) == [0, 0])
    sights = page.locator(".stn-viewer .stn-run-stage")
    assert sights.nth(0).locator(".stn-output").count() == 12
    assert sights.nth(1).locator(".stn-output").count() == 0
    assert sights.nth(1).locator(".stn-input").count() == 12


def test_a_run_that_is_not_there_beside_another_is_told(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&compare=nowhere&step=0")
    wait_for_frame(page, 0)
    title = page.locator(".stn-viewer .stn-run-stage-title").nth(1)
    wait_until(lambda: "nowhere" in title.inner_text())
    page.get_by_role("button", name="Close comparison").first.click()
    wait_until(lambda: len(steps_shown(page)) == 1)


def test_a_compared_run_that_is_deleted_leaves_no_gap(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    gone = record_run(server, seed=9)
    page = open_component(server, f"?run={stopped_run}&compare={gone}&step=0")
    wait_until(lambda: steps_shown(page) == [0, 0])
    server.http.delete(f"/runs/{gone}").raise_for_status()
    wait_until(lambda: steps_shown(page) == [0])
    page.wait_for_function("() => !location.search.includes('compare')")
