"""A real server with its page, real runs on it, and a real browser to look with."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocket, sync_playwright

from tests.dashboard.looking import PATIENCE
from tests.live_server import Server, serve, wait_until

Open = Callable[..., Page]

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
def ended(server: Server) -> str:
    """A run that has ended, long enough to have something in every chart."""
    return brief_run(server, lambda run: run["accuracy"] is not None, seed=4)


def brief_run(
    server: Server,
    enough: Callable[[dict[str, Any]], bool] = lambda run: run["step"] > 5,
    **config: Any,
) -> str:
    """A run that is stopped as soon as there is `enough` to see of it."""
    run_id = server.start_run(epochs=1000, **config)
    wait_until(lambda: enough(server.run(run_id)))
    server.control(run_id, "stop")
    server.await_status(run_id, "stopped")
    return run_id


@pytest.fixture(scope="session")
def endless(server: Server) -> Iterator[str]:
    """A run that never ends; it stands still while no test watches it."""
    run_id = server.start_run(epochs=1000)
    server.await_step(run_id, 1)
    server.control(run_id, "pause")
    yield run_id
    server.control(run_id, "stop")


@pytest.fixture
def running(server: Server, endless: str) -> Iterator[str]:
    """A run that is being trained for as long as the test lasts."""
    server.control(endless, "resume").raise_for_status()
    yield endless
    server.control(endless, "pause")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser; of one module only, because while it is open a loop runs in the tests' thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens an address of a server in a window of its own; what the page complains of fails."""
    complaints: list[str] = []
    contexts = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def visit(
        server: Server,
        path: str = "",
        *,
        init: str = "",
        on_socket: Callable[[WebSocket], None] = lambda _: None,
        **options: Any,
    ) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", hear)
        page.on("websocket", on_socket)
        page.add_init_script(PAINTS + init)
        page.goto(f"http://localhost:{server.port}/{path}", wait_until="commit")
        page.locator(".stn-viewer").wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [text for text in complaints if not CUT.search(text)] == []


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
