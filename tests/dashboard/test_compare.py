"""Two runs in comparison, with one cursor for both."""

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage, record_run
from tests.dashboard.page_queries import fetch_frame, wait_for_expression, wait_for_frame
from tests.live_server import Server, wait_until

# Half the steps per epoch of the default, 64.
BATCH_SIZE = 128


@pytest.fixture(scope="module")
def other_run(server: Server) -> str:
    return record_run(server, 40, family="attention", batch_size=BATCH_SIZE, seed=8)


def drawn_steps(page: Page) -> list[int]:
    steps = page.locator(".stn-viewer .stn-probes").evaluate_all(
        "(stages) => stages.map((stage) => Number(stage.dataset.step ?? -1))"
    )
    return [int(step) for step in steps]


def last_step_up_to(server: Server, run_id: str, step: int) -> int:
    steps = server.recorded_steps(run_id)
    return int(max(recorded for recorded in steps if recorded <= step))


def test_cursor_moves_both_runs_by_step_or_by_epoch(
    server: Server, stopped_run: str, other_run: str, open_component: OpenPage
) -> None:
    first_step = last_step_up_to(server, stopped_run, 36)
    page = open_component(server, f"?run={stopped_run}&compare={other_run}&step=36")
    expected = [first_step, last_step_up_to(server, other_run, first_step)]
    wait_until(lambda: drawn_steps(page) == expected)
    # The second run's frame is loaded after that of the first: its values follow it.
    page.get_by_label("Go to step").fill("12")
    page.get_by_label("Go to step").press("Enter")
    # Not every step of a fast training is recorded, in either run.
    earlier_step = last_step_up_to(server, stopped_run, 12)
    earlier = [earlier_step, last_step_up_to(server, other_run, earlier_step)]
    wait_until(lambda: drawn_steps(page) == earlier)
    steps, losses = (
        server.http.get(f"/runs/{other_run}/metrics").json()[name] for name in ("step", "loss")
    )
    loss = losses[steps.index(earlier[1])]
    head = page.locator(".stn-chart-head", has_text="Loss").locator("[data-run]")
    wait_until(lambda: head.inner_text() == f"{loss:.2f}")
    page.get_by_label("Go to step").fill("36")
    page.get_by_label("Go to step").press("Enter")
    wait_until(lambda: drawn_steps(page) == expected)
    page.get_by_label("Compare by").select_option("epoch")
    per_epoch, other_per_epoch = (
        server.get_run(run)["steps_per_epoch"] for run in (stopped_run, other_run)
    )
    assert per_epoch == 2 * other_per_epoch or per_epoch == 2 * other_per_epoch + 1
    expected[1] = last_step_up_to(
        server, other_run, round(first_step / per_epoch * other_per_epoch)
    )
    wait_until(lambda: drawn_steps(page) == expected)
    wait_for_expression(page, "() => location.search.includes('by=epoch')")
    page.keyboard.press("Home")
    wait_until(lambda: drawn_steps(page) == [0, 0])


def test_two_training_runs_are_shown_at_the_same_step(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    """The run that is ahead waits for the other one."""
    behind = server.start_endless_run(seed=21)
    try:
        page = open_component(server, f"?run={behind}&compare={training_run}")
        wait_until(lambda: -1 not in drawn_steps(page) and len(drawn_steps(page)) == 2)
        seen = set()

        def shows_equal_steps() -> bool:
            first, second = drawn_steps(page)
            if first == second:
                seen.add(first)
            return len(seen) > 5

        wait_until(shows_equal_steps)
        # In the other order, the title of the second run shows that it is behind.
        page = open_component(server, f"?run={training_run}&compare={behind}")
        title = page.locator(".stn-viewer .stn-run-stage-title").nth(1)
        wait_until(lambda: "so far at step" in title.inner_text())
    finally:
        server.control(behind, "stop")


def test_replay_shows_two_runs_at_the_same_step(
    server: Server, stopped_run: str, other_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&compare={other_run}")
    wait_until(lambda: -1 not in drawn_steps(page) and len(drawn_steps(page)) == 2)
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
    recorded = server.recorded_steps(other_run)
    nearest = {step: max(each for each in recorded if each <= step) for step, _ in pairs}
    assert all(second == nearest[first] for first, second in pairs), pairs
    assert len({step for step, _ in pairs}) > 5


def test_probes_of_two_networks_have_equal_positions(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    plain = record_run(server, architecture="digits-cnn", seed=9)
    page = open_component(server, f"?run={stopped_run}&compare={plain}&step=0")
    wait_until(lambda: drawn_steps(page) == [0, 0])
    tops = page.locator(".stn-viewer .stn-probes").evaluate_all(
        """(stages) => stages.map((stage) =>
          [...stage.querySelectorAll(".stn-input")].map((each) => {
            const { top, width, height } = each.getBoundingClientRect();
            return [top, width, height];
          }))"""
    )
    assert tops[0] == tops[1]
    assert len(tops[0]) == 12


def test_differences_are_shown_as_numbers(
    server: Server, stopped_run: str, other_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&compare={other_run}&step=36")
    row = page.locator(".stn-differences tr", has_text="Loss").locator("td")

    def losses(steps: list[int]) -> list[float]:
        pair = zip((stopped_run, other_run), steps, strict=True)
        return [fetch_frame(server, run, step).info["loss"] for run, step in pair]

    def shows_differences() -> bool:
        steps, texts = drawn_steps(page), row.all_inner_texts()
        if len(steps) < 2 or -1 in steps or len(texts) < 3 or "\u2013" in texts:
            return False
        first, second = losses(steps)
        numbers = [float(text.replace("\u2212", "-")) for text in texts]
        matches = np.allclose(numbers, [first, second, second - first], rtol=1e-7, atol=0.0011)
        return matches and texts[0] == f"{first:.3f}"

    # The numbers are updated less often than the pictures.
    wait_until(shows_differences)
    # The header has only the options that differ; the tooltip has all.
    name = page.locator(".stn-differences th[data-run='2']")
    assert name.inner_text() == "attention, seed 8"
    title = name.locator("span").get_attribute("title") or ""
    assert title == "digits, attention, seed 8"


def test_charts_show_both_runs_until_the_comparison_is_closed(
    server: Server, stopped_run: str, other_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    row = page.locator(".stn-run", has_text="attention, seed 8")
    row.get_by_role("button", name="Compare").click()
    wait_until(lambda: len(drawn_steps(page)) == 2)
    lines = "document.querySelector('.stn-viewer .stn-plot').data?.length"
    wait_for_expression(page, f"() => {lines} === 2")
    metrics = server.http.get(f"/runs/{other_run}/metrics").json()
    recorded = [
        step
        for step, loss in zip(metrics["step"], metrics["loss"], strict=True)
        if loss is not None
    ]
    second = "document.querySelector('.stn-viewer .stn-plot').data[0].x"
    wait_until(lambda: page.evaluate(second) == recorded)
    page.get_by_role("button", name="Close comparison").last.click()
    wait_until(lambda: len(drawn_steps(page)) == 1)
    wait_for_expression(page, f"() => {lines} === 1")
    wait_for_expression(page, "() => !location.search.includes('compare')")


def test_network_without_a_transformer_is_compared_without_outputs(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    plain = record_run(server, architecture="digits-cnn", seed=8)
    page = open_component(server, f"?run={stopped_run}&compare={plain}&step=0")
    wait_until(lambda: drawn_steps(page) == [0, 0])
    run_stages = page.locator(".stn-viewer .stn-run-stage")
    assert run_stages.nth(0).locator(".stn-output").count() == 12
    assert run_stages.nth(1).locator(".stn-output").count() == 0
    assert run_stages.nth(1).locator(".stn-input").count() == 12


def test_missing_compared_run_is_reported(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&compare=nowhere&step=0")
    wait_for_frame(page, 0)
    title = page.locator(".stn-viewer .stn-run-stage-title").nth(1)
    wait_until(lambda: "nowhere" in title.inner_text())
    page.get_by_role("button", name="Close comparison").first.click()
    wait_until(lambda: len(drawn_steps(page)) == 1)


def test_deleted_compared_run_is_removed(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    deleted = record_run(server, seed=9)
    page = open_component(server, f"?run={stopped_run}&compare={deleted}&step=0")
    wait_until(lambda: drawn_steps(page) == [0, 0])
    server.http.delete(f"/runs/{deleted}").raise_for_status()
    wait_until(lambda: drawn_steps(page) == [0])
    wait_for_expression(page, "() => !location.search.includes('compare')")
