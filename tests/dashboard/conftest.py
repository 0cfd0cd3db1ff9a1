"""A real server with its page, real runs on it, and a real browser to look with."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    ViewportSize,
    WebSocket,
    sync_playwright,
)

from tests.dashboard.page_queries import TIMEOUT_MS
from tests.live_server import Server, serve, wait_until

OpenPage = Callable[..., Page]

LAPTOP: ViewportSize = {"width": 1280, "height": 720}

# What a browser says of a connection that a test has cut.
CUT = re.compile(
    "ERR_|WebSocket connection|Failed to load resource|Client Error in|Is Streamlit still"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it as they found it."""
    with serve(tmp_path_factory.mktemp("home"), "--no-demonstration") as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that the test may kill."""
    with serve(tmp_path / "home", "--no-demonstration", "--no-standby") as server:
        yield server


@pytest.fixture(scope="session")
def stopped_run(server: Server) -> str:
    """A run that has ended, long enough to have something in every chart."""
    return record_run(server, lambda run: run["accuracy"] is not None, seed=4)


def record_run(
    server: Server,
    enough: Callable[[dict[str, Any]], bool] = lambda run: run["step"] > 5,
    **config: Any,
) -> str:
    """A run that is stopped as soon as there is `enough` to see of it."""
    run_id = server.start_run(epochs=1000, **config)
    wait_until(lambda: enough(server.get_run(run_id)))
    server.control(run_id, "stop")
    server.wait_for_status(run_id, "stopped")
    return run_id


@pytest.fixture(scope="session")
def paused_run(server: Server) -> Iterator[str]:
    """A run that never ends; it stands still while no test watches it."""
    run_id = server.start_run(epochs=1000)
    server.wait_for_step(run_id, 1)
    server.control(run_id, "pause")
    yield run_id
    server.control(run_id, "stop")


@pytest.fixture
def training_run(server: Server, paused_run: str) -> Iterator[str]:
    """A run that is being trained for as long as the test lasts."""
    server.control(paused_run, "resume").raise_for_status()
    yield paused_run
    server.control(paused_run, "pause")


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser keeps from one module to the next: the page's scripts, compiled."""
    return tmp_path_factory.mktemp("profile")


@contextmanager
def open_browser(chromium: str, profile: Path, *flags: str) -> Iterator[BrowserContext]:
    """A browser with a profile; without the graphics card that it would make up."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", *flags],
            no_viewport=True,
        )
        context.pages[0].add_init_script(PAINTS)
        yield context
        context.close()


@pytest.fixture(scope="module")
def context(chromium: str, profile: Path) -> Iterator[BrowserContext]:
    """A browser; of one module only, because while it is open a loop runs in the tests' thread."""
    with open_browser(chromium, profile) as context:
        yield context


@pytest.fixture(scope="module")
def browser(context: BrowserContext) -> Browser:
    """The same, for windows that share nothing with others."""
    assert context.browser is not None
    return context.browser


@pytest.fixture
def open_page(context: BrowserContext, browser: Browser) -> Iterator[OpenPage]:
    """Opens an address of a server; what the page complains of fails.

    The first page of a test is the tab that the one before had, emptied: a new one takes twice as
    long to show anything.
    """
    complaints: list[str] = []
    visited: set[SplitResult] = set()
    tab = context.pages[0]
    leave = ExitStack()

    def complain(error: Error) -> None:
        complaints.append(str(error))

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def page_for(init: str, options: dict[str, Any]) -> tuple[Page, Callable[[], None]]:
        """A page, and how it is left."""
        if not (options or init or visited):
            return tab, lambda: empty(tab)
        page = browser.new_context(**options).new_page() if options else context.new_page()
        page.add_init_script(PAINTS + init)
        return page, page.context.close if options else page.close

    def open_page(
        server: Server,
        path: str = "",
        *,
        init: str = "",
        on_socket: Callable[[WebSocket], None] = lambda _: None,
        viewport: ViewportSize = LAPTOP,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        **options: Any,
    ) -> Page:
        page, leave_page = page_for(init, options)
        page.set_default_timeout(TIMEOUT_MS)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.on("pageerror", complain)
        page.on("console", hear)
        page.on("websocket", on_socket)
        for event, listener in (
            ("pageerror", complain),
            ("console", hear),
            ("websocket", on_socket),
        ):
            leave.callback(page.remove_listener, event, listener)
        leave.callback(leave_page)
        address = f"http://localhost:{server.port}/{path}"
        visited.add(urlsplit(address))
        page.goto(address, wait_until="commit")
        page.locator(".stn-viewer").wait_for()
        return page

    with leave:
        yield open_page
    forget(context, visited)
    assert [text for text in complaints if not CUT.search(text)] == []


def empty(page: Page) -> None:
    """Leaves nothing of a test in a page."""
    page.unroute_all()
    page.evaluate("sessionStorage.clear()")
    page.goto("about:blank")


def forget(context: BrowserContext, visited: set[SplitResult]) -> None:
    """Leaves nothing of a test in a browser but the scripts that it has compiled."""
    context.clear_cookies()
    session = context.new_cdp_session(context.pages[0])
    for address in visited:
        origin = f"{address.scheme}://{address.netloc}"
        what = {"origin": origin, "storageTypes": "local_storage,indexeddb"}
        session.send("Storage.clearDataForOrigin", what)
    session.detach()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of a digit as a file."""
    target = tmp_path / "digit.png"
    examples = Path(__file__).parents[2] / "dashboard" / "assets" / "examples"
    target.write_bytes((examples / "corner.png").read_bytes())
    return target


# Every paint of the stage is noted, with the step painted.
PAINTS = """
window.paints = [];
addEventListener("stnscope:paint", (event) => window.paints.push(event.detail.step));
"""
