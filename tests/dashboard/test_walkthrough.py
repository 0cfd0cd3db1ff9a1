"""*How it works*: the steps of the walkthrough and their figures, in a real browser."""

import re
from urllib.parse import parse_qs

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.runs import example_path
from stnscope.models import grid
from stnscope.models.families import IMPLEMENTATIONS
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_expression
from tests.live_server import Server, wait_until
from tools import make_walkthrough_example

TAB = "?tab=how"
EXAMPLE = Frame.decode(make_walkthrough_example.PATH.read_bytes())
THETA = torch.tensor(EXAMPLE.tensors["theta.st"])
INPUT = torch.tensor(EXAMPLE.tensors["input"]).permute(0, 3, 1, 2).float()

READ_CANVAS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [...data].filter((_, index) => index % 4 === 0);
}"""


def query_of(page: Page) -> dict[str, str]:
    """Return the address's parameters."""
    query = parse_qs(page.evaluate("location.search.slice(1)"))
    return {name: values[0] for name, values in query.items()}


def sample(theta: Tensor) -> Tensor:
    """Return the output that PyTorch computes of the example, row by row."""
    grid = functional.affine_grid(theta.view(1, 2, 3), [1, 1, 28, 28], align_corners=False)
    return functional.grid_sample(INPUT, grid, align_corners=False).ravel()


def is_drawn(canvas: Locator, expected: Tensor) -> bool:
    """Whether a canvas shows these values, to within their rounding to bytes."""
    shown = torch.tensor(canvas.evaluate(READ_CANVAS)).float()
    return len(shown) == len(expected) and bool((shown - expected).abs().max() < 0.51)


def matrix_of(page: Page) -> Tensor:
    fields = page.get_by_role("group", name="The matrix θ").get_by_role("spinbutton")
    return torch.tensor([float(field.input_value()) for field in fields.all()])


def test_theta_is_held_in_three_ways(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, f"{TAB}&part=theta")
    figure = page.locator(".stn-theta-figure")
    output = figure.locator("canvas").nth(1)
    wait_until(lambda: is_drawn(output, sample(THETA[0])))
    # The question is shown before the figure.
    assert page.locator(".stn-walkthrough-figure:visible").evaluate("(figure) => figure.inert")
    page.get_by_role("button", name="It becomes half as large").click()
    expect(page.locator(".stn-walkthrough-verdict:visible")).to_contain_text("zooms in")
    assert not page.locator(".stn-walkthrough-figure:visible").evaluate("(figure) => figure.inert")
    # The answer plays, until the figure is taken hold of.
    page.get_by_role("button", name="The network's θ").click()
    wait_until(lambda: is_drawn(output, sample(THETA[0])))
    # The matrix.
    field = page.get_by_role("spinbutton", name="θ 1,3")
    field.fill("0.1")
    edited = torch.tensor([*THETA[0, :2], 0.1, *THETA[0, 3:]])
    wait_until(lambda: is_drawn(output, sample(edited)))
    expect(figure.get_by_role("slider", name="Shift right")).to_have_attribute(
        "aria-valuetext", "0.10"
    )
    # The region, whose corner is moved by a pixel.
    page.get_by_role("button", name="The whole region").press("ArrowRight")
    moved = edited + torch.tensor([0, 0, 1 / 24, 0, 0, 0])
    wait_until(lambda: torch.allclose(matrix_of(page), moved, atol=6e-4))
    assert is_drawn(output, sample(moved))
    # A slider.
    slider = figure.get_by_role("slider", name="Rotation")
    slider.press("ArrowRight")
    wait_until(lambda: not torch.allclose(matrix_of(page), moved, atol=6e-4))
    assert query_of(page)["part"] == "theta"
    wait_until(lambda: "theta" in query_of(page))
    # A link opens the same state.
    theta = torch.tensor([float(text) for text in query_of(page)["theta"].split(",")])
    page.reload()
    wait_until(lambda: is_drawn(output, sample(theta)))


def test_answers_play(server: Server, open_component: OpenPage) -> None:
    """After a choice the figure moves to what is right."""
    page = open_component(server, f"{TAB}&part=theta", reduced_motion="no-preference")
    page.get_by_role("button", name="It stays as it is").click()
    scale = page.locator(".stn-theta-figure").get_by_role("slider", name="Scale")
    expect(scale).to_have_attribute("aria-valuetext", "30%")
    answered = matrix_of(page)
    assert torch.linalg.det(answered.view(2, 3)[:, :2]).item() == pytest.approx(0.09, abs=1e-3)
    assert torch.allclose(answered[[2, 5]], THETA[0, [2, 5]], atol=6e-4)
    # It plays again, and a region that the user drags meanwhile stays where it is.
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("button", name="Identity").click()
    wait_until(lambda: matrix_of(page).tolist() == [1, 0, 0, 0, 1, 0])
    page.get_by_role("button", name="Mirror").click()
    wait_until(lambda: matrix_of(page).tolist() == [-1, 0, 0, 0, 1, 0])

    page.get_by_role("navigation", name="Steps").get_by_role("link", name="Gradient").click()
    page.get_by_role("button", name="Back to the digit").click()
    figure = page.locator(".stn-gradient-figure")
    expect(figure.locator(".stn-curve-drawing")).to_have_attribute(
        "aria-label", re.compile("after 20 steps")
    )
    expect(figure).to_contain_text("a region outside the image cannot return")
    assert figure.locator(".stn-arrow").first.get_attribute("d") == ""

    page.get_by_role("navigation", name="Steps").get_by_role("link", name="Localisation").click()
    page.get_by_role("button", name="θ 1,3, the shift along x").click()
    figure = page.locator(".stn-localisation-figure")
    expect(figure.locator(".stn-localisation-changes")).to_contain_text("θ 1,3 has changed most")
    expect(figure.get_by_role("slider")).to_have_attribute("aria-valuetext", "0.50")


def test_back_goes_to_the_previous_step(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, f"{TAB}&part=theta")
    titles = page.get_by_role("heading", level=2)
    page.get_by_role("button", name="Skip the question").click()
    page.get_by_role("button", name="Identity").click()
    wait_until(lambda: matrix_of(page).tolist() == [1, 0, 0, 0, 1, 0])
    page.locator(".stn-theta-figure").get_by_role("slider", name="Shift right").press("ArrowRight")
    length = page.evaluate("history.length")
    page.get_by_role("button", name="Next step").click()
    expect(titles.filter(visible=True)).to_have_text("The parameterised sampling grid")
    page.keyboard.press("ArrowRight")
    expect(titles.filter(visible=True)).to_have_text("Differentiable image sampling")
    # A step is an entry of the history; the change of a slider is not.
    assert page.evaluate("history.length") == length + 2
    page.go_back()
    expect(titles.filter(visible=True)).to_have_text("The parameterised sampling grid")
    page.go_back()
    expect(titles.filter(visible=True)).to_have_text("The sampled region: theta")
    assert query_of(page)["theta"] == "1,0,0.01,0,1,0"
    wait_until(lambda: matrix_of(page).tolist() == pytest.approx([1, 0, 0.01, 0, 1, 0]))
    page.go_forward()
    expect(titles.filter(visible=True)).to_have_text("The parameterised sampling grid")


def test_walkthrough_is_stepped_through_by_keyboard(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, f"{TAB}&part=grid&pixel=4,5")
    steps = page.locator(".stn-grid-steps")
    output = page.get_by_role("application", name="Output")
    output.press("ArrowLeft")
    x, y, one = -0.75, (2 * 5 + 1) / 28 - 1, 1
    point = THETA.view(2, 3).double() @ torch.tensor([x, y, one]).double()
    column, row = ((point + 1) * 24).floor().int().tolist()
    expect(steps).to_contain_text(f"Output pixel (3, 5) samples in input pixel ({column}, {row}).")
    for value in ((point + 1) * 24).tolist():
        expect(steps).to_contain_text(f"= {value:.2f}")
    for part, words in (
        ("Inverse and forward warp", "output pixels without"),
        ("align_corners", "outer edges"),
    ):
        page.get_by_role("button", name=part, exact=True).click()
        expect(page.locator(".stn-grid-figure")).to_contain_text(words)
    page.keyboard.press("ArrowRight")
    expect(
        page.get_by_role("heading", level=2, name="Differentiable image sampling")
    ).to_be_visible()
    wait_until(lambda: query_of(page)["part"] == "sampling")
    assert "figure" not in query_of(page)
    # The pixel that was chosen in the grid is sampled.
    x, y = ((point + 1) * 24).tolist()
    expect(page.locator(".stn-sampling-sentence")).to_contain_text(
        f"Output pixel (3, 5), that of step 3, samples at ({x:.2f}, {y:.2f})"
    )
    assert query_of(page)["pixel"] == "3,5"
    # The sum is that of PyTorch at the point that the address then names.
    page.get_by_role("button", name=re.compile("^Sampling point")).press("ArrowDown")
    wait_until(lambda: "point" in query_of(page))
    point = torch.tensor([float(text) for text in query_of(page)["point"].split(",")])
    value = functional.grid_sample(
        INPUT, (point / 24 - 1).view(1, 1, 1, 2), align_corners=False
    ).item()
    expect(page.locator(".stn-sum-value")).to_have_text(f"{value:.1f}")
    page.keyboard.press("f")
    assert query_of(page)["present"] == "1"
    expect(page.locator(".stn-walkthrough-text:visible")).to_have_count(0)
    page.keyboard.press("f")
    expect(page.locator(".stn-walkthrough-text:visible")).to_have_count(1)
    page.get_by_role("button", name="Present").last.click()
    page.reload()
    wait_for_expression(page, "document.querySelector('.stn-sum-value')?.textContent !== ''")
    expect(page.locator(".stn-walkthrough-text:visible")).to_have_count(0)


def test_other_families_are_held_by_sliders_and_control_points(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, f"{TAB}&part=families&family=projective")
    figure = page.locator(".stn-family-part")
    output = figure.locator("canvas").nth(1)

    def wait_for_output(name: str, theta: Tensor) -> None:
        points = IMPLEMENTATIONS[name].warp(theta[None], grid.pixel_centres(28, 28))
        sampled = functional.grid_sample(INPUT, points.view(1, 28, 28, 2), align_corners=False)
        wait_until(lambda: is_drawn(output, sampled.ravel()))

    theta = torch.tensor(IMPLEMENTATIONS["projective"].identity)
    figure.get_by_role("button", name="Identity").click()
    wait_for_output("projective", theta)
    figure.get_by_role("slider", name="θ 3,1").press("Shift+ArrowRight")
    theta[6] = 0.1
    wait_for_output("projective", theta)
    expect(figure).to_contain_text("bent: its sides stay straight.")
    expect(figure.locator(".stn-walkthrough-reading")).to_contain_text("in perspective, up to")
    # The middle control point of a spline, moved to the right by a pixel.
    figure.get_by_role("button", name="Thin plate spline, 3x3").click()
    figure.get_by_role("button", name="Identity").click()
    theta = torch.tensor(IMPLEMENTATIONS["spline-3"].identity)
    wait_for_output("spline-3", theta)
    figure.get_by_role("button", name="Control point, row 2, column 2").press("ArrowRight")
    theta[8] += 2 / 48
    wait_for_output("spline-3", theta)
    # A link opens the same state.
    wait_until(lambda: query_of(page).get("theta", "").split(",")[8:9] == ["0.0417"])
    page.reload()
    theta[8] = 0.0417
    wait_for_output("spline-3", theta)
    # The recording of two transformers, at its first step.
    page.get_by_role("button", name="Several transformers", exact=True).click()
    page.get_by_role("slider", name="Recorded step").press("Home")
    expect(page.locator(".stn-recorded-step:visible")).to_contain_text("Step0")
    wait_until(lambda: query_of(page).get("at") == "0")
    page.get_by_role("button", name="Recurrent", exact=True).click()
    expect(page.locator(".stn-row-part")).to_contain_text("start the preset Three digits in a row")


def test_signs_are_played_as_recorded(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, f"{TAB}&part=learning&tenth=58&lap=12")
    animations = page.locator(".stn-animation")
    expect(animations).to_have_count(2)
    evolution, moving = animations.all()
    with Recording.open(example_path("example-signs")) as recording:
        frames = [recording.frame(58), recording.frame(recording.summary()["last_step"], lap=12)]
    for animation, frame, probes in zip((evolution, moving), frames, (3, 1), strict=True):
        images = [frame.tensors[name][..., 0] for name in ("input", "output.st")]
        canvases = animation.locator("canvas")
        expect(canvases).to_have_count(2 * probes)
        for index in range(2 * probes):
            expected = torch.tensor(images[index % 2][index // 2]).float().ravel()
            canvas = canvases.nth(index)
            wait_until(lambda canvas=canvas, expected=expected: is_drawn(canvas, expected))  # type: ignore[misc]
    counter = evolution.locator(".stn-animation-counter")
    expect(counter).to_have_text("3/10")
    evolution.get_by_role("button", name="Play").click()
    expect(counter).to_have_text("5/10")
    evolution.get_by_role("slider").press("End")
    expect(counter).to_have_text("10/10")
    expect(evolution.get_by_role("button", name="Play")).to_be_visible()
    wait_until(lambda: query_of(page).get("tenth") == "191")
    assert query_of(page)["lap"] == "12"
    # Nothing moves by itself with reduced motion.
    page.emulate_media(reduced_motion="reduce")
    page.goto(page.url.partition("&tenth")[0])
    expect(counter).to_have_text("10/10")
    expect(page.locator(".stn-animation").get_by_role("button", name="Play")).to_have_count(2)


def test_figures_show_another_picture(server: Server, open_component: OpenPage) -> None:
    page = open_component(server, f"{TAB}&part=theta&picture=corner")
    picture = make_walkthrough_example.PICTURE.with_name("corner.png")
    response = server.http.post(
        "/transform", files={"image": picture.read_bytes()}, data={"weights": "digits"}
    )
    theta = torch.tensor(Frame.decode(response.raise_for_status().content).tensors["theta.st"][0])
    page.locator(".stn-theta-figure").wait_for()
    wait_until(lambda: torch.allclose(matrix_of(page), theta, atol=6e-4))
    # One that is dropped, or pasted, replaces it; the address then names none.
    page.locator(".stn-walkthrough > .stn-source input[type=file]").set_input_files(
        picture.with_name("upright.png")
    )
    wait_until(lambda: not torch.allclose(matrix_of(page), theta, atol=6e-4))
    wait_until(lambda: "picture" not in query_of(page))
