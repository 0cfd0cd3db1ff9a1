"""Uploaded and pasted pictures, transformed and classified by the shipped networks."""

from base64 import b64encode
from pathlib import Path
from typing import Literal

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from tests.dashboard.conftest import OpenPage
from tests.dashboard.javascript import region_sentence
from tests.dashboard.page_queries import read_large_pixels, select_option
from tests.live_server import Server

CLIPBOARD = ["clipboard-read", "clipboard-write"]
EXAMPLES = Path(__file__).parents[2] / "dashboard" / "assets" / "examples"


def fetch_transform(server: Server, picture: Path) -> Frame:
    response = server.http.post(
        "/transform", files={"image": picture.read_bytes()}, data={"weights": "digits"}
    )
    return Frame.decode(response.raise_for_status().content)


def test_upload_shows_input_output_sentence_and_classes(
    server: Server, still: str, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(server, still)
    page.locator(".st-key-upload input[type=file]").set_input_files(picture)
    result = page.locator(".stn-picture")
    result.locator("[data-step]").wait_for()
    expected = fetch_transform(server, picture)
    for index, name in enumerate(("input", "output.st")):
        shown = read_large_pixels(page, ".stn-picture")[index]
        np.testing.assert_array_equal(shown, expected.tensors[name].ravel())
    sentence = region_sentence(expected)
    assert result.locator(".stn-theta-text").inner_text() == sentence
    percentages = [
        float(text.rstrip("%"))
        for text in result.locator(".stn-class-probability").all_inner_texts()
    ]
    np.testing.assert_allclose(percentages, 100 * expected.tensors["probabilities"][0], atol=0.5001)
    predicted = result.locator(".stn-class[aria-current=true] .stn-class-name").inner_text()
    assert predicted == str(expected.info["predicted"][0])


def test_sign_is_classified_by_the_network_for_signs(
    server: Server, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, still)
    select_option(page, "Trained network", "Compact ST-CNN for signs on GTSRB")
    page.get_by_text("A picture of one traffic sign").wait_for()
    page.get_by_text("In the dark").click()
    predicted = page.locator(".stn-picture .stn-class[aria-current=true] .stn-class-name")
    predicted.wait_for()
    assert predicted.inner_text() == "keep right"
    texts = page.locator(".stn-picture .stn-class-probability").all_inner_texts()
    assert len(texts) == 10
    percentages = [float(text.rstrip("%")) for text in texts]
    assert percentages == sorted(percentages, reverse=True)


@pytest.mark.parametrize("width", [390, 1280])
def test_result_is_next_to_the_upload_or_below_it(
    server: Server, still: str, open_page: OpenPage, picture: Path, width: int
) -> None:
    page = open_page(server, still, viewport={"width": width, "height": 844})
    page.locator(".st-key-upload input[type=file]").set_input_files(picture)
    page.locator(".stn-picture [data-step]").wait_for()
    choice, result, examples = (
        page.locator(f".st-key-picture-{part}").bounding_box()
        for part in ("choice", "result", "examples")
    )
    assert choice is not None
    assert result is not None
    assert examples is not None
    if width < 640:
        assert choice["x"] == result["x"] == examples["x"]
        assert choice["y"] + choice["height"] <= result["y"]
        assert result["y"] + result["height"] <= examples["y"]
    else:
        assert choice["x"] == examples["x"]
        assert choice["x"] + choice["width"] <= result["x"]
        assert choice["y"] == result["y"]
        assert choice["y"] + choice["height"] <= examples["y"] < result["y"] + result["height"]


def test_example_on_paper_is_inverted_with_a_note(
    server: Server, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, still)
    page.get_by_text("On paper").click()
    notes = page.locator(".stn-picture .stn-notes li", has_text="nvert")
    notes.first.wait_for()


def test_refused_file_is_gone_once_another_one_is_chosen(
    server: Server, still: str, open_page: OpenPage, picture: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(MAX_PICTURE_BYTES + 1_000_000))
    page = open_page(server, still)
    uploader = page.locator(".st-key-upload")
    for file in (large, picture):
        uploader.locator("input[type=file]").set_input_files(file)
        expect(uploader.get_by_text(file.name)).to_be_visible()
    page.locator(".stn-picture [data-step]").wait_for()
    expect(uploader.get_by_text("must be")).to_be_hidden()
    # But one that is refused after a good one is reported.
    uploader.locator("input[type=file]").set_input_files(large)
    expect(uploader.get_by_text("must be").last).to_be_visible()


def test_file_that_is_not_a_picture_shows_the_servers_message(
    server: Server, still: str, open_page: OpenPage, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    refused = httpx.post(
        f"http://127.0.0.1:{server.port}/api/transform",
        files={"image": broken.read_bytes()},
        data={"weights": "digits"},
    )
    page = open_page(server, still)
    page.locator(".st-key-upload input[type=file]").set_input_files(broken)
    alert = page.locator("[data-testid=stAlert]")
    alert.wait_for()
    assert alert.inner_text().strip() == refused.json()["detail"]
    assert page.locator(".stn-picture").count() == 0


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


def wait_for_note(page: Page, text: str, state: Literal["visible", "detached"] = "visible") -> None:
    page.locator(".stn-picture .stn-notes li", has_text=text).first.wait_for(state=state)


def test_pasted_picture_is_uploaded(
    server: Server, still: str, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(server, still, permissions=CLIPBOARD)
    uploader = page.locator(".st-key-upload")
    uploader.wait_for()
    write_clipboard(page, picture)
    page.keyboard.press("Control+V")
    page.locator(".stn-picture [data-step]").wait_for()
    uploader.get_by_text("image.png").wait_for()
    # The next pasted picture replaces it.
    write_clipboard(page, EXAMPLES / "paper.png")
    page.keyboard.press("Control+V")
    wait_for_note(page, "nvert")
    assert uploader.get_by_text("image.png").count() == 1


def test_pasted_file_that_is_not_a_picture_is_refused(
    server: Server, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, still)
    page.locator(".st-key-upload input[type=file]").wait_for(state="attached")
    assert paste_file(page, "broken.png", "image/png")
    page.locator("[data-testid=stAlert]", has_text="not a picture").wait_for()
    assert paste_file(page, "drawing.svg", "image/svg+xml", "<svg></svg>")
    page.locator("[data-testid=stAlert]", has_text="an SVG drawing").wait_for()


def test_pasted_text_is_not_uploaded(server: Server, still: str, open_page: OpenPage) -> None:
    page = open_page(server, still, permissions=CLIPBOARD)
    page.get_by_role("radio", name="Own settings").click()
    seed = page.get_by_role("spinbutton", name="Seed")
    write_clipboard(page, "321")
    seed.fill("")
    seed.press("Control+V")
    assert seed.input_value() == "321"
    assert not paste_file(page, "note.txt", "text/plain")


def test_latest_picture_is_shown(
    server: Server, still: str, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(server, still)
    page.get_by_text("On paper").click()
    wait_for_note(page, "nvert")
    page.locator(".st-key-upload input[type=file]").set_input_files(picture)
    wait_for_note(page, "nvert", "detached")
    page.get_by_text("On paper").click()  # clears the choice, which was still set
    page.get_by_text("On paper").click()
    wait_for_note(page, "nvert")
