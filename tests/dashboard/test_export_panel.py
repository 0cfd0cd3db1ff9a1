"""Export of the shown run: its options, its preview, and the file."""

import io
import re

from PIL import Image

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_expression, wait_for_frame
from tests.live_server import Server


def test_file_is_previewed_made_and_downloaded(
    server: Server, stopped_run: str, still: str, open_component: OpenPage
) -> None:
    """Probes are chosen on the stage, and marked there; the file has them."""
    page = open_component(server, still)
    wait_for_frame(page)
    page.get_by_text("Export", exact=True).click()
    panels = page.locator(".stn-panels")
    panels.get_by_label("Format").select_option("csv")
    panels.get_by_text(re.compile(r"\d frames, .*\d rows, about .* kB")).wait_for()
    panels.get_by_label("Format").select_option("html")
    wait_for_expression(page, "document.querySelector('img.stn-gif').naturalWidth > 0")
    panels.get_by_label("Format").select_option("apng")
    panels.get_by_label("Steps").select_option("Chosen steps")
    panels.get_by_label("Frames", exact=True).fill("4")
    tile = page.locator(".stn-probe").nth(1)
    tile.click()
    assert tile.get_attribute("aria-pressed") == "true"
    panels.get_by_text("Chosen probes: 2", exact=True).wait_for()
    panels.get_by_text("4 frames, 1.65 s").wait_for()
    wait_for_expression(page, "document.querySelector('img.stn-gif').naturalWidth > 0")
    facts = panels.locator(".stn-export-facts", has_text="pixels").text_content() or ""
    page.get_by_role("button", name="Create", exact=True).click()
    link = page.get_by_role("link", name="Download")
    link.wait_for()
    image = page.locator("img.stn-gif[src^=blob]")
    assert stopped_run in (image.get_attribute("alt") or "")
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == f"stnscope-{stopped_run}.apng"
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as made:
        assert getattr(made, "n_frames", 1) == 4
        assert facts.split()[:3:2] == [str(made.width), str(made.height)]
        assert "--probes 1" in made.text["Comment"]  # type: ignore[attr-defined]


def test_invalid_options_are_reported(server: Server, still: str, open_component: OpenPage) -> None:
    page = open_component(server, still)
    wait_for_frame(page)
    page.get_by_text("Export", exact=True).click()
    page.locator(".stn-panels").get_by_label("Steps").select_option("Chosen steps")
    page.get_by_label("From step", exact=True).fill("30")
    page.get_by_label("To step", exact=True).fill("10")
    page.get_by_role("button", name="Create", exact=True).click()
    message = page.locator(".stn-panel-state", has_text="10")
    message.wait_for()
    assert page.locator("img.stn-gif[src]").count() == 0
