"""Fixtures: a real server with its page, real runs on it, and a real browser."""

import asyncio
import re
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import pytest
from filelock import FileLock
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    ViewportSize,
    WebSocket,
    expect,
    sync_playwright,
)

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.server.runs import Runs
from tests.experiment.scripted import Script
from tests.live_server import BATCH_SIZE, Server, free_port, serve
from tests.timeouts import TIMEOUT_MS

expect.set_options(timeout=TIMEOUT_MS)

OpenPage = Callable[..., Page]

COMPONENT_SERVER = (sys.executable, str(Path(__file__).with_name("serve_component_page.py")))
# Without a run of its own, and without processes that wait for the first picture.
PAGE_OPTIONS = ("--no-demonstration", "--no-standby")

STEPS_TO_ACCURACY = 80

LAPTOP: ViewportSize = {"width": 1280, "height": 720}

# Console errors of a browser after a test has cut its connection.
CONNECTION_ERRORS = re.compile(
    "ERR_|WebSocket connection|Failed to load resource|Client Error in|Is Streamlit still|"
    "when disconnected from server|WebSocket is already in CLOSING"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not change or stop it."""
    home = tmp_path_factory.mktemp("home")
    with serve(home, *PAGE_OPTIONS, program=COMPONENT_SERVER) as server:
        yield server


@pytest.fixture(scope="session")
def own_port() -> Iterator[int]:
    """The port of each server that one test, or one module, has for itself, one at a time.

    The browser caches files and compiled scripts by their address. To load the page from a new one
    takes 2 s of a core longer.
    """
    with socket.socket() as held:
        # On Linux a port that is bound so is given to no other program, and may be listened on.
        if sys.platform == "linux":
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", 0))
            yield held.getsockname()[1]
        else:
            yield free_port()


@pytest.fixture
def own_server(tmp_path: Path, own_port: int) -> Iterator[Server]:
    """A server for one test, which may kill it."""
    home = tmp_path / "home"
    with serve(home, *PAGE_OPTIONS, port=own_port, program=COMPONENT_SERVER) as server:
        yield server


@pytest.fixture(scope="session")
def stopped_run(server: Server, shared_folder: Path) -> str:
    """A stopped run, long enough for data in every chart."""
    return add_shared_run(server, shared_folder / "stopped", RunConfig(epochs=1000, seed=4))


@pytest.fixture(scope="session")
def still(stopped_run: str) -> str:
    """The address of a view at rest, of the last step of `stopped_run`.

    Without a step the page plays the run, which takes a third of a core for as long as it is open.
    """
    return f"?run={stopped_run}&step={STEPS_TO_ACCURACY}"


def add_shared_run(server: Server, folder: Path, config: RunConfig) -> str:
    """Give a server a run that was stopped just after its accuracy was measured; return its id.

    It is recorded once for all processes, in `folder`.
    """
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            record_stopped_run(folder.with_suffix(".new"), config, STEPS_TO_ACCURACY).rename(folder)
    return add_recording(server, folder)


def record_run(server: Server, steps: int = 6, **config: Any) -> str:
    """Give a server a run that was stopped after some steps; return its id."""
    with TemporaryDirectory() as folder:
        full = RunConfig.model_validate({"epochs": 1000, "batch_size": BATCH_SIZE} | config)
        return add_recording(server, record_stopped_run(Path(folder), full, steps))


def record_stopped_run(folder: Path, config: RunConfig, steps: int) -> Path:
    """Record a run that is stopped after some steps; return the folder."""
    runs = Runs(folder)
    record(runs.path(runs.create(config)), Script(steps, {"action": "stop"}))
    return folder


def add_recording(server: Server, folder: Path) -> str:
    """Copy a folder's only recording to a server; return the run's id."""
    (recording,) = folder.glob("*.stnscope")
    copy(recording, server.home / "recordings")
    return recording.stem


@pytest.fixture(scope="session")
def paused_run(server: Server, shared_folder: Path) -> Iterator[str]:
    """A run that never finishes, paused while no test uses `training_run`; it has an accuracy."""
    config = RunConfig(epochs=1000, batch_size=BATCH_SIZE)
    run_id = add_shared_run(server, shared_folder / "endless", config)
    server.control(run_id, "resume").raise_for_status()
    server.wait_for_step(run_id, STEPS_TO_ACCURACY + 1)
    server.slow_down(run_id)
    server.control(run_id, "pause")
    yield run_id
    server.control(run_id, "stop")


@pytest.fixture
def training_run(server: Server, paused_run: str) -> Iterator[str]:
    """A run that trains during the test."""
    server.control(paused_run, "resume").raise_for_status()
    yield paused_run
    server.control(paused_run, "pause")


# What takes least of the cores for pages that are open for seconds: no optimised code, rare garbage
# collection, no process for the network alone.
LIGHT = (
    "--disable-gpu",
    "--js-flags=--no-opt --no-maglev --min-semi-space-size=32",
    "--enable-features=NetworkServiceInProcess2",
)
# A simulated camera, which needs no consent.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="session")
def session_browser(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BrowserContext, asyncio.AbstractEventLoop]]:
    """One browser for all tests, without an emulated graphics card, and its suspended event loop.

    Its profile caches the page's compiled scripts.
    """
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium,
            args=["--no-sandbox", *LIGHT, *CAMERA],
            no_viewport=True,
        )
        context.pages[0].add_init_script(RECORD_PAINTS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield context, loop
        asyncio._set_running_loop(loop)
        context.close()


@pytest.fixture
def context(
    session_browser: tuple[BrowserContext, asyncio.AbstractEventLoop],
) -> Iterator[BrowserContext]:
    """The browser, for one test.

    Between its calls Playwright leaves its event loop as the thread's running one. Other tests,
    which run loops of their own, must not find it there.
    """
    context, loop = session_browser
    asyncio._set_running_loop(loop)
    yield context
    asyncio._set_running_loop(None)


@pytest.fixture
def browser(context: BrowserContext) -> Browser:
    """The browser of `context`, for contexts that share no cookies or storage with others."""
    assert context.browser is not None
    return context.browser


OpenAddress = Callable[..., Page]
"""Opens an address; its arguments are those of `open_address`."""


@pytest.fixture
def open_address(context: BrowserContext, browser: Browser) -> Iterator[OpenAddress]:
    """Open an address; errors of the page fail the test.

    The first page of a test reuses the emptied tab of the test before: a new tab takes twice as
    long to load.
    """
    errors: list[str] = []
    visited: set[SplitResult] = set()
    tab = context.pages[0]
    cleanup = ExitStack()

    def on_page_error(error: Error) -> None:
        errors.append(str(error))

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def new_page(options: dict[str, Any]) -> tuple[Page, Callable[[], None]]:
        """Return a page and the function that closes it."""
        if not (options or visited):
            return tab, lambda: empty_tab(tab)
        page = browser.new_context(**options).new_page() if options else context.new_page()
        page.add_init_script(RECORD_PAINTS)
        return page, page.context.close if options else page.close

    def open_address(
        address: str,
        *,
        init: str = "",
        on_socket: Callable[[WebSocket], None] = lambda _: None,
        viewport: ViewportSize = LAPTOP,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        permissions: Sequence[str] = (),
        **options: Any,
    ) -> Page:
        if permissions:
            context.grant_permissions(permissions)
            cleanup.callback(context.clear_permissions)
        page, close_page = new_page(options)
        page.set_default_timeout(TIMEOUT_MS)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.on("pageerror", on_page_error)
        page.on("console", on_console)
        page.on("websocket", on_socket)
        for event, listener in (
            ("pageerror", on_page_error),
            ("console", on_console),
            ("websocket", on_socket),
        ):
            cleanup.callback(page.remove_listener, event, listener)
        cleanup.callback(close_page)
        if init:
            cleanup.enter_context(page.add_init_script(init))
        visited.add(urlsplit(address))
        page.goto(address, wait_until="commit")
        is_hidden = "tab=" in address
        page.locator(".stn-viewer").wait_for(state="attached" if is_hidden else "visible")
        return page

    with cleanup:
        yield open_address
    clear_storage(context, visited)
    assert [text for text in errors if not CONNECTION_ERRORS.search(text)] == []


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """The tab, for a test that begins elsewhere than on the page."""
    tab = context.pages[0]
    tab.set_default_timeout(TIMEOUT_MS)
    yield tab
    last = urlsplit(tab.url)
    empty_tab(tab)
    clear_storage(context, {last})


@pytest.fixture
def open_page(open_address: OpenAddress) -> OpenPage:
    """Open the page that Streamlit serves, with the form, runs and pictures."""
    return lambda server, path="", **options: open_address(
        f"http://localhost:{server.port}/{path}", **options
    )


@pytest.fixture
def open_component(open_address: OpenAddress) -> OpenPage:
    """Open the page's component without Streamlit, as `serve_component_page` serves it."""
    return lambda server, path="", **options: open_address(
        f"http://localhost:{server.port}/component/{path}", **options
    )


def empty_tab(page: Page) -> None:
    """Remove a test's routes, session storage and document from a tab."""
    # A handler that is still at work would else fail in a later test.
    page.unroute_all(behavior="ignoreErrors")
    page.evaluate("sessionStorage.clear()")
    page.goto("about:blank")


def clear_storage(context: BrowserContext, visited: set[SplitResult]) -> None:
    """Remove cookies, history and storage from a browser, but not the compiled scripts."""
    context.clear_cookies()
    session = context.new_cdp_session(context.pages[0])
    session.send("Page.resetNavigationHistory")
    for address in visited:
        origin = f"{address.scheme}://{address.netloc}"
        parameters = {"origin": origin, "storageTypes": "local_storage,indexeddb"}
        session.send("Storage.clearDataForOrigin", parameters)
    session.detach()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of a digit as a file."""
    target = tmp_path / "digit.png"
    examples = Path(__file__).parents[2] / "dashboard" / "assets" / "examples"
    target.write_bytes((examples / "corner.png").read_bytes())
    return target


# Records the step of every paint of the stage.
RECORD_PAINTS = """
window.paints = [];
addEventListener("stnscope:paint", (event) => window.paints.push(event.detail.step));
"""
