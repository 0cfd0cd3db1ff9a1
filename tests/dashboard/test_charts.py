"""The charts: recorded metrics, a cursor at the stage's step, and zooming."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    wait_for_chart_lines,
    wait_for_expression,
    wait_for_frame,
    wait_for_layout,
    wait_for_step_where,
)
from tests.live_server import Server, wait_until

SCALE_CHART = 2
"""Index of the chart of the scale."""


def evaluate_plot(page: Page, expression: str, chart: int = SCALE_CHART) -> Any:
    """Return the value of a JavaScript expression on `plot`, the element of a chart."""
    return page.locator(".stn-plot").nth(chart).evaluate(f"(plot) => {expression}")


def step_ranges(page: Page) -> list[list[float]]:
    """Return the first and last step of each chart's axis."""
    ranges: list[list[float]] = page.locator(".stn-plot").evaluate_all(
        "(plots) => plots.map((plot) => plot.layout.xaxis.range.map(Math.round))"
    )
    return ranges


def test_charts_show_the_recorded_metrics_and_values_below_the_mouse_inside_their_elements(
    server: Server, stopped_run: str, still: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"{still}&charts=all")
    wait_for_frame(page)
    wait_for_chart_lines(page)
    metrics = server.http.get(f"/runs/{stopped_run}/metrics").json()
    lines = page.locator(".stn-plot").evaluate_all(
        "(plots) => plots.flatMap(({ data }) => data)"
        ".map(({ name, x, y }) => ({ name, x: [...x], y: [...y] }))"
    )
    by_name = {line["name"]: line for line in lines}
    assert set(by_name) == {"Loss", "Accuracy", "Scale", "Rotation", "x", "y", "Steps/s"}
    recorded = dict(zip(metrics["step"], metrics["scale"], strict=True))
    scale = dict(zip(by_name["Scale"]["x"], by_name["Scale"]["y"], strict=True))
    assert scale == {step: value for step, value in recorded.items() if value is not None}

    plot = page.locator(".stn-plot").first
    share = evaluate_plot(page, "plot.data[0].x.at(-1) / plot.layout.xaxis.range[1]", 0)
    inside = plot.locator(".nsewdrag").bounding_box()
    assert inside is not None
    page.mouse.move(inside["x"] + share * inside["width"], inside["y"] + inside["height"] / 2)
    labels = plot.locator(".hoverlayer g:visible")
    labels.first.wait_for()
    assert re.fullmatch(r"step \d+: \d\.\d+", labels.first.text_content() or "")
    box = plot.bounding_box()
    assert box is not None
    for label in labels.all():
        label_box = label.bounding_box()
        assert label_box is not None
        assert label_box["y"] + label_box["height"] <= box["y"] + box["height"]

    page.evaluate("document.querySelector('.stn-charts').style.width = '230px'")
    wait_for_expression(
        page,
        """() => {
        const right = (node) => node.getBoundingClientRect().right;
        const limit = right(document.querySelector(".stn-charts"));
        return [...document.querySelectorAll(".stn-plot")].every((plot) => right(plot) <= limit);
        }""",
    )


def test_cursor_and_values_follow_the_stage_which_a_click_sets(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&charts=all", reduced_motion="reduce")
    last = wait_for_frame(page)
    wait_for_chart_lines(page)
    metrics = server.http.get(f"/runs/{stopped_run}/metrics").json()
    step = last // 4
    page.locator(".stn-timeline").fill(str(step))
    wait_for_step_where(page, f"step <= {step}")
    at = int(page.locator(".stn-timeline").input_value())
    cursor = page.locator(".stn-cursor").nth(SCALE_CHART).bounding_box()
    inside = evaluate_plot(page, "plot.querySelector('.nsewdrag').getBoundingClientRect().toJSON()")
    last_on_axis = evaluate_plot(page, "plot.layout.xaxis.range[1]")
    assert cursor is not None
    assert abs(cursor["x"] - (inside["x"] + inside["width"] * at / last_on_axis)) < 2
    value = page.locator(".stn-value:not([data-run])").nth(SCALE_CHART).inner_text()
    scale = metrics["scale"][metrics["step"].index(at)]
    assert abs(float(value.replace("\u2212", "-")) - scale) <= 0.0051

    middle = inside["y"] + inside["height"] / 2
    page.mouse.move(inside["x"] + inside["width"] * (last / 2) / last_on_axis, middle)
    page.locator(".stn-plot").nth(SCALE_CHART).locator(".hoverlayer g:visible").first.wait_for()
    page.mouse.down()
    page.mouse.up()
    wait_for_step_where(page, f"step < {last} && Math.abs(step - {last / 2}) <= 2")


def test_zoom_survives_new_data(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    server.control(training_run, "pause").raise_for_status()
    page = open_component(server, f"?run={training_run}&charts=all")
    wait_for_frame(page)
    wait_for_chart_lines(page)
    box = page.locator(".stn-plot .nsewdrag").nth(SCALE_CHART).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.02 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], middle, steps=5)
    page.mouse.up()
    whole_run = page.get_by_role("button", name="Whole run")
    whole_run.wait_for()
    wait_until(lambda: len(set(map(tuple, step_ranges(page)))) == 1)
    chosen = step_ranges(page)
    assert chosen[0][0] > 0
    drawn = evaluate_plot(page, "plot.data[0].x.at(-1)")
    server.control(training_run, "step").raise_for_status()
    wait_until(lambda: evaluate_plot(page, "plot.data[0].x.at(-1)") > drawn)
    assert step_ranges(page) == chosen
    whole_run.click()
    wait_until(lambda: all(start == 0 for start, _ in step_ranges(page)))


def test_each_theme_draws_in_different_colours(
    server: Server, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, f"{still}&charts=all", color_scheme="light")
    wait_for_frame(page)
    wait_for_chart_lines(page)

    def colours() -> list[str]:
        parts = ("plot.layout.font.color", "plot.data[0].line.color")
        return [evaluate_plot(page, part) for part in parts]

    light = colours()
    page.emulate_media(color_scheme="dark")
    wait_until(lambda: all(before != after for before, after in zip(light, colours(), strict=True)))
    assert all(colour.startswith("rgb(") for colour in (*light, *colours()))


def test_ticks_stay_few_after_a_run_of_several_epochs(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, "?run=example-digits&charts=all")
    wait_for_frame(page)
    axis = "document.querySelector('.stn-plot').layout?.xaxis"
    wait_for_expression(page, f"{axis}?.tickmode === 'linear'")
    page.locator(f'.stn-run a[href="?run={stopped_run}"]').click()
    steps_per_epoch = server.get_run(stopped_run)["steps_per_epoch"]
    wait_for_expression(page, f"{axis}.range[1] === {steps_per_epoch}")
    wait_until(lambda: evaluate_plot(page, "plot.layout.xaxis.tickmode") == "auto")
    wait_for_layout(page)
    assert evaluate_plot(page, "plot.layout.xaxis.tickmode") == "auto"
    ticks = page.locator(".stn-plot .xtick")
    assert 0 < ticks.count() < 60


def test_two_charts_are_shown_at_first_and_the_others_on_request(
    server: Server, still: str, open_component: OpenPage
) -> None:
    page = open_component(server, still)
    wait_for_frame(page)
    heads = page.locator(".stn-chart-head:visible > :first-child")
    expect(heads).to_have_text(["Loss", "Accuracy"])
    page.get_by_role("button", name="Show all 6 charts").click()
    expect(heads).to_have_count(6)
    page.wait_for_url(re.compile("charts=all"))
    page.get_by_role("button", name="Show fewer charts").click()
    expect(heads).to_have_count(2)
