"""A picture of one's own joins the probes of the run on the stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import read_texts, wait_for_frame, wait_for_status_text
from tests.live_server import Server, wait_until

DROP = """async ([stage, address]) => {
  const content = await (await fetch(address)).blob();
  const given = new DataTransfer();
  given.items.add(new File([content], "dropped.png", { type: "image/png" }));
  for (const type of ["dragover", "drop"]) {
    stage.dispatchEvent(
      new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def run_id(server: Server) -> Iterator[str]:
    """A run with three probes that trains."""
    run_id = server.start_run(epochs=1000, probes={"count": 3})
    server.wait_for_step(run_id, 1)
    yield run_id
    server.control(run_id, "stop")


def add(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a picture").click()
    chooser.value.set_files(file)


def await_pairs(page: Page, count: int) -> None:
    page.wait_for_function(
        f"document.querySelectorAll('.stn-viewer .stn-probe').length === {count}"
    )


def test_chosen_picture_joins_and_is_called_one_s_own(
    server: Server, run_id: str, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(server, f"?run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    total = page.locator(".stn-right dd")
    assert total.inner_text().endswith("/3")
    page.get_by_role("combobox", name="Label of the picture").fill("7")
    add(page, picture)
    await_pairs(page, 4)
    assert read_texts(page, ".stn-label") == ["0", "1", "2", "7, added"]
    assert total.inner_text().endswith("/4")
    wait_until(
        lambda: page.get_by_role("combobox", name="Label of the picture").input_value() == ""
    )
    # While it is paused the next one is there at once; nobody knows what it shows.
    server.control(run_id, "pause")
    wait_for_status_text(page, "paused")
    add(page, picture)
    await_pairs(page, 5)
    assert read_texts(page, ".stn-label")[3:] == ["7, added", "added"]
    assert total.inner_text().endswith("/4")
    own = page.locator(".stn-viewer .stn-probe").last
    assert own.get_attribute("data-verdict") == "unknown"
    assert server.get_run(run_id)["probes"] == 5


def test_picture_that_is_dropped_onto_the_stage_joins(
    server: Server, run_id: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={run_id}")
    wait_for_frame(page)
    stage = page.locator(".stn-viewer .stn-probes").element_handle()
    address = page.evaluate(
        """() => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
          const context = canvas.getContext("2d");
          context.fillRect(0, 0, 28, 28);
          context.fillStyle = "white";
          context.fillRect(12, 4, 4, 20);
          return canvas.toDataURL("image/png");
        }"""
    )
    page.evaluate(DROP, [stage, address])
    await_pairs(page, 4)
    assert read_texts(page, ".stn-label")[3] == "added"


def test_what_is_no_picture_is_refused_in_words(
    server: Server, run_id: str, open_component: OpenPage, tmp_path: Path
) -> None:
    page = open_component(server, f"?run={run_id}")
    wait_for_frame(page)
    text = tmp_path / "notes.png"
    text.write_text("no picture at all")
    below = """() => document.querySelector(".stn-run-controls").getBoundingClientRect().top
      - document.querySelector(".stn-viewer").getBoundingClientRect().top"""
    before = page.evaluate(below)
    add(page, text)
    page.locator(".stn-message", has_text="not a picture in a known format").wait_for()
    assert page.evaluate(below) == before
    assert server.get_run(run_id)["probes"] == 3
    assert page.get_by_role("button", name="Add a picture").is_enabled()


def test_where_nothing_trains_the_button_says_why(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    button = page.get_by_role("button", name="Add a picture")
    assert button.is_disabled()
    assert "this one is stopped" in (button.get_attribute("title") or "")
