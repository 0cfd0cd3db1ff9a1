"""The stage shows exactly the recorded pixels, overlays and captions."""

import math
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from stnscope.backend.experiment.export.sheet import FIRST_COLOUR
from stnscope.backend.experiment.frames.frame import Frame
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    READ_PIXELS,
    drawn_step,
    fetch_frame,
    overlay_paths,
    read_pixels,
    read_texts,
    status_text,
    wait_for_frame,
    wait_for_status_text,
    wait_for_step_where,
)
from tests.live_server import Server

WHITE = (255, 255, 255)


def test_stage_shows_the_frame_and_its_step(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    run = server.get_run(stopped_run)
    outlines = []
    for key, step in (("Home", 0), ("End", run["last_step"]), ("Home", 0)):
        page.keyboard.press(key)
        wait_for_frame(page, step)
        frame = fetch_frame(server, stopped_run, step)
        check_pixels(page, frame)
        check_overlays(page, frame)
        check_captions(page, frame)
        tenths = math.floor(10 * step / run["steps_per_epoch"])
        assert read_texts(page, ".stn-tenths") == [f"{tenths}/10"]
        assert read_texts(page, ".stn-step dd") == [str(step)]
        assert read_texts(page, ".stn-epoch") == ["of epoch 1 of 1000"]
        outlines.append(overlay_paths(page, "outline"))
    first, last, again = outlines
    assert first == again != last


def check_pixels(page: Page, frame: Frame) -> None:
    """Check that inputs and outputs are drawn exactly."""
    for kind, name in (("input", "input"), ("output", "output.st")):
        expected = frame.tensors[name].reshape(len(frame.tensors[name]), -1)
        np.testing.assert_array_equal(read_pixels(page, kind), expected)


def check_overlays(page: Page, frame: Frame) -> None:
    """Check that outlines and squares are at the recorded corners."""
    for path, square, region in zip(
        overlay_paths(page, "outline"),
        overlay_paths(page, "square"),
        frame.tensors["corners.st"],
        strict=True,
    ):
        drawn = [[float(x) for x in point.split(",")] for point in path[1:-1].split("L")]
        np.testing.assert_allclose(drawn, region, atol=0.006)
        first = [float(number) for number in square[1:-2].split(",")]
        np.testing.assert_allclose(first, np.clip(region[0], -16 / 3, 48 + 16 / 3), atol=0.006)


def check_captions(page: Page, frame: Frame) -> None:
    """Check each probe's label, prediction, probability and verdict."""
    labels, predicted = frame.info["labels"], frame.info["predicted"]
    assert read_texts(page, ".stn-label") == [str(label) for label in labels]
    assert read_texts(page, ".stn-predicted") == [str(each) for each in predicted]
    probabilities = frame.tensors["probabilities"][range(len(predicted)), predicted]
    percentages = [float(text.rstrip("%")) for text in read_texts(page, ".stn-probability")]
    np.testing.assert_allclose(percentages, 100 * probabilities, atol=0.5001)
    verdicts = [
        page.locator(".stn-viewer .stn-probe").nth(index).get_attribute("data-verdict")
        for index in range(len(labels))
    ]
    right = [label == guess for label, guess in zip(labels, predicted, strict=True)]
    assert verdicts == ["right" if each else "wrong" for each in right]
    # The verdict has a shape as well as a colour.
    marks = page.locator(".stn-viewer .stn-verdict-icon path").evaluate_all(
        "(all) => all.map((each) => each.getAttribute('d'))"
    )
    assert len(set(marks)) == len(set(right))


def test_screenshots_have_the_recorded_pixels_those_of_inputs_below_overlays(
    server: Server, stopped_run: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(server, f"?run={stopped_run}", reduced_motion="reduce")
    frame = fetch_frame(server, stopped_run, wait_for_frame(page))
    inputs, outputs = (frame.tensors[name][..., 0] for name in ("input", "output.st"))
    screenshot = tmp_path / "screenshot.png"
    for index in (0, 5, 11):
        page.locator(".stn-viewer .stn-output .stn-pixels").nth(index).screenshot(path=screenshot)
        shown = np.asarray(Image.open(screenshot).convert("L"))
        scale = len(shown) // 28
        np.testing.assert_array_equal(shown, np.kron(outputs[index], np.ones((scale, scale))))
    page.locator(".stn-viewer .stn-input .stn-pixels").first.screenshot(path=screenshot)
    shown = np.asarray(Image.open(screenshot).convert("L"))
    scale = len(shown) // 48
    equal = shown == np.kron(inputs[0], np.ones((scale, scale)))
    assert 0.8 < equal.mean() < 1


def test_dots_at_the_corners_are_white_with_a_dark_outline_and_the_first_is_orange(
    server: Server, stopped_run: str, open_component: OpenPage, tmp_path: Path
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    wait_for_frame(page)
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    tile = page.locator(".stn-viewer .stn-input").first
    screenshot = tmp_path / "tile.png"
    tile.screenshot(path=screenshot)
    shown = np.asarray(Image.open(screenshot).convert("RGB"))
    scale = shown.shape[1] / 64  # 48 pixels and a margin of 8 on each side
    corners = fetch_frame(server, stopped_run, 0).tensors["corners.st"][0]
    for number, (x, y) in enumerate(corners):
        across, down = round((x + 8) * scale), round((y + 8) * scale)
        around = shown[down - 7 : down + 8, across - 7 : across + 8]
        assert (shown[down, across] == (WHITE if number else FIRST_COLOUR)).all()
        assert around.min() == 0


def test_live_frames_are_painted_and_never_blank(
    server: Server, training_run: str, open_component: OpenPage
) -> None:
    inspect_frames = """
    window.blank = 0; window.sizes = new Set();
    addEventListener("stnscope:paint", function start() {
      removeEventListener("stnscope:paint", start);
      (function inspect() {
        const inputs = readPixels(document.querySelector(".stn-viewer .stn-probes"), ["input", 48]);
        if (!inputs.every((pixels) => pixels.some((value) => value))) window.blank++;
        const box = document.querySelector(".stn-viewer .stn-probes").getBoundingClientRect();
        window.sizes.add([box.top, box.width, box.height].join());
        requestAnimationFrame(inspect);
      })();
    });
    """
    page = open_component(
        server, f"?run={training_run}", init=f"window.readPixels = {READ_PIXELS};{inspect_frames}"
    )
    first = wait_for_frame(page)
    wait_for_step_where(page, f"step >= {first} + 8")
    assert "Live" in status_text(page)
    assert page.evaluate("window.blank") == 0
    assert len(page.evaluate("[...window.sizes]")) == 1, "the stage does not move"
    assert page.evaluate("window.paints.length") > 5
    steps = page.evaluate("window.paints")
    assert steps == sorted(set(steps)), "each frame once, and in order"


def test_page_without_a_run_follows_the_newest_training_run(
    server: Server, training_run: str, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server)
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    assert page.locator(".stn-run-link").get_attribute("href") == f"?run={training_run}"
    first = drawn_step(page)
    wait_for_step_where(page, f"step > {first}")


def test_missing_run_is_reported(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, "?run=nowhere")
    wait_for_status_text(page, "There is no run 'nowhere'.")


def test_probes_are_described_to_screen_readers(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}", reduced_motion="reduce")
    wait_for_frame(page)
    label = page.get_by_role("button", name="Probe 1:")
    assert label.count() == 1
    description = page.locator(
        ".stn-viewer [aria-live=polite]", has_text=" probes right. On average"
    )
    description.wait_for(state="attached")
