"""What fills the stage and what is drawn on it: one probe, the crowd, and every layer."""

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page

from stnscope.backend.experiment.frames.frame import Frame
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    fetch_frame,
    overlay_paths,
    read_large_pixels,
    read_pixels,
    wait_for_frame,
)
from tests.live_server import Server, wait_until


def chip(page: Page, name: str) -> Locator:
    return page.locator(".stn-view-toolbar").get_by_role("button", name=name, exact=True)


def held(page: Page, server: Server, run_id: str) -> Frame:
    """Holds the middle of a run on the stage; its frame."""
    steps = server.recorded_steps(run_id)
    middle = steps[len(steps) // 2]
    wait_for_frame(page)
    page.locator(".stn-timeline").fill(str(middle))
    wait_for_frame(page, middle)
    return fetch_frame(server, run_id, middle)


def one(page: Page, step: int) -> Locator:
    shown = page.locator(f".stn-viewer .stn-detail[data-step='{step}']")
    shown.wait_for()
    return shown


def test_one_probe_is_shown_in_its_own_pixels_with_theta(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    seen = held(page, server, stopped_run)
    page.locator(".stn-viewer .stn-probe").nth(5).click()
    shown = one(page, seen.info["step"])
    for place, name in enumerate(("input", "output.st")):
        np.testing.assert_array_equal(read_large_pixels(page)[place], seen.tensors[name][5].ravel())
    numbers = shown.locator(".stn-matrix").first.locator("td").all_inner_texts()
    told = [float(text.replace("\u2212", "-")) for text in numbers]
    np.testing.assert_allclose(told, seen.tensors["theta.st"][5], atol=5.01e-4)
    chances = shown.locator(".stn-class-probability").all_inner_texts()
    told = [float(text.rstrip("%")) for text in chances]
    np.testing.assert_allclose(told, 100 * seen.tensors["probabilities"][5], atol=0.5001)
    assert "Probe 6 of 12: 5" in shown.inner_text()
    page.keyboard.press("]")
    shown.get_by_text("Probe 7 of 12").wait_for()
    shown.get_by_label("Previous probe ([)").click()
    shown.get_by_text("Probe 6 of 12").wait_for()


def test_a_pixel_of_the_output_is_traced_to_where_it_is_sampled(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&probe=2&step=0")
    shown = one(page, 0)
    # Untrained, 28 pixels lie evenly over 48: the middle of pixel 7 at 7.5 / 28 of them.
    tile = shown.locator(".stn-pane-content").nth(1)
    box = tile.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 7.5 / 28, box["y"] + box["height"] * 14.5 / 28)
    words = shown.locator(".stn-sample-text")
    words.get_by_text("Output pixel 7, 14 is sampled at 12.9, 24.9").wait_for()
    assert shown.locator(".stn-cells rect").count() == 4
    tile.focus()
    page.keyboard.press("ArrowRight")
    words.get_by_text("Output pixel 8, 14 is sampled at 14.6, 24.9").wait_for()
    page.keyboard.press("Escape")
    words.get_by_text("Point at a pixel").wait_for()


def test_zoom_enlarges_within_the_same_room(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&step=0")
    shown = one(page, 0)
    pane = shown.locator(".stn-pane-viewport").first
    before = pane.bounding_box()
    shown.get_by_label("Zoom").select_option("4")
    assert pane.bounding_box() == before
    wide = shown.locator(".stn-pane-content").first.evaluate("(tile) => tile.offsetWidth")
    assert before is not None
    assert wide == 4 * before["width"]
    # Its middle is seen, also when something else has been looked at in the meantime.
    places = "(panes) => panes.map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop])"
    middles = shown.locator(".stn-pane-viewport").evaluate_all(places)
    assert min(min(place) for place in middles) > 0
    chip(page, "Probes").click()
    chip(page, "One probe").click()
    assert shown.locator(".stn-pane-viewport").evaluate_all(places) == middles


def test_input_shows_what_an_enlarged_output_is_scrolled_to(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&view=probe&step=0")
    shown = one(page, 0)
    shown.get_by_label("Zoom").select_option("4")
    panes = shown.locator(".stn-pane-viewport")
    middle = """(pane) => {
      const tile = pane.firstElementChild;
      const whole = pane.scrollLeft + pane.clientWidth / 2;
      return { across: whole / tile.offsetWidth, most: pane.scrollLeft > pane.scrollWidth / 2 };
    }"""
    # Untrained, all of the input is sampled; around it are as many pixels as on the page.
    margin = 8
    for wanted in (0.3, 0.6):
        panes.nth(1).evaluate(
            "(pane, share) => {"
            "  const { offsetWidth } = pane.firstElementChild;"
            "  pane.scrollLeft = share * offsetWidth - pane.clientWidth / 2;"
            "}",
            wanted,
        )
        expected = (margin + 48 * wanted) / (48 + 2 * margin)
        wait_until(lambda: abs(panes.nth(0).evaluate(middle)["across"] - expected) < 0.01)  # noqa: B023
    # The other way round each is looked at by itself.
    before = panes.nth(1).evaluate(middle)
    panes.nth(0).evaluate("(pane) => { pane.scrollLeft = 0; }")
    assert panes.nth(1).evaluate(middle) == before


def test_crowd_is_the_mean_of_the_probes_and_their_spread(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    seen = held(page, server, stopped_run)
    chip(page, "Summary").click()
    crowd = page.locator(f".stn-probe-summary[data-step='{seen.info['step']}']")
    crowd.wait_for()
    for place, name in enumerate(("input", "output.st")):
        mean = np.floor(seen.tensors[name].mean(axis=0, dtype=np.float64) + 0.5)
        np.testing.assert_allclose(read_large_pixels(page)[place], mean.ravel(), atol=1)
    middles = crowd.locator(".stn-cloud-marks").get_attribute("d") or ""
    centres = re.findall(r"M([-\d.]+),([-\d.]+)h0", middles)
    expected = seen.tensors["grid.st"].mean(axis=(1, 2))
    np.testing.assert_allclose([[float(x), float(y)] for x, y in centres], expected, atol=0.011)
    shift = seen.tensors["grid.st"].mean(axis=(1, 2))[:, 0] / 24 - 1
    told = crowd.locator(".stn-strip", has_text="Position x").locator(".stn-value").inner_text()
    mean, deviation = (float(part.replace("\u2212", "-")) for part in told.split(" ± "))
    np.testing.assert_allclose([mean, deviation], [shift.mean(), shift.std()], atol=0.0051)


def test_layers_are_drawn_and_taken_away(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}")
    seen = held(page, server, stopped_run)
    stage = page.locator(".stn-viewer .stn-probes")
    outline = stage.locator(".stn-outline.stn-line").first
    assert outline.is_visible()
    chip(page, "Outline").click()
    assert not outline.is_visible()
    page.keyboard.press("o")
    assert outline.is_visible()
    mesh = stage.locator(".stn-mesh").first
    assert not mesh.get_attribute("d")
    page.keyboard.press("m")
    # Five lines each way within the edge of a lattice of seven.
    assert (mesh.get_attribute("d") or "").count("M") == 10
    page.keyboard.press("t")
    wait_until(lambda: overlay_paths(page, "trail")[0].count("M") == 4)
    corners = [f"{x:g},{y:g}" for x, y in np.round(seen.tensors["corners.st"][0].astype(float), 2)]
    ends = [way.rsplit("L", 1)[-1] for way in overlay_paths(page, "trail")[0].split("M")[1:]]
    told = [[float(n) for n in end.split(",")] for end in ends]
    np.testing.assert_allclose(
        told, [[float(n) for n in each.split(",")] for each in corners], atol=0.011
    )


def test_undone_output_lies_where_it_came_from(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0&layers=inverse")
    wait_for_frame(page, 0)
    seen = fetch_frame(server, stopped_run, 0)
    # Untrained, all of the input is looked at: what is pasted back is the input, a little blurred.
    undone = np.array(read_pixels(page, "input"), float)
    inputs = seen.tensors["input"].reshape(12, -1).astype(float)
    for index in range(12):
        assert np.corrcoef(undone[index], inputs[index])[0, 1] > 0.9
    assert not np.array_equal(undone, inputs)
    chip(page, "Pasted back").click()
    wait_until(lambda: np.array_equal(read_pixels(page, "input"), inputs))


def test_outputs_alone_are_larger(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    seen = fetch_frame(server, stopped_run, 0)
    output = page.locator(".stn-viewer .stn-output .stn-pixels").first
    before = output.bounding_box()
    chip(page, "Outputs only").click()
    after = output.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    assert not page.locator(".stn-viewer .stn-input").first.is_visible()
    verdict = page.locator(".stn-viewer .stn-verdict").first.bounding_box()
    assert verdict is not None
    assert verdict["width"] > 24
    np.testing.assert_array_equal(
        read_pixels(page, "output")[3], seen.tensors["output.st"][3].ravel()
    )


def test_a_network_without_a_transformer_has_one_and_crowd_too(
    server: Server, open_component: OpenPage
) -> None:
    run_id = server.start_run(architecture="digits-cnn", epochs=1000)
    server.wait_for_step(run_id, 3)
    server.control(run_id, "stop")
    page = open_component(server, f"?run={run_id}&step=0&view=probe")
    assert one(page, 0).locator(".stn-pane-content").count() == 1
    page.keyboard.press("3")
    page.get_by_text("This network has no transformer, so there are no regions").wait_for()
    assert chip(page, "Outline").is_disabled()
    heads = page.locator(".stn-chart-head:visible > span:first-child").all_inner_texts()
    assert heads == ["Loss", "Accuracy", "Steps/s"]
    assert "affine" not in page.locator(".stn-status-lines").inner_text()


def test_tiles_are_passed_by_tab_and_opened_by_keys(
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
    one(page, 0).get_by_text("Probe 1 of 12").wait_for()
    assert page.evaluate("document.activeElement.className") == "stn-detail-title"
    # Back again, what was opened has the focus.
    page.keyboard.press("1")
    assert page.evaluate("document.activeElement === document.querySelectorAll('.stn-probe')[0]")
    page.keyboard.press("Enter")
    # It was pressed, and nothing was played.
    page.wait_for_timeout(300)
    assert one(page, 0).is_visible()


def test_nothing_moves_when_something_else_fills_the_stage(
    server: Server, stopped_run: str, open_component: OpenPage
) -> None:
    page = open_component(server, f"?run={stopped_run}&step=0")
    wait_for_frame(page, 0)
    places = """() =>
    [".stn-segments", ".stn-timeline-controls", ".stn-run-controls"].map((part) => {
      const { left, top } = document.querySelector(part).getBoundingClientRect();
      return [Math.round(left), Math.round(top)];
    })"""
    before = page.evaluate(places)
    for name in ("One probe", "Summary", "Probes", "Outputs only"):
        chip(page, name).click()
        assert page.evaluate(places) == before, name
    assert chip(page, "Mesh").is_disabled()


def test_a_picture_that_joined_is_not_there_before(
    server: Server, open_component: OpenPage, picture: Path
) -> None:
    run_id = server.start_run(epochs=1000, seed=31, probes={"count": 3, "moving": False})
    try:
        server.wait_for_step(run_id, 2)
        image = {"image": picture.read_bytes()}
        server.http.post(f"/runs/{run_id}/probes", files=image).raise_for_status()
        (step,) = server.get_run(run_id)["added_at"]
        page = open_component(server, f"?run={run_id}&view=probe&probe=3&step=0")
        shown_one = page.locator(".stn-viewer .stn-detail.stn-missing")
        shown_one.get_by_text(f"It was added to the run at step {step}.").wait_for()
        assert not page.locator(".stn-detail-panes").is_visible()
        page.keyboard.press("End")
        page.get_by_text("Probe 4 of 4").wait_for()
        # Room for it is kept in frames before it.
        page.keyboard.press("1")
        first = page.locator(".stn-viewer .stn-probe").first
        before = first.bounding_box()
        page.keyboard.press("Home")
        page.locator(".stn-probes[data-step='0']").wait_for()
        assert page.locator(".stn-viewer .stn-probe").count() == 3
        assert first.bounding_box() == before
    finally:
        server.control(run_id, "stop")
