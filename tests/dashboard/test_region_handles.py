"""The regions of a picture of one's own, dragged in a real browser against a real server."""

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
from tests.dashboard.page_queries import read_large_pixels, wait_for_frame
from tests.live_server import Server, inference_pid, wait_until

HANDLES = ".stn-picture .stn-handle"
EXAMPLES = Path(__file__).parents[2] / "dashboard" / "assets" / "examples"


class Heard:
    """The frames that the page is sent on the socket of pictures."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def listen(self, socket: WebSocket) -> None:
        if "/transform/stream" in socket.url:
            socket.on("framereceived", self._take)

    def _take(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            self.frames.append(Frame.decode(payload))


@pytest.fixture
def received() -> Heard:
    return Heard()


@pytest.fixture
def upload_picture(
    server: Server, stopped_run: str, open_component: OpenPage, picture: Path, received: Heard
) -> Callable[..., Page]:
    """Opens the page and puts a picture in."""

    def upload_picture(**options: object) -> Page:
        page = open_component(
            server, f"?run={stopped_run}&step=0", on_socket=received.listen, **options
        )
        page.locator(".st-key-upload input[type=file]").set_input_files(picture)
        page.locator(f"{HANDLES}:visible").nth(3).wait_for()
        return page

    return upload_picture


def asked(server: Server, picture: Path, theta: np.ndarray | None = None) -> Frame:
    """What the form answers of the same picture."""
    told = {} if theta is None else {"theta": json.dumps({"st": theta.astype(float).tolist()})}
    answer = server.http.post(
        "/transform", files={"image": picture.read_bytes()}, data={"weights": "digits"} | told
    )
    return Frame.decode(answer.raise_for_status().content)


def await_corners(page: Page, received: Heard, corners: np.ndarray, within: float = 1e-3) -> Frame:
    """Waits until the region has these corners; the frame that has them."""

    def there() -> bool:
        page.wait_for_timeout(20)  # frames are heard while the page is waited for
        if not received.frames:
            return False
        away = received.frames[-1].tensors["corners.st"][0] - corners
        return bool(np.abs(away).max() < within)

    wait_until(there)
    return received.frames[-1]


def await_shown(page: Page, frame: Frame) -> None:
    """Waits until input and output are those of a frame, pixel by pixel."""
    wanted = [frame.tensors[name].ravel().tolist() for name in ("input", "output.st")]
    wait_until(lambda: read_large_pixels(page, ".stn-picture") == wanted)


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pixel(page: Page) -> float:
    """CSS pixels that a pixel of the input takes, which has a margin of 8 around 48."""
    box = page.locator(".stn-picture .stn-handles").bounding_box()
    assert box is not None
    return box["width"] / 64


def drag(page: Page, held: Locator, by: tuple[float, float]) -> None:
    """Drags something by its middle, by pixels of the input."""
    held.scroll_into_view_if_needed()
    start, scale = middle(held), pixel(page)
    page.mouse.move(*start)
    page.mouse.down()
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(start[0] + part * scale * by[0], start[1] + part * scale * by[1])
    page.mouse.up()


def test_a_dragged_corner_is_followed_by_all_that_is_shown(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: Heard
) -> None:
    page = upload_picture()
    own = asked(server, picture)
    corners = own.tensors["corners.st"][0]
    back = page.get_by_role("button", name="Reset region")
    assert back.is_disabled()
    drag(page, page.locator(HANDLES).nth(2), (-6, 3))
    # The opposite corner stays, the neighbours share the way.
    wanted = corners + np.array([[0, 0], [-3, 1.5], [-6, 3], [-3, 1.5]])
    seen = await_corners(page, received, wanted, within=0.1)  # of a CSS pixel or two
    expected = asked(server, picture, seen.tensors["theta.st"][0])
    await_shown(page, expected)
    result = page.locator(".stn-picture")
    words = region_sentence(expected)
    result.locator(".stn-theta-text", has_text=words).wait_for()
    told = [text.replace("\u2212", "-") for text in result.locator("td").all_inner_texts()]
    np.testing.assert_allclose(
        [float(text) for text in told], expected.tensors["theta.st"][0], atol=5.01e-4
    )
    chances = [
        float(text.rstrip("%"))
        for text in result.locator(".stn-class-probability").all_inner_texts()
    ]
    np.testing.assert_allclose(chances, 100 * expected.tensors["probabilities"][0], atol=0.5001)
    taken = result.locator(".stn-class[aria-current=true] .stn-class-name").inner_text()
    assert taken == str(expected.info["predicted"][0])
    result.get_by_text("You chose this region.").wait_for()
    # The handle lies where the corner lies.
    where = page.locator(".stn-picture .stn-handles").bounding_box()
    assert where is not None
    corner = seen.tensors["corners.st"][0, 0]
    there = np.array([where["x"], where["y"]]) + (corner + 8) * where["width"] / 64
    np.testing.assert_allclose(middle(page.locator(HANDLES).nth(0)), there, atol=1)
    back.click()
    await_corners(page, received, corners)
    await_shown(page, own)
    assert back.is_disabled()


def test_the_whole_region_is_dragged_by_its_inside(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: Heard
) -> None:
    page = upload_picture()
    corners = asked(server, picture).tensors["corners.st"][0]
    drag(page, page.locator(".stn-picture .stn-handle-region"), (4, -5))
    seen = await_corners(page, received, corners + np.array([4, -5]), within=0.1)
    await_shown(page, asked(server, picture, seen.tensors["theta.st"][0]))


def test_corners_and_the_region_are_moved_by_keys(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: Heard
) -> None:
    page = upload_picture()
    corners = asked(server, picture).tensors["corners.st"][0]
    assert wait_for_frame(page, 0) == 0
    page.locator(".stn-picture .stn-handle-region").focus()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.get_attribute("aria-label") == "The output's top left corner: arrow keys move it"
    # Faster than answers come: none of them is lost.
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    moved = corners + np.array([[4, 5], [2, 2.5], [0, 0], [2, 2.5]])
    await_corners(page, received, moved)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    seen = await_corners(page, received, moved + np.array([-5, -1]))
    await_shown(page, asked(server, picture, seen.tensors["theta.st"][0]))
    # The keys were meant for nothing else.
    assert wait_for_frame(page) == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_handles_are_large_enough_for_a_finger(
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


def test_a_finger_drags_too(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: Heard
) -> None:
    page = upload_picture(has_touch=True, viewport={"width": 390, "height": 844})
    corners = asked(server, picture).tensors["corners.st"][0]
    region = page.locator(".stn-picture .stn-handle-region")
    region.scroll_into_view_if_needed()
    scrolled = page.evaluate("document.scrollingElement.scrollTop")
    x, y = middle(region)
    touch = page.context.new_cdp_session(page)
    scale = pixel(page)

    def send(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", x, y)
    for part in (0.25, 0.5, 0.75, 1.0):
        send("touchMove", x, y - part * 8 * scale)
    send("touchEnd")
    seen = await_corners(page, received, corners + np.array([0, -8]), within=0.1)
    await_shown(page, asked(server, picture, seen.tensors["theta.st"][0]))
    assert page.evaluate("document.scrollingElement.scrollTop") == scrolled


def test_another_picture_begins_with_where_its_network_looks(
    server: Server, upload_picture: Callable[..., Page], picture: Path, received: Heard
) -> None:
    page = upload_picture()
    page.locator(".stn-picture .stn-handle-region").focus()
    page.keyboard.press("Shift+ArrowLeft")
    result = page.locator(".stn-picture")
    result.get_by_text("You chose this region.").wait_for()
    paper = EXAMPLES / "paper.png"
    page.locator(".st-key-upload input[type=file]").set_input_files(paper)
    result.locator(".stn-notes li", has_text="nvert").first.wait_for()
    result.get_by_text("Drag a corner").wait_for()
    own = asked(server, paper)
    await_shown(page, own)
    region = page.locator(".stn-picture .stn-handle-region")
    region.focus()
    page.keyboard.press("ArrowLeft")
    seen = await_corners(page, received, own.tensors["corners.st"][0] + np.array([-1, 0]))
    assert seen.info["picture"] == own.info["picture"]


def test_a_run_s_regions_are_not_to_be_dragged(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe")
    page.locator(".stn-viewer .stn-detail[data-step]").wait_for()
    assert page.locator(".stn-viewer .stn-handle").count() == 0


def test_a_picture_that_the_server_has_lost_is_to_be_put_in_again(
    server: Server, upload_picture: Callable[..., Page]
) -> None:
    page = upload_picture()
    before = read_large_pixels(page, ".stn-picture")
    os.kill(inference_pid(server), signal.SIGKILL)
    region = page.locator(".stn-picture .stn-handle-region")
    word = page.locator(".stn-picture .stn-handle-controls")
    region.focus()
    page.keyboard.press("ArrowLeft")
    # The first to ask may be told that the process has ended.
    word.get_by_text(re.compile("ended while it read this one|Upload it again")).wait_for()
    page.keyboard.press("ArrowLeft")
    word.get_by_text("Upload it again").wait_for()
    assert read_large_pixels(page, ".stn-picture") == before


def test_a_lost_connection_is_told_and_mends_itself(
    own_server: Server, open_page: OpenPage, received: Heard
) -> None:
    run_id = own_server.start_run(epochs=1000)
    own_server.control(run_id, "stop")
    page = open_page(own_server, f"?run={run_id}", on_socket=received.listen)
    wait_for_frame(page)
    page.get_by_text("On paper").click()
    page.locator(f"{HANDLES}:visible").nth(3).wait_for()
    result = page.locator(".stn-picture")
    region = result.locator(".stn-handle-region")
    region.focus()
    page.keyboard.press("ArrowLeft")
    result.get_by_text("You chose this region.").wait_for()
    corners = received.frames[-1].tensors["corners.st"][0]
    before = read_large_pixels(page, ".stn-picture")
    own_server.stop(signal.SIGKILL)
    result.get_by_text("The connection is lost").wait_for()
    region.focus()
    page.keyboard.press("ArrowLeft")  # asked once more when the connection is back
    assert read_large_pixels(page, ".stn-picture") == before
    own_server.start()
    result.get_by_text("You chose this region.").wait_for()
    region.focus()
    page.keyboard.press("ArrowUp")
    await_corners(page, received, corners + np.array([-1, -1]))
