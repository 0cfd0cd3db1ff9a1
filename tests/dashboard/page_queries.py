"""What tests ask of an open page."""

from typing import Any

from playwright.sync_api import Page

from stnscope.backend.experiment.frames.frame import Frame
from tests.live_server import Server, wait_until

# Milliseconds; a machine that does much else at once takes its time to open a page.
TIMEOUT_MS = 90_000


def wait_for_frame(page: Page, step: int | None = None) -> int:
    """Waits for a frame on the stage (of `step`, where one is named) and answers with its step."""
    wanted = "" if step is None else f'="{step}"'
    stage = page.locator(f".stn-viewer .stn-probes[data-step{wanted}]").first
    stage.wait_for()
    return drawn_step(page)


def drawn_step(page: Page) -> int:
    stage = page.locator(".stn-viewer .stn-probes").first  # of two runs the one that leads
    return int(stage.get_attribute("data-step") or "-1")


def wait_for_step_where(page: Page, condition: str) -> None:
    """Waits until a condition on `step`, the step on the stage, holds; in JavaScript."""
    page.wait_for_function(
        "(() => { const step = Number(document.querySelector('.stn-viewer .stn-probes')"
        f".dataset.step); return {condition}; }})()"
    )


def status_text(page: Page) -> str:
    """What the page says of its situation."""
    return page.locator(".stn-status-lines").inner_text()


def select_option(page: Page, label: str, option: str) -> None:
    """Chooses from a list of Streamlit's."""
    wanted = page.get_by_role("option", name=option)

    def is_open() -> bool:
        # A list that opens while the page is still being laid out is closed again by that.
        page.get_by_role("combobox", name=label, exact=True).click()
        page.wait_for_timeout(500)
        return wanted.is_visible()

    wait_until(is_open)
    wanted.click()


def wait_for_status_text(page: Page, text: str) -> None:
    page.locator(".stn-status-lines", has_text=text).wait_for()


# Pixels along a side of the demonstration's pictures.
SIDES = {"input": 48, "output": 28}

# What the surface of a stage shows in the middle of every pixel of every picture of a kind.
READ_PIXELS = """(stage, [kind, side]) => {
  const surface = stage.querySelector("canvas");
  const from = surface.getBoundingClientRect();
  const scale = surface.width / from.width;
  return [...stage.querySelectorAll(`.stn-${kind} .stn-pixels`)].map((each) => {
    const { left, top, width, height } = each.getBoundingClientRect();
    const [x, y] = [left - from.left, top - from.top].map((value) => Math.round(value * scale));
    const [w, h] = [width, height].map((value) => Math.round(value * scale));
    const { data } = surface.getContext("2d").getImageData(x, y, w, h);
    const middle = (index, length) => Math.floor(((index + 0.5) * length) / side);
    return Array.from({ length: side * side }, (_, index) =>
      data[4 * (middle(Math.floor(index / side), h) * w + middle(index % side, w))]);
  });
}"""


def read_pixels(page: Page, kind: str, where: str = ".stn-viewer") -> list[list[int]]:
    """The first channel of every picture of a kind (`input`, `output`), row by row."""
    stage = page.locator(f"{where} .stn-probes")
    found: list[list[int]] = stage.evaluate(READ_PIXELS, [kind, SIDES[kind]])
    return found


def read_large_pixels(page: Page, where: str = ".stn-viewer") -> list[list[int]]:
    """The first channel of each picture that is shown large, in its own pixels, row by row."""
    found: list[list[int]] = page.locator(f"{where} .stn-image").evaluate_all(
        """(canvases) => canvases.map((canvas) => {
            const { data } = canvas.getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            return Array.from({ length: data.length / 4 }, (_, index) => data[4 * index]);
        })"""
    )
    return found


def overlay_paths(page: Page, part: str) -> list[str]:
    """The path data of one part of every probe's overlay."""
    found: list[str] = page.evaluate(
        "(part) => [...document.querySelectorAll(`.stn-viewer .stn-${part}.stn-line`)]"
        ".map((each) => each.getAttribute('d'))",
        part,
    )
    return found


def fetch_frame(server: Server, run_id: str, step: int) -> Frame:
    answer = server.http.get(f"/runs/{run_id}/frames/{step}").raise_for_status()
    return Frame.decode(answer.content)


def read_texts(page: Page, selector: str) -> list[Any]:
    return page.locator(f".stn-viewer {selector}").all_inner_texts()
