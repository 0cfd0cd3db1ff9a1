"""*How it works*: the gradient of the grid, in a real browser, beside what PyTorch computes."""

import numpy as np
from playwright.sync_api import expect

from stnscope.backend.experiment.inference.transform import transform, transform_cached
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.cards import cards
from tests.dashboard.conftest import OpenPage
from tests.live_server import Server, wait_until
from tools import make_walkthrough_example

START = [0.8, 0.0, 0.05, 0.0, 0.8, 0.0]
LINK = f"?tab=how&part=gradient&theta={','.join(map(str, START))}"


def test_arrows_add_up_to_the_gradient_and_steps_lower_the_loss(
    server: Server, open_component: OpenPage
) -> None:
    weights = shipped(cards()["digits"])
    picture = transform(make_walkthrough_example.PICTURE.read_bytes(), weights)
    label = int(
        transform_cached(
            picture.info["picture"], weights, variation=make_walkthrough_example.VARIATION
        ).info["predicted"][0]
    )
    expected = transform_cached(
        picture.info["picture"],
        weights,
        variation=make_walkthrough_example.VARIATION,
        theta={"st": START},
        gradient={"class": label},
    )
    page = open_component(server, LINK)
    figure = page.locator(".stn-gradient-figure")
    cells = figure.get_by_role("group", name="Gradient of θ").locator(".stn-matrix-cell")
    expect(cells).to_have_count(6)
    shown = [float(text.replace("\u2212", "-")) for text in cells.all_inner_texts()]
    np.testing.assert_allclose(shown, expected.tensors["gradient.theta.st"][0], atol=0.00501)
    arrows = figure.locator(".stn-arrow").first
    assert (arrows.get_attribute("d") or "").count("M") > 50
    loss = figure.locator(".stn-curve-drawing")
    expect(loss).to_have_attribute(
        "aria-label",
        f"Loss {expected.info['gradient']['loss']:.2f} after 0 steps, from "
        f"{expected.info['gradient']['loss']:.2f}",
    )
    page.get_by_role("button", name="Twenty steps").click()
    wait_until(lambda: "after 20 steps" in (loss.get_attribute("aria-label") or ""))
    last = float((loss.get_attribute("aria-label") or "").split()[1])
    assert last < 0.6 * expected.info["gradient"]["loss"]
    # Outside there is no arrow, and no step brings the region back.
    page.get_by_role("button", name="Move the region outside").click()
    expect(figure).to_contain_text("a region outside the image cannot return")
    assert arrows.get_attribute("d") == ""
    page.get_by_role("button", name="One step").click()
    wait_until(lambda: "after 1 step," in (loss.get_attribute("aria-label") or ""))
    expect(cells).to_have_text(["0.00"] * 6)
