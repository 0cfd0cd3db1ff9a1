"""A photo, taken with the simulated camera of the browser."""

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_expression
from tests.live_server import Server

# Counts the page's requests for a camera.
COUNT_CAMERA_REQUESTS = """
window.cameraRequests = 0;
const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (constraints) => {
  window.cameraRequests += 1;
  return getUserMedia(constraints);
};
"""


def test_photo_is_classified_and_removed_with_the_camera(
    server: Server, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, still, init=COUNT_CAMERA_REQUESTS)
    camera_switch = page.get_by_text("Use the camera")
    camera_switch.wait_for()
    assert page.evaluate("window.cameraRequests") == 0
    assert page.locator("[data-testid=stCameraInput]").count() == 0
    camera_switch.click()
    page.locator("[data-testid=stCameraInput] video").wait_for()
    # A photo that is taken before the camera's first picture is empty.
    wait_for_expression(page, "document.querySelector('video').videoWidth > 0")
    assert page.evaluate("window.cameraRequests") > 0
    page.get_by_role("button", name="Take Photo").click()
    page.locator(".stn-picture [data-step]").wait_for()
    # Closing the camera removes its photo.
    camera_switch.click()
    page.locator("[data-testid=stCameraInput]").wait_for(state="detached")
    page.locator(".stn-picture").wait_for(state="detached")
