"""Export of the shown run as a GIF."""

import io

from PIL import Image

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_expression, wait_for_frame
from tests.live_server import Server


def test_gif_is_shown_and_downloaded(
    server: Server, stopped_run: str, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, still)
    wait_for_frame(page)
    page.get_by_text("Export", exact=True).click()
    page.get_by_label("Content").select_option("Chosen steps")
    page.get_by_label("Frames", exact=True).fill("4")
    page.locator(".stn-panels").get_by_label("Probes", exact=True).fill("2")
    page.get_by_role("button", name="Create GIF").click()
    image = page.locator("img.stn-gif[src]")
    image.wait_for()
    wait_for_expression(page, "document.querySelector('img.stn-gif').naturalWidth > 0")
    assert stopped_run in (image.get_attribute("alt") or "")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"stnscope-{stopped_run}.gif"
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as gif:
        assert gif.format == "GIF"
        assert getattr(gif, "n_frames", 1) == 4


def test_invalid_options_are_reported(server: Server, still: str, open_component: OpenPage) -> None:
    page = open_component(server, still)
    wait_for_frame(page)
    page.get_by_text("Export", exact=True).click()
    page.get_by_label("Content").select_option("Chosen steps")
    page.get_by_label("From step", exact=True).fill("30")
    page.get_by_label("To step", exact=True).fill("10")
    page.get_by_role("button", name="Create GIF").click()
    message = page.locator(".stn-panel-state", has_text="10")
    message.wait_for()
    assert page.locator("img.stn-gif[src]").count() == 0
