"""A photo of a digit, taken with the camera of a browser that has a made-up one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.dashboard.conftest import OpenPage, open_browser
from tests.live_server import Server

CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

# How often the page has asked for a camera.
ASKED = """
window.asked = 0;
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => {
  window.asked += 1;
  return ask(wanted);
};
"""


@pytest.fixture(scope="module")
def context(chromium: str, profile: Path) -> Iterator[BrowserContext]:
    with open_browser(chromium, profile, *CAMERA) as context:
        yield context


def test_photo_is_put_through_the_network(
    server: Server, stopped_run: str, open_page: OpenPage
) -> None:
    page = open_page(server, f"?run={stopped_run}", init=ASKED)
    wanted = page.get_by_text("Use the camera")
    wanted.wait_for()
    assert page.evaluate("window.asked") == 0
    assert page.locator("[data-testid=stCameraInput]").count() == 0
    wanted.click()
    page.locator("[data-testid=stCameraInput] video").wait_for()
    # A photo can be taken before the camera's first picture, and is then empty.
    page.wait_for_function("document.querySelector('video').videoWidth > 0")
    assert page.evaluate("window.asked") > 0
    page.get_by_role("button", name="Take Photo").click()
    page.locator(".stn-picture [data-step]").wait_for()
    # Without the camera its photo is gone too.
    wanted.click()
    page.locator("[data-testid=stCameraInput]").wait_for(state="detached")
    page.locator(".stn-picture").wait_for(state="detached")
