"""Pictures that a user adds to the probes of the run on the stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    read_texts,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
)
from tests.live_server import Server, wait_until

DROP_FILE = """async ([stage, address]) => {
  const content = await (await fetch(address)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([content], "dropped.png", { type: "image/png" }));
  for (const type of ["dragover", "drop"]) {
    stage.dispatchEvent(
      new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def run_id(server: Server) -> Iterator[str]:
    """A training run with three probes."""
    run_id = server.start_endless_run(probes={"count": 3})
    yield run_id
    server.control(run_id, "stop")


def add_picture(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a picture").click()
    chooser.value.set_files(file)


def wait_for_probe_count(page: Page, count: int) -> None:
    wait_for_expression(
        page, f"document.querySelectorAll('.stn-viewer .stn-probe').length === {count}"
    )


def test_chosen_picture_is_added_with_its_label(
    server: Server, run_id: str, open_component: OpenPage, picture: Path
) -> None:
    page = open_component(server, f"?run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    total = page.locator(".stn-right dd")
    assert total.inner_text().endswith("/3")
    page.get_by_role("combobox", name="Label of the picture").fill("7")
    add_picture(page, picture)
    wait_for_probe_count(page, 4)
    assert read_texts(page, ".stn-label") == ["0", "1", "2", "7, added"]
    assert total.inner_text().endswith("/4")
    wait_until(
        lambda: page.get_by_role("combobox", name="Label of the picture").input_value() == ""
    )
    # In a paused run the next picture appears at once; without a label its verdict is unknown.
    server.control(run_id, "pause")
    wait_for_status_text(page, "paused")
    add_picture(page, picture)
    wait_for_probe_count(page, 5)
    assert read_texts(page, ".stn-label")[3:] == ["7, added", "added"]
    assert total.inner_text().endswith("/4")
    added = page.locator(".stn-viewer .stn-probe").last
    assert added.get_attribute("data-verdict") == "unknown"
    assert server.get_run(run_id)["probes"] == 5


def test_picture_dropped_onto_the_stage_is_added(
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
    page.evaluate(DROP_FILE, [stage, address])
    wait_for_probe_count(page, 4)
    assert read_texts(page, ".stn-label")[3] == "added"


def test_file_that_is_not_a_picture_is_refused(
    server: Server, run_id: str, open_component: OpenPage, tmp_path: Path
) -> None:
    page = open_component(server, f"?run={run_id}")
    wait_for_frame(page)
    text = tmp_path / "notes.png"
    text.write_text("not a picture")
    offset = """() => document.querySelector(".stn-run-controls").getBoundingClientRect().top
      - document.querySelector(".stn-viewer").getBoundingClientRect().top"""
    before = page.evaluate(offset)
    add_picture(page, text)
    page.locator(".stn-message", has_text="not a picture in a known format").wait_for()
    assert page.evaluate(offset) == before
    assert server.get_run(run_id)["probes"] == 3
    assert page.get_by_role("button", name="Add a picture").is_enabled()


def test_add_button_of_a_stopped_run_is_disabled_with_a_reason(
    server: Server, still: str, open_component: OpenPage
) -> None:
    page = open_component(server, still)
    wait_for_frame(page)
    button = page.get_by_role("button", name="Add a picture")
    assert button.is_disabled()
    assert "this one is stopped" in (button.get_attribute("title") or "")
