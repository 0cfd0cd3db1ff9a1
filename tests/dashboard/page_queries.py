"""Queries and waits on an open page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from stnscope.backend.experiment.frames.frame import Frame
from tests.live_server import Server, wait_until
from tests.timeouts import TIMEOUT_MS


def wait_for_expression(page: Page, expression: str, arg: object = None) -> None:
    """Wait until a JavaScript expression, or function, is true.

    Playwright's own function for this evaluates text inside the page, which the page's content
    security policy forbids.
    """

    def is_true() -> bool:
        try:
            return bool(page.evaluate(expression, arg))
        except Error:
            return False  # the page is being loaded

    wait_until(is_true)


def wait_for_frame(page: Page, step: int | None = None) -> int:
    """Wait until the stage shows a frame, of `step` if given; return its step."""
    value = "" if step is None else f'="{step}"'
    stage = page.locator(f".stn-viewer .stn-probes[data-step{value}]").first
    stage.wait_for()
    return drawn_step(page)


def drawn_step(page: Page) -> int:
    """Return the step on the stage; in a comparison, that of the first run."""
    stage = page.locator(".stn-viewer .stn-probes").first
    return int(stage.get_attribute("data-step") or "-1")


def wait_for_step_where(page: Page, condition: str) -> None:
    """Wait until a JavaScript condition on `step`, the step on the stage, is true."""
    wait_for_expression(
        page,
        "(() => { const step = Number(document.querySelector('.stn-viewer .stn-probes')"
        f".dataset.step); return {condition}; }})()",
    )


def open_tab(page: Page, title: str) -> None:
    """Show another tab of the page."""
    page.get_by_role("navigation", name="Tabs").get_by_role("link", name=title).click()


def choose_picture(page: Page, file: Path) -> None:
    """Choose a file in *Try a picture*, and wait for its frame."""
    page.locator(".stn-source input[type=file]").set_input_files(file)
    page.locator(".stn-picture [data-step]").wait_for()


def status_text(page: Page) -> str:
    """Return the page's status line."""
    return page.locator(".stn-status-lines").inner_text()


def select_option(page: Page, label: str, option: str) -> None:
    """Choose an option of a Streamlit select box."""
    list_option = page.get_by_role("option", name=option)

    def is_chosen() -> bool:
        # A layout change of the page closes an open list, or leaves it outside the window.
        page.get_by_role("combobox", name=label, exact=True).click()
        page.wait_for_timeout(500)
        if not list_option.is_visible():
            return False
        try:
            list_option.click(timeout=TIMEOUT_MS / 12)
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
            return False
        return True

    wait_until(is_chosen)


def pump_events(page: Page) -> None:
    """Let Playwright deliver pending events, such as requests and frames, to their listeners."""
    page.wait_for_timeout(20)


def wait_for_layout(page: Page) -> None:
    """Wait for two animation frames: styles, layout and size observers are then up to date."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def wait_for_chart_lines(page: Page) -> None:
    """Wait until every line of every chart has data."""
    wait_for_expression(
        page,
        "[...document.querySelectorAll('.stn-plot:not([hidden])')]"
        ".every(({ data }) => data?.every((line) => line.x.length > 0))",
    )


def wait_for_status_text(page: Page, text: str) -> None:
    page.locator(".stn-status-lines", has_text=text).wait_for()


# Side lengths, in pixels, of the digits data set's pictures.
SIDE_LENGTHS = {"input": 48, "output": 28}

# Reads a stage's canvas at the centre of every pixel of every picture of a kind.
READ_PIXELS = """(stage, [kind, side]) => {
  const canvas = stage.querySelector("canvas");
  const area = canvas.getBoundingClientRect();
  const scale = canvas.width / area.width;
  return [...stage.querySelectorAll(`.stn-${kind} .stn-pixels`)].map((each) => {
    const { left, top, width, height } = each.getBoundingClientRect();
    const [x, y] = [left - area.left, top - area.top].map((value) => Math.round(value * scale));
    const [w, h] = [width, height].map((value) => Math.round(value * scale));
    const { data } = canvas.getContext("2d").getImageData(x, y, w, h);
    const centre = (index, length) => Math.floor(((index + 0.5) * length) / side);
    return Array.from({ length: side * side }, (_, index) =>
      data[4 * (centre(Math.floor(index / side), h) * w + centre(index % side, w))]);
  });
}"""


def read_pixels(page: Page, kind: str, container: str = ".stn-viewer") -> list[list[int]]:
    """Return the first channel of every picture of a kind (`input`, `output`), row by row."""
    stage = page.locator(f"{container} .stn-probes")
    pixels: list[list[int]] = stage.evaluate(READ_PIXELS, [kind, SIDE_LENGTHS[kind]])
    return pixels


def read_large_pixels(page: Page, container: str = ".stn-viewer") -> list[list[int]]:
    """Return the first channel of each enlarged picture at its original size, row by row."""
    pixels: list[list[int]] = page.locator(f"{container} .stn-image").evaluate_all(
        """(canvases) => canvases.map((canvas) => {
            const { data } = canvas.getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            return Array.from({ length: data.length / 4 }, (_, index) => data[4 * index]);
        })"""
    )
    return pixels


def overlay_paths(page: Page, part: str) -> list[str]:
    """Return the path data of one part of every probe's overlay."""
    paths: list[str] = page.evaluate(
        "(part) => [...document.querySelectorAll(`.stn-stages .stn-${part}.stn-line`)]"
        ".map((each) => each.getAttribute('d'))",
        part,
    )
    return paths


def fetch_frame(server: Server, run_id: str, step: int) -> Frame:
    """Fetch the recorded frame of a step from the server."""
    response = server.http.get(f"/runs/{run_id}/frames/{step}").raise_for_status()
    return Frame.decode(response.content)


def read_texts(page: Page, selector: str) -> list[Any]:
    """Return the texts of all elements of the viewer that match a selector."""
    return page.locator(f".stn-viewer {selector}").all_inner_texts()
