"""The views of the stage (probes, one probe, summary) and its layers."""

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page, expect

from stnscope.backend.experiment.frames.frame import Frame
from tests.dashboard.conftest import OpenPage, record_run
from tests.dashboard.page_queries import (
    fetch_frame,
    overlay_paths,
    read_large_pixels,
    read_pixels,
    wait_for_frame,
)
from tests.live_server import Server, wait_until


def layer_button(page: Page, name: str) -> Locator:
    return page.locator(".stn-view-toolbar").get_by_role("button", name=name, exact=True)


def pause_in_the_middle(page: Page, server: Server, run_id: str) -> Frame:
    """Pause playback in the middle of a run; return the frame there."""
    steps = server.recorded_steps(run_id)
    middle = steps[len(steps) // 2]
    wait_for_frame(page)
    page.locator(".stn-timeline").fill(str(middle))
    wait_for_frame(page, middle)
    return fetch_frame(server, run_id, middle)


def probe_detail(page: Page, step: int) -> Locator:
    detail = page.locator(f".stn-viewer .stn-detail[data-step='{step}']")
    detail.wait_for()
    return detail


def test_probe_detail_shows_pixels_theta_and_probabilities(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    frame = pause_in_the_middle(page, server, stopped_run)
    page.locator(".stn-viewer .stn-probe").nth(5).click()
    detail = probe_detail(page, frame.info["step"])
    for index, name in enumerate(("input", "output.st")):
        np.testing.assert_array_equal(
            read_large_pixels(page)[index], frame.tensors[name][5].ravel()
        )
    texts = detail.locator(".stn-matrix").first.locator("td").all_inner_texts()
    theta = [float(text.replace("\u2212", "-")) for text in texts]
    np.testing.assert_allclose(theta, frame.tensors["theta.st"][5], atol=5.01e-4)
    texts = detail.locator(".stn-class-probability").all_inner_texts()
    percentages = [float(text.rstrip("%")) for text in texts]
    np.testing.assert_allclose(percentages, 100 * frame.tensors["probabilities"][5], atol=0.5001)
    assert "Probe 6 of 12: 5" in detail.inner_text()
    page.keyboard.press("]")
    detail.get_by_text("Probe 7 of 12").wait_for()
    detail.get_by_label("Previous probe ([)").click()
    detail.get_by_text("Probe 6 of 12").wait_for()


def test_pixel_of_the_output_is_traced_to_its_sampling_point(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&probe=2&step=0")
    detail = probe_detail(page, 0)
    # Before training, 28 output pixels cover all 48: the centre of pixel 7 is at 7.5 / 28 of them.
    tile = detail.locator(".stn-pane-content").nth(1)
    box = tile.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 7.5 / 28, box["y"] + box["height"] * 14.5 / 28)
    sentence = detail.locator(".stn-sample-text")
    sentence.get_by_text("Output pixel 7, 14 is sampled at 12.9, 24.9").wait_for()
    assert detail.locator(".stn-cells rect").count() == 4
    tile.focus()
    page.keyboard.press("ArrowRight")
    sentence.get_by_text("Output pixel 8, 14 is sampled at 14.6, 24.9").wait_for()
    page.keyboard.press("Escape")
    sentence.get_by_text("Point at a pixel").wait_for()


def test_zoom_enlarges_within_the_same_pane_and_the_input_scrolls_to_the_region(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&step=0")
    detail = probe_detail(page, 0)
    pane = detail.locator(".stn-pane-viewport").first
    before = pane.bounding_box()
    detail.get_by_label("Zoom").select_option("4")
    assert pane.bounding_box() == before
    width = detail.locator(".stn-pane-content").first.evaluate("(tile) => tile.offsetWidth")
    assert before is not None
    assert width == 4 * before["width"]
    # The centre is shown, and stays after a change of view.
    scroll_positions = (
        "(panes) => panes.map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop])"
    )
    scrolled = detail.locator(".stn-pane-viewport").evaluate_all(scroll_positions)
    assert min(min(position) for position in scrolled) > 0
    layer_button(page, "Probes").click()
    layer_button(page, "One probe").click()
    assert detail.locator(".stn-pane-viewport").evaluate_all(scroll_positions) == scrolled

    panes = detail.locator(".stn-pane-viewport")
    scroll_state = """(pane) => {
      const tile = pane.firstElementChild;
      const centre = pane.scrollLeft + pane.clientWidth / 2;
      return { across: centre / tile.offsetWidth, most: pane.scrollLeft > pane.scrollWidth / 2 };
    }"""
    # Before training all of the input is sampled; the page adds a margin around it.
    margin = 8
    for share in (0.3, 0.6):
        panes.nth(1).evaluate(
            "(pane, share) => {"
            "  const { offsetWidth } = pane.firstElementChild;"
            "  pane.scrollLeft = share * offsetWidth - pane.clientWidth / 2;"
            "}",
            share,
        )
        expected = (margin + 48 * share) / (48 + 2 * margin)
        wait_until(lambda: abs(panes.nth(0).evaluate(scroll_state)["across"] - expected) < 0.01)  # noqa: B023
    # Scrolling the input does not scroll the output.
    before = panes.nth(1).evaluate(scroll_state)
    panes.nth(0).evaluate("(pane) => { pane.scrollLeft = 0; }")
    assert panes.nth(1).evaluate(scroll_state) == before


def test_summary_shows_mean_and_spread_of_the_probes(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    frame = pause_in_the_middle(page, server, stopped_run)
    layer_button(page, "Summary").click()
    summary = page.locator(f".stn-probe-summary[data-step='{frame.info['step']}']")
    summary.wait_for()
    for index, name in enumerate(("input", "output.st")):
        mean = np.floor(frame.tensors[name].mean(axis=0, dtype=np.float64) + 0.5)
        np.testing.assert_allclose(read_large_pixels(page)[index], mean.ravel(), atol=1)
    marks = summary.locator(".stn-cloud-marks").get_attribute("d") or ""
    centres = re.findall(r"M([-\d.]+),([-\d.]+)h0", marks)
    expected = frame.tensors["grid.st"].mean(axis=(1, 2))
    np.testing.assert_allclose([[float(x), float(y)] for x, y in centres], expected, atol=0.011)
    shift = frame.tensors["grid.st"].mean(axis=(1, 2))[:, 0] / 24 - 1
    text = summary.locator(".stn-strip", has_text="Position x").locator(".stn-value").inner_text()
    mean, deviation = (float(part.replace("\u2212", "-")) for part in text.split(" ± "))
    np.testing.assert_allclose([mean, deviation], [shift.mean(), shift.std()], atol=0.0051)


def test_layers_are_drawn_and_removed(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    frame = pause_in_the_middle(page, server, stopped_run)
    stage = page.locator(".stn-viewer .stn-probes")
    outline = stage.locator(".stn-outline.stn-line").first
    assert outline.is_visible()
    layer_button(page, "Outline").click()
    assert not outline.is_visible()
    page.keyboard.press("o")
    assert outline.is_visible()
    mesh = stage.locator(".stn-mesh").first
    assert not mesh.get_attribute("d")
    page.keyboard.press("m")
    # A 7x7 lattice has five inner lines in each direction.
    assert (mesh.get_attribute("d") or "").count("M") == 10
    page.keyboard.press("t")
    wait_until(lambda: overlay_paths(page, "trail")[0].count("M") == 4)
    corners = [f"{x:g},{y:g}" for x, y in np.round(frame.tensors["corners.st"][0].astype(float), 2)]
    ends = [path.rsplit("L", 1)[-1] for path in overlay_paths(page, "trail")[0].split("M")[1:]]
    trail_ends = [[float(n) for n in end.split(",")] for end in ends]
    np.testing.assert_allclose(
        trail_ends, [[float(n) for n in each.split(",")] for each in corners], atol=0.011
    )
    # Each layer is explained in a legend, which Escape closes and which covers no later click.
    legend = page.get_by_role("dialog", name="Legend")
    page.get_by_role("button", name="Legend").click()
    explained = legend.locator("dt").all_inner_texts()
    for button in page.locator(".stn-view-toolbar [data-name]").all():
        assert any(text.startswith(button.inner_text()) for text in explained)
    page.keyboard.press("Escape")
    expect(legend).to_be_hidden()


def test_inverse_warp_places_the_output_over_its_region(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0&layers=inverse")
    wait_for_frame(page, 0)
    frame = fetch_frame(server, stopped_run, 0)
    # Before training the region is the whole input, so the inverse warp is the input, blurred.
    pasted_back = np.array(read_pixels(page, "input"), float)
    inputs = frame.tensors["input"].reshape(12, -1).astype(float)
    for index in range(12):
        assert np.corrcoef(pasted_back[index], inputs[index])[0, 1] > 0.9
    assert not np.array_equal(pasted_back, inputs)
    layer_button(page, "Pasted back").click()
    wait_until(lambda: np.array_equal(read_pixels(page, "input"), inputs))


def test_change_of_view_does_not_move_the_controls_and_outputs_alone_are_larger(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    frame = fetch_frame(server, stopped_run, 0)
    output = page.locator(".stn-viewer .stn-output .stn-pixels").first
    before = output.bounding_box()
    positions = """() =>
    [".stn-segments", ".stn-timeline-controls", ".stn-run-controls"].map((part) => {
      const { left, top } = document.querySelector(part).getBoundingClientRect();
      return [Math.round(left), Math.round(top)];
    })"""
    controls = page.evaluate(positions)
    for name in ("One probe", "Summary", "Probes", "Outputs only"):
        layer_button(page, name).click()
        assert page.evaluate(positions) == controls, name
    assert layer_button(page, "Mesh").is_disabled()
    after = output.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    assert not page.locator(".stn-viewer .stn-input").first.is_visible()
    verdict = page.locator(".stn-viewer .stn-verdict").first.bounding_box()
    assert verdict is not None
    assert verdict["width"] > 24
    np.testing.assert_array_equal(
        read_pixels(page, "output")[3], frame.tensors["output.st"][3].ravel()
    )


def test_network_without_a_transformer_has_probe_detail_and_summary(
    server: Server, open_component: OpenPage
) -> None:
    run_id = record_run(server, 3, architecture="digits-cnn")
    page = open_component(server, f"?run={run_id}&step=0&view=probe&charts=all")
    assert probe_detail(page, 0).locator(".stn-pane-content").count() == 1
    page.keyboard.press("3")
    page.get_by_text("This network has no transformer, so there are no regions").wait_for()
    assert layer_button(page, "Outline").is_disabled()
    heads = page.locator(".stn-chart-head:visible > span:first-child").all_inner_texts()
    assert heads == ["Loss", "Accuracy", "Steps/s"]
    assert "affine" not in page.locator(".stn-status-lines").inner_text()


def test_probe_tiles_are_focused_by_tab_and_opened_by_keys(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    tiles = page.locator(".stn-viewer .stn-probe")
    tiles.first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.querySelectorAll('.stn-probe')[1]")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press(" ")
    probe_detail(page, 0).get_by_text("Probe 1 of 12").wait_for()
    assert page.evaluate("document.activeElement.className") == "stn-detail-title"
    # After the return, the tile of the opened probe has the focus.
    page.keyboard.press("1")
    assert page.evaluate("document.activeElement === document.querySelectorAll('.stn-probe')[0]")
    page.keyboard.press("Enter")
    # Enter opens the probe and does not start playback, which would change the step by then.
    page.wait_for_timeout(300)
    assert probe_detail(page, 0).is_visible()


def test_added_picture_is_missing_in_earlier_frames(
    server: Server, open_component: OpenPage, picture: Path
) -> None:
    run_id = server.start_endless_run(seed=31, probes={"count": 3, "moving": False})
    try:
        image = {"image": picture.read_bytes()}
        server.http.post(f"/runs/{run_id}/probes", files=image).raise_for_status()
        (step,) = server.get_run(run_id)["added_at"]
        page = open_component(server, f"?run={run_id}&view=probe&probe=3&step=0")
        detail = page.locator(".stn-viewer .stn-detail.stn-missing")
        detail.get_by_text(f"It was added to the run at step {step}.").wait_for()
        assert not page.locator(".stn-viewer .stn-detail-panes").is_visible()
        page.keyboard.press("End")
        page.get_by_text("Probe 4 of 4").wait_for()
        # Earlier frames leave its tile empty.
        page.keyboard.press("1")
        first = page.locator(".stn-viewer .stn-probe").first
        before = first.bounding_box()
        page.keyboard.press("Home")
        page.locator(".stn-probes[data-step='0']").wait_for()
        assert page.locator(".stn-viewer .stn-probe").count() == 3
        assert first.bounding_box() == before
    finally:
        server.control(run_id, "stop")
