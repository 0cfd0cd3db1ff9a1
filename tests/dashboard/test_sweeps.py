"""The tab of sweeps, on recordings that were not trained for it, and the form that starts one."""

from collections.abc import Iterator
from shutil import copy

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.sweeps import Sweep, Sweeps
from tests.conftest import TrainedRun
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import open_tab, select_option
from tests.dashboard.test_accessibility import serious_violations
from tests.live_server import Server, wait_until
from tests.timeouts import TIMEOUT_MS

ACCURACIES = {"affine": (0.5, 0.7), "scale": (0.9, 0.8), "attention": (0.1, 0.3)}


@pytest.fixture
def sweep(server: Server, trained_run: TrainedRun) -> Iterator[Sweep]:
    """A sweep of three families and two seeds, one of whose runs was stopped."""
    sweeps = Sweeps(Runs(server.home / "recordings"))
    config = SweepConfig(name="Families", product={"family": list(ACCURACIES)}, seeds=[0, 1])
    created = sweeps.create(config, sweeps.plan(config))
    for run in created.runs:
        path = sweeps.runs.path(run.id)
        copy(trained_run.recording, path)
        accuracy = ACCURACIES[run.values["family"]][run.seed]
        with RecordingWriter.open(path) as writer:
            writer.update(accuracy=accuracy, collapsed=run.values["family"] == "attention")
            if accuracy == 0.3:
                writer.update(status="stopped")
    yield created
    for run in created.runs:
        sweeps.runs.new_path(run.id).unlink(missing_ok=True)
    sweeps.remove_file(created)


def families(page: Page) -> list[str]:
    return page.locator(".stn-sweep-table tbody th").all_inner_texts()


def row_of(page: Page, family: str) -> Locator:
    return page.locator(".stn-sweep-table tbody tr", has=page.get_by_text(family, exact=True))


def test_sweep_is_a_table_that_can_be_sorted(
    server: Server, sweep: Sweep, open_component: OpenPage
) -> None:
    page = open_component(server, f"?tab=sweeps&sweep={sweep.id}")
    expect(page.get_by_role("heading", name="Families")).to_be_visible()
    page.get_by_text("5 of 6 runs finished, 1 stopped", exact=True).wait_for()
    assert families(page) == ["affine", "scale", "attention"]
    row = row_of(page, "affine")
    for text in ("2 of 2", "60.0%", "50.0% to 70.0%", "0 of 2", "seed 0 · 50.0%"):
        expect(row).to_contain_text(text)
    # One of its runs has not finished: that one is not in the mean.
    for text in ("1 of 2", "10.0%", "2 of 2", "seed 1 · stopped"):
        expect(row_of(page, "attention")).to_contain_text(text)
    pictures = row.locator("img")
    expect(pictures).to_have_count(2)
    pictures.first.scroll_into_view_if_needed()
    page.wait_for_function("image => image.naturalWidth > 0", arg=pictures.first.element_handle())
    assert serious_violations(page) == []
    heading = page.get_by_role("columnheader", name="Accuracy")
    for order, direction in (
        (["scale", "affine", "attention"], "descending"),
        (["attention", "affine", "scale"], "ascending"),
    ):
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", direction)
        assert families(page) == order
    page.wait_for_url("**sort=accuracy*")
    page.reload(wait_until="commit")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert families(page) == ["attention", "affine", "scale"]


def test_lines_of_a_sweep_are_coloured_or_not(
    server: Server, sweep: Sweep, open_component: OpenPage
) -> None:
    page = open_component(server, f"?tab=sweeps&sweep={sweep.id}")
    chart = page.get_by_role("img", name="Accuracy on held-out images over epochs")
    expect(chart.locator(".stn-bands-mean")).to_have_count(3)
    expect(chart.locator(".stn-bands-range")).to_have_count(3)
    line = page.get_by_role("button", name="Line of scale")
    expect(line).to_have_attribute("aria-pressed", "true")
    line.click()
    expect(line).to_have_attribute("aria-pressed", "false")
    row_of(page, "affine").hover()
    expect(chart.locator(".stn-bands-range")).to_have_count(2)
    expect(chart.locator(".stn-bands-mean[data-pointed=true]")).to_have_attribute("data-line", "1")


def test_sweep_leads_to_its_runs_and_is_listed(
    server: Server, sweep: Sweep, trained_run: TrainedRun, open_component: OpenPage
) -> None:
    trained_run.copy_into(server.home)
    page = open_component(server, "?run=example-digits")
    listed = page.locator(".stn-runlist section", has_text="Sweeps").first
    expect(listed.locator("li")).to_contain_text("5 of 6 runs finished")
    # Its runs are not listed again.
    titles = page.locator(".stn-run-groups .stn-run a").evaluate_all(
        "(all) => all.map((each) => each.title)"
    )
    assert not {run.id for run in sweep.runs} & {*titles}
    listed.get_by_role("link", name="Families").click()
    page.wait_for_url(f"**tab=sweeps&sweep={sweep.id}*")
    row_of(page, "scale").get_by_role("link", name="seed 1").click()
    [run_id] = [run.id for run in sweep.runs if (run.values["family"], run.seed) == ("scale", 1)]
    page.wait_for_url(f"**?run={run_id}*")
    back = page.get_by_role("link", name="One run of a sweep")
    expect(back).to_have_attribute("href", f"?tab=sweeps&sweep={sweep.id}")
    page.go_back()
    expect(page.get_by_role("heading", name="Families")).to_be_visible()


def test_sweep_is_saved_and_deleted_as_one(
    server: Server, sweep: Sweep, open_component: OpenPage
) -> None:
    page = open_component(server, f"?tab=sweeps&sweep={sweep.id}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("run,family,seed,status,")
    assert len(lines) == 1 + len(sweep.runs)
    expect(page.get_by_role("button", name="Resume all")).to_be_visible()
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden()
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Confirm delete").click()
    expect(page.get_by_role("heading", name="Families")).to_be_hidden()
    assert server.http.get(f"/sweeps/{sweep.id}").status_code == 404
    page.get_by_text("There is no sweep here yet").wait_for()


def test_form_starts_a_sweep_of_compared_values(server: Server, open_page: OpenPage) -> None:
    page = open_page(server)
    open_tab(page, "New run")
    page.get_by_role("radio", name="Own settings").click()
    page.get_by_text("Compare values").click()

    def needs_values() -> bool:
        select_option(page, "Fields to compare", "Epochs")
        page.keyboard.press("Escape")
        try:
            page.get_by_text("Epochs has no values to compare yet.").wait_for(
                timeout=TIMEOUT_MS / 12
            )
        except PlaywrightTimeout:  # Streamlit drew the list again at the moment of the click
            return False
        return True

    wait_until(needs_values)
    expect(page.get_by_role("button", name="Train 0 runs")).to_be_disabled()
    values = page.get_by_label("Epochs: values")
    for text, answer in (("5, six", "Epochs: six is not a number."), ("5, 6", "2 runs at a time")):
        values.fill(text)
        values.press("Enter")
        page.get_by_text(answer).wait_for()
    page.get_by_role("button", name="Train 2 runs").click()
    page.wait_for_url("**tab=sweeps&sweep=*")
    page.get_by_role("button", name="Stop all").click()
    page.get_by_text("0 of 2 runs finished, 2 stopped", exact=True).wait_for()
    [sweep] = [each for each in server.http.get("/sweeps").json() if each["runs"] == 2]
    assert sweep["name"] == "Handwritten digits: epochs"
    assert sweep["fields"] == ["epochs"]
    server.http.delete(f"/sweeps/{sweep['id']}").raise_for_status()
