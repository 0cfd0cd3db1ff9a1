"""A picture of one's own, put through the network that ships."""

from pathlib import Path

import httpx
import numpy as np

from backend.experiment.frame import Frame
from tests.dashboard.conftest import Open
from tests.live_server import Server


def transformed(server: Server, picture: Path) -> Frame:
    answer = server.http.post(
        "/transform", files={"image": picture.read_bytes()}, data={"weights": "digits"}
    )
    return Frame.decode(answer.raise_for_status().content)


def test_upload_shows_input_output_words_and_classes(
    server: Server, ended: str, visit: Open, picture: Path
) -> None:
    page = visit(server, f"?run={ended}")
    page.locator("input[type=file]").set_input_files(picture)
    result = page.locator(".stn-picture")
    result.locator("[data-step]").wait_for()
    expected = transformed(server, picture)
    shown = result.locator("canvas").evaluate_all(
        """(all) => all.map((each) => [...each.getContext("2d")
        .getImageData(0, 0, each.width, each.height).data].filter((_, index) => index % 4 === 0))"""
    )
    for pixels, name in zip(shown, ("input", "output.st"), strict=True):
        np.testing.assert_array_equal(pixels, expected.tensors[name].ravel())
    words = expected.info["readings"]["st"][0]["words"]
    assert result.locator(".stn-theta").inner_text() == words
    told = [
        float(text.rstrip("%")) for text in result.locator(".stn-class-chance").all_inner_texts()
    ]
    np.testing.assert_allclose(told, 100 * expected.tensors["probabilities"][0], atol=0.5001)
    taken = result.locator(".stn-class[aria-current=true] .stn-class-name").inner_text()
    assert taken == str(expected.info["predicted"][0])


def test_example_on_paper_is_inverted_and_says_so(server: Server, ended: str, visit: Open) -> None:
    page = visit(server, f"?run={ended}")
    page.get_by_text("On paper").click()
    notes = page.locator(".stn-picture .stn-notes li", has_text="nvert")
    notes.first.wait_for()


def test_file_that_is_no_picture_is_refused_in_the_servers_words(
    server: Server, ended: str, visit: Open, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture at all")
    refused = httpx.post(
        f"http://127.0.0.1:{server.port}/api/transform",
        files={"image": broken.read_bytes()},
        data={"weights": "digits"},
    )
    page = visit(server, f"?run={ended}")
    page.locator("input[type=file]").set_input_files(broken)
    alert = page.locator("[data-testid=stAlert]")
    alert.wait_for()
    assert alert.inner_text().strip() == refused.json()["detail"]
    assert page.locator(".stn-picture").count() == 0
