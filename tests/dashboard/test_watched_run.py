"""The page of a run whose loop is a program of its own."""

import threading

import torch
from playwright.sync_api import expect

import stnscope
from stnscope.backend.experiment.watching.watched_run import WatchedRun
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_chart_lines, wait_for_frame
from tests.experiment.watching.networks import Sampled, TransformerNet, regular_grid
from tests.live_server import Server, wait_until


def test_page_shows_a_loop_of_which_little_is_known(
    server: Server, open_component: OpenPage
) -> None:
    grid = regular_grid(12, 12).clone()
    grid[..., 0] += 0.2 * torch.sin(3 * grid[..., 1])
    run = stnscope.watch(
        Sampled(grid), torch.rand(3, 1, 12, 12), name="Bent", every=1, home=server.home
    )
    assert isinstance(run, WatchedRun)
    with run:
        for step in range(30):
            run.step(loss=3.0 - step / 20, grad_norm=step)
    page = open_component(server, f"?run={run.id}&step=20&charts=all")
    wait_for_frame(page, 20)
    wait_for_chart_lines(page)
    titles = page.locator(".stn-chart-head:visible > :first-child").all_inner_texts()
    # The loop has no accuracy.
    assert titles == ["Loss", "Scale", "Rotation", "Position", "Steps/s", "grad_norm"]
    grad_norm = page.locator(".stn-chart-head", has_text="grad_norm")
    expect(grad_norm).to_contain_text("19.0")
    expect(page.locator(".stn-counter")).to_have_text("20steps")
    page.get_by_role("button", name="One probe").click()
    expect(page.locator(".stn-theta-note")).to_contain_text("Theta is fitted to the grid, up to")
    expect(page.locator(".stn-viewer .stn-classes")).to_be_hidden()
    expect(page.get_by_role("group", name="Training", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Restart")).to_be_hidden()
    expect(page.locator(".stn-refusal")).to_contain_text("trained by a program of its own")


def test_page_controls_a_loop_at_its_pause_points(server: Server, open_component: OpenPage) -> None:
    network = TransformerNet()
    optimiser = torch.optim.SGD(
        [
            {"params": network.localisation.parameters()},
            {"params": network.classifier.parameters()},
        ],
        0.1,
    )
    run = stnscope.watch(network, torch.rand(3, 1, 12, 12), home=server.home)
    assert isinstance(run, WatchedRun)
    is_over = threading.Event()

    def train() -> None:
        while not is_over.is_set():
            run.step(loss=1.0)
            run.pause_point(optimiser)
            is_over.wait(0.01)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        page = open_component(server, f"?run={run.id}")
        training = page.get_by_role("group", name="Training", exact=True)
        expect(training.get_by_role("button").locator("visible=true")).to_have_text(
            ["Pause", "Step"]
        )
        expect(page.locator(".stn-refusal")).to_be_empty()
        training.get_by_role("button", name="Pause").click()
        training.get_by_role("button", name="Resume").wait_for()
        step = server.get_run(run.id)["step"]
        training.get_by_role("button", name="Step").click()
        wait_for_frame(page, step + 1)
        page.locator(".stn-summary", has_text="Learning rates").click()
        field = page.locator(".stn-viewer").get_by_label("localisation")
        field.fill("0")
        field.press("Tab")
        wait_until(
            lambda: (
                server.get_run(run.id)["settings"]["rate_factors"]
                == {"localisation": 0, "classifier": 1}
            )
        )
        training.get_by_role("button", name="Resume").click()
        training.get_by_role("button", name="Pause").wait_for()
    finally:
        is_over.set()
        run.end()
        thread.join()
    training.wait_for(state="hidden")
