"""A page in one file, opened from disk: the same player, without a server and without a request."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.runs import example_path
from tests.dashboard.conftest import OpenAddress

LAST_STEP = 1125


def test_a_page_in_one_file_plays_from_disk(
    tmp_path: Path, context: BrowserContext, open_address: OpenAddress
) -> None:
    file = tmp_path / "run & digits.html"
    with Recording.open(example_path("example-digits")) as recording:
        export(recording, ExportOptions(format="html", probes="0,3,5"), file)
        steps = recording.frame_steps()
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    page_address = f"{file.as_uri()}?step={LAST_STEP}&layers=dots.outline.mesh"
    page = open_address(page_address)
    page.wait_for_function(f"paints.at(-1) === {LAST_STEP}")
    expect(page.locator(".stn-plot .main-svg").first).to_be_visible()
    expect(page.locator(".stn-plot .js-line").first).to_have_css("stroke", "rgb(36, 87, 197)")
    expect(page.locator(".stn-probe:visible")).to_have_count(3)
    page.keyboard.press("Home")
    page.wait_for_function("paints.at(-1) === 0")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"paints.at(-1) === {steps[1]}")
    page.wait_for_url(re.compile(rf"step={steps[1]}(&|$)"))
    page.wait_for_url("**layers=dots.outline.mesh**")
    page.keyboard.press("Space")
    page.wait_for_function(f"paints.at(-1) > {steps[3]}")
    page.get_by_role("switch", name="Moving probes").click()
    expect(page.locator(".stn-state")).to_contain_text("Closing lap")
    # What needs a server is not there.
    for text in ("Export", "Restart", "Learning rates", "How it works", "Follow live"):
        expect(page.get_by_text(text, exact=True).locator("visible=true")).to_have_count(0)
    assert {address.partition(":")[0] for address in requested} <= {"file", "blob"}
    assert [address for address in requested if address.startswith("file:")] == [page_address]
