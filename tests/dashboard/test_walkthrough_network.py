"""*How it works*: predictions for a picture that is varied, compared with PyTorch's."""

import re

import numpy as np
from playwright.sync_api import Locator, expect

from stnscope.backend.experiment.inference.transform import transform, transform_cached
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.cards import cards
from tests.dashboard.conftest import OpenPage
from tests.live_server import Server, wait_until
from tools import make_walkthrough_example

SIDE = 48
SHIFT = 7
DIGIT = 4
"""What the picture shows."""
NETWORKS = ("digits-cnn-centred", "digits")


def test_scores_over_the_shift_are_those_of_the_networks(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, f"?tab=how&part=classifier&picture=upright&shift={SHIFT}")
    figure = page.locator(".stn-classifier-figure")
    caption = figure.locator(".stn-classifier-caption")
    data = make_walkthrough_example.PICTURE.with_name("upright.png").read_bytes()
    shown = {}
    for shift in (SHIFT, SHIFT + 1):
        expect(caption).to_contain_text(f"Moved {shift} px right")
        shown[shift] = re.findall(r"(\d+)%", caption.inner_text())
        figure.get_by_role("slider").press("ArrowRight")
    # The lines go from end to end, without a gap.
    lines = figure.locator(".stn-plot-line")
    wait_until(lambda: [d.count("L") for d in paths(lines)] == [40, 40])
    for index, name in enumerate(NETWORKS):
        weights = shipped(cards()[name])
        key = transform(data, weights).info["picture"]
        expected = {
            shift: transform_cached(key, weights, variation={"shift_x": 2 * shift / SIDE}).tensors[
                "probabilities"
            ][0][DIGIT]
            for shift in range(-20, 21)
        }
        for shift, texts in shown.items():
            assert abs(float(texts[index]) - 100 * expected[shift]) <= 0.51
        heights = [float(point.split(",")[1]) for point in paths(lines)[index][1:].split("L")]
        # The axis has 124 of the drawing's 160 units, above a margin of 26.
        drawn = (160 - 26 - np.array(heights)) / 124
        np.testing.assert_allclose(drawn, [*expected.values()], atol=0.001)
        # What pooling tolerates, in numbers: the shifts, and a rotation and a scale.
        first, last = tolerated(expected)
        expect(figure.locator(".stn-classifier-pooling")).to_contain_text(
            f" from {-first} px left to {last} px right"
        )
        for variation in ({"rotation": 45}, {"scale": 0.6}):
            (row,) = transform_cached(key, weights, variation=variation).tensors["probabilities"]
            expect(figure.locator(".stn-classifier-pooling")).to_contain_text(
                re.compile(rf"[( ]{100 * row[DIGIT]:.0f}%[;)]")
            )


def tolerated(probabilities: dict[int, float]) -> tuple[int, int]:
    """Return the ends of the shifts about 0 at which the class keeps half the probability."""
    failed = [shift for shift, share in probabilities.items() if share < 0.5]
    left = max((shift for shift in failed if shift < 0), default=-21) + 1
    return left, min((shift for shift in failed if shift > 0), default=21) - 1


def paths(lines: Locator) -> list[str]:
    found: list[str] = lines.evaluate_all("(lines) => lines.map((line) => line.getAttribute('d'))")
    return found


def test_theta_over_a_change_is_that_of_the_localisation_network(
    server: Server, open_component: OpenPage
) -> None:
    link = "?tab=how&part=localisation&picture=upright&change=rotation&value=30"
    page = open_component(server, link)
    figure = page.locator(".stn-localisation-figure")
    cells = figure.get_by_role("group", name="θ", exact=True).locator(".stn-matrix-cell")
    expect(cells).to_have_count(6)
    weights = shipped(cards()["digits"])
    data = make_walkthrough_example.PICTURE.with_name("upright.png").read_bytes()
    frame = transform(data, weights, variation={"rotation": 30})
    shown = [float(text.replace("\u2212", "-")) for text in cells.all_inner_texts()]
    np.testing.assert_allclose(shown, frame.tensors["theta.st"][0], atol=0.00051)
    expect(figure.locator(".stn-localisation-maps canvas")).to_have_count(3)
    # The second line is the region's, the first one that of exact following.
    wait_until(lambda: [d.count("L") for d in paths(figure.locator(".stn-plot-line"))] == [36, 36])


def test_figures_measure_side_by_side_when_all_are_printed(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, "?tab=how&part=classifier")
    page.locator(".stn-classifier-figure").wait_for()
    page.evaluate("void (window.print = () => { window.isPrinted = true; })")
    page.get_by_role("button", name="Print").click()
    plots = page.locator(".stn-classifier-figure, .stn-localisation-figure")
    lengths = [40, 40, 32, 32]
    wait_until(lambda: page.evaluate("window.isPrinted"))
    # It is printed once all is drawn.
    assert [d.count("L") for d in paths(plots.locator(".stn-plot-line"))] == lengths
    expect(page.get_by_role("group", name="Gradient of θ")).to_contain_text("∂L/∂θ")
