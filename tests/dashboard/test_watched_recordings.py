"""A watched run on the page: steps for epochs, charts of its scalars, no controls, no verdicts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from stnscope.backend.experiment.recording.reader import SUFFIX
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    read_texts,
    wait_for_frame,
)
from tests.live_server import Server, wait_until
from tests.watched_run import MODEL, write_watched_run

STEPS = 40
TITLES = ".stn-chart-head > span:first-child"
FIXED = ["Loss", "Accuracy", "Scale", "Rotation", "Position", "Steps/s"]


@pytest.fixture(scope="module")
def watched(server: Server) -> Iterator[str]:
    """A run without epochs, class scores and accuracy, with one further scalar."""
    path = server.home / "recordings" / f"watched{SUFFIX}"
    transformer = {"theta": "fitted", "residual": 0.25, "placement": "stretched"}
    write_watched_run(path, steps=STEPS, scalars=1, transformer=transformer)
    yield path.stem
    server.http.delete(f"/runs/{path.stem}")


@pytest.fixture(scope="module")
def rich(server: Server) -> Iterator[str]:
    """A run with epochs, class scores and twelve further scalars."""
    path = server.home / "recordings" / f"rich{SUFFIX}"
    write_watched_run(
        path,
        steps=STEPS,
        scalars=12,
        steps_per_epoch=20,
        epochs=2,
        epoch=2,
        progress=10,
        classes=3,
    )
    yield path.stem
    server.http.delete(f"/runs/{path.stem}")


def chart_titles(page: Page) -> list[str]:
    return page.locator(TITLES).locator("visible=true").all_inner_texts()


def test_watched_run_counts_steps_and_leaves_its_control_to_its_program(
    server: Server, watched: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={watched}&step={STEPS}")
    wait_for_frame(page, STEPS)
    expect(page.locator(".stn-counter")).to_have_text(f"{STEPS}steps")
    fields = page.locator(".stn-measurements > div:visible dt").all_inner_texts()
    assert fields == ["Loss"]
    page.get_by_text("This run is trained by a program of its own").wait_for()
    for name in ("Training", "New run"):
        expect(page.get_by_role("group", name=name)).to_be_hidden()
    expect(page.locator(".stn-summary", has_text="Learning rates")).to_be_hidden()
    add = page.get_by_role("button", name="Add a picture")
    expect(add).to_be_disabled()
    assert "a program of its own" in str(add.get_attribute("title"))
    assert set(read_texts(page, ".stn-captions")) == {""}
    assert MODEL in page.locator(".stn-run-link").inner_text()
    row = page.locator(".stn-run[aria-current=true]")
    expect(row).to_contain_text(f"{MODEL}, ")
    expect(row).to_contain_text(f"step {STEPS} · ")
    assert row.get_by_role("button").all_inner_texts() == ["Download", "Rename", "Delete"]


def test_each_scalar_has_a_chart_and_empty_ones_are_left_out(
    server: Server, watched: str, rich: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={rich}&step={STEPS}&charts=all")
    wait_for_frame(page)
    scalars = [f"scalar {index}" for index in range(12)]
    wait_until(lambda: chart_titles(page) == ["Loss", *scalars])
    expect(page.locator(".stn-counter")).to_have_text("10/10of epoch 2 of 2")
    page.locator(f'.stn-run a[href="?run={watched}"]').click()
    wait_until(lambda: chart_titles(page) == ["Loss", "scalar 0"])


def test_comparison_draws_the_scalars_that_either_run_has(
    server: Server, watched: str, rich: str, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={watched}&step={STEPS}&compare={rich}&by=epoch&charts=all")
    wait_for_frame(page)
    values = page.locator(".stn-chart-head", has_text="scalar 2").locator(".stn-value:visible")
    expect(values.nth(0)).to_have_text("\u2013")
    expect(values.nth(1)).to_have_text("40.2")
    assert page.get_by_label("Compare by").input_value() == "step"
    page.goto(page.url.replace(f"compare={rich}", f"compare={stopped_run}"))
    wait_for_frame(page)
    wait_until(lambda: chart_titles(page) == [*FIXED, "scalar 0"])
