"""Dragging the region of an uploaded picture, in a real browser against a real server."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, WebSocket

from stnscope.backend.experiment.frames.frame import Frame
from tests.dashboard.conftest import OpenPage
from tests.dashboard.javascript import region_sentence
from tests.dashboard.page_queries import choose_picture, pump_events, read_large_pixels
from tests.live_server import Server, inference_pid, wait_until

HANDLES = ".stn-picture .stn-handle"
EXAMPLES = Path(__file__).parents[2] / "dashboard" / "assets" / "examples"


class ReceivedFrames:
    """The frames of the network with a transformer that the page receives on its streams."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def listen(self, socket: WebSocket) -> None:
        if "/transform/stream" in socket.url:
            socket.on("framereceived", self._on_message)

    def _on_message(self, payload: str | bytes) -> None:
        frame = Frame.decode(payload) if isinstance(payload, bytes) else None
        if frame is not None and frame.transformers:
            self.frames.append(frame)


@pytest.fixture
def received() -> ReceivedFrames:
    return ReceivedFrames()


@pytest.fixture
def upload_picture(
    server: Server,
    open_component: OpenPage,
    picture: Path,
    received: ReceivedFrames,
) -> Callable[..., Page]:
    """Open the page and upload a picture."""

    def upload_picture(**options: object) -> Page:
        page = open_component(server, "?tab=picture", on_socket=received.listen, **options)
        choose_picture(page, picture)
        wait_for_pixels(page, fetch_transform(server, picture))
        show_handles(page)
        return page

    return upload_picture


def show_handles(page: Page) -> None:
    """Let the region be dragged, in place of the picture."""
    page.get_by_role("button", name="the region").click()
    page.locator(f"{HANDLES}:visible").nth(3).wait_for()


def fetch_transform(server: Server, picture: Path, theta: np.ndarray | None = None) -> Frame:
    """Return the response of `POST /transform` for a picture, with a theta override if given."""
    override = {} if theta is None else {"theta": json.dumps({"st": theta.astype(float).tolist()})}
    response = server.http.post(
        "/transform", files={"image": picture.read_bytes()}, data={"weights": "digits"} | override
    )
    return Frame.decode(response.raise_for_status().content)


def wait_for_corners(
    page: Page, received: ReceivedFrames, corners: np.ndarray, tolerance: float = 1e-3
) -> Frame:
    """Wait for a frame whose region has these corners; return it."""

    def has_corners() -> bool:
        pump_events(page)
        if not received.frames:
            return False
        distance = received.frames[-1].tensors["corners.st"][0] - corners
        return bool(np.abs(distance).max() < tolerance)

    wait_until(has_corners)
    return received.frames[-1]


def wait_for_given_region(page: Page, received: ReceivedFrames) -> np.ndarray:
    """Wait for a frame whose region was chosen by hand; return its corners.

    The page may show it before Playwright has delivered it.
    """

    def is_given() -> bool:
        pump_events(page)
        return bool(received.frames and received.frames[-1].info.get("given"))

    wait_until(is_given)
    corners: np.ndarray = received.frames[-1].tensors["corners.st"][0]
    return corners


def wait_for_pixels(page: Page, frame: Frame) -> None:
    """Wait until input and output show exactly the pixels of a frame."""
    expected = [frame.tensors[name].ravel().tolist() for name in ("input", "output.st")]
    wait_until(lambda: read_large_pixels(page, ".stn-picture") == expected)


def centre(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pixel_size(page: Page) -> float:
    """Return the CSS pixels per pixel of the input: 48 and a margin of 8 on each side."""
    box = page.locator(".stn-picture .stn-handles").bounding_box()
    assert box is not None
    return box["width"] / 64


def drag(page: Page, element: Locator, by: tuple[float, float]) -> None:
    """Drag an element at its centre, by a distance in pixels of the input."""
    element.scroll_into_view_if_needed()
    start, scale = centre(element), pixel_size(page)
    page.mouse.move(*start)
    page.mouse.down()
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(start[0] + part * scale * by[0], start[1] + part * scale * by[1])
    page.mouse.up()


def test_dragged_corner_updates_the_whole_result(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: ReceivedFrames
) -> None:
    page = upload_picture()
    original = fetch_transform(server, picture)
    corners = original.tensors["corners.st"][0]
    reset_button = page.get_by_role("button", name="Reset region")
    assert reset_button.is_disabled()
    drag(page, page.locator(HANDLES).nth(2), (-6, 3))
    # The opposite corner stays, its neighbours move half as far.
    moved_corners = corners + np.array([[0, 0], [-3, 1.5], [-6, 3], [-3, 1.5]])
    seen = wait_for_corners(page, received, moved_corners, tolerance=0.1)  # one or two CSS pixels
    expected = fetch_transform(server, picture, seen.tensors["theta.st"][0])
    wait_for_pixels(page, expected)
    result = page.locator(".stn-picture")
    sentence = region_sentence(expected)
    result.locator(".stn-theta-text", has_text=sentence).wait_for()
    texts = [text.replace("\u2212", "-") for text in result.locator("td").all_inner_texts()]
    np.testing.assert_allclose(
        [float(text) for text in texts], expected.tensors["theta.st"][0], atol=5.01e-4
    )
    percentages = [
        float(text.rstrip("%"))
        for text in result.locator(".stn-class-probability").all_inner_texts()
    ]
    np.testing.assert_allclose(percentages, 100 * expected.tensors["probabilities"][0], atol=0.5001)
    predicted = result.locator(".stn-class[aria-current=true] .stn-class-name").inner_text()
    assert predicted == str(expected.info["predicted"][0])
    result.get_by_text("You chose this region").wait_for()
    # The handle is at the corner.
    handles = page.locator(".stn-picture .stn-handles").bounding_box()
    assert handles is not None
    corner = seen.tensors["corners.st"][0, 0]
    expected_centre = np.array([handles["x"], handles["y"]]) + (corner + 8) * handles["width"] / 64
    np.testing.assert_allclose(centre(page.locator(HANDLES).nth(0)), expected_centre, atol=1)
    reset_button.click()
    wait_for_corners(page, received, corners)
    wait_for_pixels(page, original)
    assert reset_button.is_disabled()


def test_whole_region_is_dragged_by_its_inside(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: ReceivedFrames
) -> None:
    page = upload_picture()
    corners = fetch_transform(server, picture).tensors["corners.st"][0]
    drag(page, page.locator(".stn-picture .stn-handle-region"), (4, -5))
    seen = wait_for_corners(page, received, corners + np.array([4, -5]), tolerance=0.1)
    wait_for_pixels(page, fetch_transform(server, picture, seen.tensors["theta.st"][0]))


def test_keys_move_corners_and_the_region(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: ReceivedFrames
) -> None:
    page = upload_picture()
    corners = fetch_transform(server, picture).tensors["corners.st"][0]
    page.locator(".stn-picture .stn-handle-region").focus()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.get_attribute("aria-label") == "The output's top left corner: arrow keys move it"
    # Keys are pressed faster than responses arrive; none is lost.
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    moved = corners + np.array([[4, 5], [2, 2.5], [0, 0], [2, 2.5]])
    wait_for_corners(page, received, moved)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    seen = wait_for_corners(page, received, moved + np.array([-5, -1]))
    wait_for_pixels(page, fetch_transform(server, picture, seen.tensors["theta.st"][0]))


@pytest.mark.parametrize("width", [390, 1280])
def test_handles_are_large_enough_for_touch(
    upload_picture: Callable[..., Page], width: int
) -> None:
    page = upload_picture(viewport={"width": width, "height": 844})
    pane = page.locator(".stn-picture .stn-pane-viewport").first.bounding_box()
    assert pane is not None
    for handle in page.locator(HANDLES).all():
        box = handle.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        assert box["x"] >= pane["x"] - 0.5
        assert box["x"] + box["width"] <= pane["x"] + pane["width"] + 0.5


def test_touch_drags_the_region(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: ReceivedFrames
) -> None:
    page = upload_picture(has_touch=True, viewport={"width": 390, "height": 844})
    corners = fetch_transform(server, picture).tensors["corners.st"][0]
    region = page.locator(".stn-picture .stn-handle-region")
    region.scroll_into_view_if_needed()
    scrolled = page.evaluate("document.scrollingElement.scrollTop")
    x, y = centre(region)
    touch = page.context.new_cdp_session(page)
    scale = pixel_size(page)

    def send(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", x, y)
    for part in (0.25, 0.5, 0.75, 1.0):
        send("touchMove", x, y - part * 8 * scale)
    send("touchEnd")
    seen = wait_for_corners(page, received, corners + np.array([0, -8]), tolerance=0.1)
    wait_for_pixels(page, fetch_transform(server, picture, seen.tensors["theta.st"][0]))
    assert page.evaluate("document.scrollingElement.scrollTop") == scrolled


def test_next_picture_starts_with_the_region_of_the_network(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: ReceivedFrames
) -> None:
    page = upload_picture()
    page.locator(".stn-picture .stn-handle-region").focus()
    page.keyboard.press("Shift+ArrowLeft")
    result = page.locator(".stn-picture")
    result.get_by_text("You chose this region").wait_for()
    paper = EXAMPLES / "paper.png"
    choose_picture(page, paper)
    result.locator(".stn-notes li", has_text="nvert").first.wait_for()
    result.get_by_text("Drag a corner").wait_for()
    original = fetch_transform(server, paper)
    wait_for_pixels(page, original)
    region = page.locator(".stn-picture .stn-handle-region")
    region.press("ArrowLeft")
    seen = wait_for_corners(page, received, original.tensors["corners.st"][0] + np.array([-1, 0]))
    assert seen.info["picture"] == original.info["picture"]


def test_regions_of_a_run_have_no_handles(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&step=0")
    page.locator(".stn-viewer .stn-detail[data-step]").wait_for()
    assert page.locator(".stn-viewer .stn-handle").count() == 0


def test_picture_that_the_server_has_lost_is_sent_again(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: ReceivedFrames
) -> None:
    page = upload_picture()
    corners = fetch_transform(server, picture).tensors["corners.st"][0]
    os.kill(inference_pid(server), signal.SIGKILL)
    region = page.locator(".stn-picture .stn-handle-region")
    message = page.locator(".stn-picture .stn-handle-controls")
    region.press("ArrowLeft")
    # The first request may get the message that the process has ended.
    message.get_by_text(re.compile("ended while it read this one|You chose")).wait_for()
    page.keyboard.press("ArrowLeft")
    message.get_by_text("You chose this region").wait_for()

    def has_moved() -> bool:
        left = wait_for_given_region(page, received)[0, 0]
        return bool(left < corners[0, 0] - 0.9)

    wait_until(has_moved)


def test_lost_connection_is_reported_and_restored(
    own_server: Server, open_component: OpenPage, received: ReceivedFrames
) -> None:
    page = open_component(own_server, "?tab=picture&picture=paper", on_socket=received.listen)
    page.locator(".stn-picture [data-step]").wait_for()
    show_handles(page)
    result = page.locator(".stn-picture")
    region = result.locator(".stn-handle-region")
    region.press("ArrowLeft")
    result.get_by_text("You chose this region").wait_for()
    corners = wait_for_given_region(page, received)
    before = read_large_pixels(page, ".stn-picture")
    own_server.stop(signal.SIGKILL)
    result.get_by_text("The connection is lost").wait_for()
    region.press("ArrowLeft")  # sent again once the connection is restored
    assert read_large_pixels(page, ".stn-picture") == before
    own_server.start()
    result.get_by_text("You chose this region").wait_for()
    region.press("ArrowUp")
    wait_for_corners(page, received, corners + np.array([-1, -1]))
