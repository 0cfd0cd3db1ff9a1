"""*Try a picture*: a picture is chosen, varied, swept and saved; both networks answer it."""

import csv
import io
import json
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from tests.dashboard.conftest import LAPTOP, OpenPage
from tests.dashboard.javascript import region_sentence
from tests.dashboard.page_queries import (
    choose_picture,
    pump_events,
    read_large_pixels,
    wait_for_expression,
)
from tests.live_server import Server, wait_until
from tests.timeouts import TIMEOUT_MS

CLIPBOARD = ["clipboard-read", "clipboard-write"]
EXAMPLES = Path(__file__).parents[2] / "dashboard" / "assets" / "examples"
TAB = "?tab=picture"
RESULT = ".stn-picture"

# Counts the page's requests for a camera.
COUNT_CAMERA_REQUESTS = """
window.cameraRequests = 0;
const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (constraints) => {
  window.cameraRequests += 1;
  return getUserMedia(constraints);
};
"""


def fetch_transform(
    server: Server, picture: Path, weights: str = "digits", **fields: object
) -> Frame:
    """Return the frame of a picture, with further fields of the form as JSON."""
    data = {name: json.dumps(value) for name, value in fields.items()}
    response = server.http.post(
        "/transform", files={"image": picture.read_bytes()}, data=data | {"weights": weights}
    )
    return Frame.decode(response.raise_for_status().content)


def wait_for_pixels(page: Page, frame: Frame) -> None:
    """Wait until input and output show exactly the pixels of a frame."""
    expected = [frame.tensors[name].ravel().tolist() for name in ("input", "output.st")]
    wait_until(lambda: read_large_pixels(page, RESULT) == expected)


def set_slider(page: Page, label: str, value: float) -> None:
    page.get_by_role("slider", name=label, exact=True).fill(str(value))


def query_of(page: Page) -> dict[str, str]:
    """Return the parameters of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_example_is_shown_at_once_and_another_file_in_its_place(
    server: Server, open_component: OpenPage, picture: Path
) -> None:
    page = open_component(server, TAB)
    result = page.locator(RESULT)
    result.locator("[data-step]").wait_for()
    wait_for_pixels(page, fetch_transform(server, EXAMPLES / "upright.png"))
    title = result.locator(".stn-detail-title")
    expect(title).to_have_text("Upright: 4")
    # Picture, region and output are seen without scrolling.
    expect(result.locator(".stn-detail-panes")).to_be_in_viewport(ratio=1)
    choose_picture(page, picture)
    expected = fetch_transform(server, picture)
    wait_for_pixels(page, expected)
    expect(title).to_contain_text("Your picture")
    assert result.locator(".stn-theta-text").inner_text() == region_sentence(expected)
    percentages = [
        float(text.rstrip("%"))
        for text in result.locator(".stn-class-probability").all_inner_texts()
    ]
    np.testing.assert_allclose(percentages, 100 * expected.tensors["probabilities"][0], atol=0.5001)
    predicted = result.locator(".stn-class[aria-current=true] .stn-class-name").inner_text()
    assert predicted == str(expected.info["predicted"][0])
    # The same data's network without a transformer.
    without = fetch_transform(server, picture, "digits-cnn")
    panel = page.locator(".stn-without")
    name = without.info["classes"][without.info["predicted"][0]]
    expect(panel.locator(".stn-detail-verdict")).to_contain_text(f"classified as {name} (")
    # A link does not contain the picture, and the page states this.
    wait_until(lambda: query_of(page)["picture"] == "own")
    page.goto(page.url, wait_until="commit")
    expect(page.locator(".stn-tab-message")).to_contain_text("this is an example in its place")
    page.get_by_role("button", name="Among clutter").click()
    expect(result.locator(".stn-detail-verdict")).to_contain_text("which is wrong")
    expect(page.locator(".stn-tab-message")).to_be_empty()


def test_variation_is_that_of_the_server_and_a_link_shows_it_again(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, f"{TAB}&picture=corner")
    page.locator(f"{RESULT} [data-step]").wait_for()
    set_slider(page, "Rotation", 40)
    set_slider(page, "Shift right", -0.3)
    variation = {"rotation": 40, "shift_x": -0.3}
    expected = fetch_transform(server, EXAMPLES / "corner.png", variation=variation)
    wait_for_pixels(page, expected)
    wait_until(lambda: query_of(page).get("rotation") == "40")
    assert query_of(page)["shift_x"] == "-0.3"
    address = page.url
    page.get_by_role("button", name="Reset variations").click()
    wait_for_pixels(page, fetch_transform(server, EXAMPLES / "corner.png"))
    page.goto(address, wait_until="commit")
    page.locator(f"{RESULT} [data-step]").wait_for()
    wait_for_pixels(page, expected)
    # Dragged by a quarter of the input, in pixels of the screen.
    box = page.locator(".stn-picture-drag").bounding_box()
    assert box is not None
    start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + box["width"] * 48 / 64 / 4, start[1])
    page.mouse.up()
    wait_until(lambda: abs(float(query_of(page).get("shift_x", "0")) - 0.2) < 0.01)


def test_late_answers_are_drawn_while_newer_ones_are_awaited(
    server: Server, browser: Browser
) -> None:
    held: list[tuple[WebSocketRoute, bytes]] = []
    is_held = False

    def hold_frames(route: WebSocketRoute) -> None:
        def receive(message: str | bytes) -> None:
            if is_held and isinstance(message, bytes):
                held.append((route, message))
            else:
                route.send(message)

        route.connect_to_server().on_message(receive)

    def wait_for_held(count: int) -> None:
        while len(held) < count:
            pump_events(page)

    # Routes of sockets stay as long as their context.
    page = browser.new_context(viewport=LAPTOP).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.route_web_socket("**/transform/stream", hold_frames)
    page.goto(f"http://localhost:{server.port}/component/{TAB}&picture=corner")
    wait_for_pixels(page, fetch_transform(server, EXAMPLES / "corner.png"))
    page.locator(".stn-without .stn-detail-verdict").wait_for()
    is_held = True
    rotations = (40, 80)
    for number, rotation in enumerate(rotations, start=1):
        set_slider(page, "Rotation", rotation)
        wait_for_held(2 * number)  # of both networks
    for rotation in rotations:
        for route, message in (held.pop(0), held.pop(0)):
            route.send(message)
        variation = {"rotation": rotation}
        wait_for_pixels(page, fetch_transform(server, EXAMPLES / "corner.png", variation=variation))
    page.context.close()


def test_gallery_shows_signs_with_their_network(
    server: Server, open_component: OpenPage, context: BrowserContext
) -> None:
    held: list[Route] = []
    context.route("**/api/weights", lambda route: held.append(route))
    page = open_component(server, TAB)
    # Chosen before the page has the list of networks.
    with page.expect_response("**/examples/dark.png"):
        page.get_by_role("button", name="In the dark").click()
    while not held:
        pump_events(page)
    held[0].continue_()
    context.unroute_all()
    predicted = page.locator(f"{RESULT} .stn-class[aria-current=true] .stn-class-name")
    expect(predicted).to_have_text("keep right")
    expect(page.get_by_label("Trained network")).to_have_value("signs")
    texts = page.locator(f"{RESULT} .stn-class-probability").all_inner_texts()
    percentages = [float(text.rstrip("%")) for text in texts]
    assert percentages == sorted(percentages, reverse=True)


def test_refused_file_shows_the_servers_message_and_loses_nothing(
    server: Server, open_component: OpenPage, picture: Path, tmp_path: Path
) -> None:
    page = open_component(server, TAB)
    choose_picture(page, picture)
    expected = fetch_transform(server, picture)
    wait_for_pixels(page, expected)
    message = page.locator(".stn-tab-message")
    for name, content, text in (
        ("broken.png", b"not a picture", "not a picture"),
        ("large.png", bytes(MAX_PICTURE_BYTES + 1), "larger than"),
    ):
        broken = tmp_path / name
        broken.write_bytes(content)
        page.locator(".stn-source input[type=file]").set_input_files(broken)
        expect(message).to_contain_text(text)
        expect(page.get_by_role("alert")).to_contain_text(text)
        assert read_large_pixels(page, RESULT)[0] == expected.tensors["input"].ravel().tolist()
    choose_picture(page, EXAMPLES / "paper.png")
    page.locator(".stn-notes li", has_text="nvert").first.wait_for()
    expect(message).to_be_empty()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_drawing_is_transformed_after_each_line(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, TAB)
    page.locator(f"{RESULT} [data-step]").wait_for()
    page.get_by_role("button", name="Draw a digit").click()
    box = page.locator(".stn-drawing").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    predicted = page.locator(f"{RESULT} .stn-class[aria-current=true] .stn-class-name")
    expect(predicted).to_have_text("1")


def test_photo_is_classified_and_the_camera_ends_with_its_tab(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, TAB, init=COUNT_CAMERA_REQUESTS)
    page.locator(f"{RESULT} [data-step]").wait_for()
    before = read_large_pixels(page, RESULT)
    assert page.evaluate("window.cameraRequests") == 0
    page.get_by_role("button", name="Use the camera").click()
    # A photo that is taken before the camera's first picture is empty.
    wait_for_expression(page, "document.querySelector('video').videoWidth > 0")
    assert page.evaluate("window.cameraRequests") == 1
    page.get_by_role("button", name="Take a photo").click()
    wait_until(lambda: read_large_pixels(page, RESULT) != before)
    page.get_by_role("link", name="Watch").click()
    wait_for_expression(page, "document.querySelector('video').srcObject === null")


def test_sweep_plots_and_saves_what_the_server_answers(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, f"{TAB}&picture=upright")
    page.locator(f"{RESULT} [data-step]").wait_for()
    page.get_by_role("button", name="Sweep clutter").click()
    chart = page.locator(".stn-sweep")
    chart.get_by_text(re.compile(r"Stillness .* over all of it")).wait_for()
    wait_until(lambda: query_of(page).get("clutter") is None)
    wait_for_expression(
        page,
        "document.querySelector('.stn-sweep-chart path')?.getAttribute('d').match(/[ML]/g)"
        ".length === 13",
    )
    with page.expect_download() as download:
        chart.get_by_role("button", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [float(row["clutter"]) for row in rows] == list(range(13))
    picture = EXAMPLES / "upright.png"
    label = fetch_transform(server, picture).info["predicted"][0]
    expected = fetch_transform(server, picture, variation={"clutter": 12})
    assert float(rows[-1]["probability_with_the_transformer"]) == pytest.approx(
        float(expected.tensors["probabilities"][0, label]), abs=1e-6
    )
    assert float(rows[-1]["theta.st.2"]) == pytest.approx(
        float(expected.tensors["theta.st"][0, 2]), abs=1e-6
    )
    # The same frames as an animation: each with its output, exact dots and its caption.
    with page.expect_download() as download:
        chart.get_by_role("button", name="Save as animation").click()
    durations = []
    with Image.open(download.value.path()) as animation:
        assert getattr(animation, "n_frames", 1) == 13
        for clutter in range(13):
            animation.seek(clutter)
            durations.append(animation.info["duration"])
            frame = fetch_transform(server, picture, variation={"clutter": clutter})
            image = np.asarray(animation.convert("RGB"))
            np.testing.assert_array_equal(output_of(image), frame.tensors["output.st"][0, :, :, 0])
            # The dots of corners are white, the first one orange.
            for index, (x, y) in enumerate(frame.tensors["corners.st"][0]):
                dot = image[round(64 + 8 * float(y)), round(64 + 8 * float(x))]
                assert dot.tolist() == ([255, 90, 54] if index == 0 else [255] * 3)
    assert durations == [100] * 12 + [1000]


def test_saved_picture_has_input_and_output(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, f"{TAB}&picture=upright")
    page.locator(f"{RESULT} [data-step]").wait_for()
    expected = fetch_transform(server, EXAMPLES / "upright.png")
    wait_for_pixels(page, expected)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    image = np.asarray(Image.open(download.value.path()).convert("RGB"))
    np.testing.assert_array_equal(output_of(image), expected.tensors["output.st"][0, :, :, 0])
    # Below is a caption: the class, theta in words, the network.
    below = image[(48 + 2 * 8) * 8 :]
    assert len(below) > 3 * 26
    lines = [(below[26 * line : 26 * (line + 1)] == 255).all(axis=2).sum() for line in range(3)]
    assert min(lines) > 100


def output_of(image: np.ndarray) -> np.ndarray:
    """Return the pixels of the output in a saved picture (H, W, 3), as (28, 28)."""
    left = (48 + 2 * 8) * 8 + 16
    # Each pixel of the output is enlarged to a square; its centre is compared.
    centres = ((np.arange(28) + 0.5) * 384 / 28).astype(int)
    shown: np.ndarray = image[64 : 64 + 384, left : left + 384, 0][np.ix_(centres, centres)]
    return shown


def write_clipboard(page: Page, content: str | Path) -> None:
    """Write text, or a PNG, to the browser's clipboard."""
    if isinstance(content, str):
        kind, data = "text/plain", content.encode()
    else:
        kind, data = "image/png", content.read_bytes()
    page.evaluate(
        """async ([type, data]) => {
        const blob = await (await fetch(`data:${type};base64,${data}`)).blob();
        await navigator.clipboard.write([new ClipboardItem({ [type]: blob })]);
        }""",
        [kind, b64encode(data).decode()],
    )


def paste_file(page: Page, name: str, kind: str, content: str = "none") -> bool:
    """Paste a file of a type that clipboards refuse; return whether the page handled it."""
    return bool(
        page.evaluate(
            """([name, type, content]) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([content], name, { type }));
            const options = { clipboardData, bubbles: true, cancelable: true };
            return !document.body.dispatchEvent(new ClipboardEvent("paste", options));
            }""",
            [name, kind, content],
        )
    )


def test_pasted_picture_opens_the_tab(
    server: Server, still: str, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(server, still, permissions=CLIPBOARD)
    page.locator(".st-key-tab-picture .stn-root").wait_for(state="attached")
    write_clipboard(page, picture)
    page.keyboard.press("Control+V")
    page.locator(f"{RESULT} [data-step]").wait_for()
    wait_for_pixels(page, fetch_transform(server, picture))
    assert paste_file(page, "drawing.svg", "image/svg+xml", "<svg></svg>")
    expect(page.locator(".stn-tab-message")).to_contain_text("an SVG drawing")
    # Text goes where it is pasted.
    page.get_by_role("link", name="New run").click()
    page.get_by_role("radio", name="Own settings").click()
    seed = page.get_by_role("spinbutton", name="Seed")
    write_clipboard(page, "321")
    seed.fill("")
    seed.press("Control+V")
    assert seed.input_value() == "321"
    assert not paste_file(page, "note.txt", "text/plain")
