"""Two services, started by hand as docker-compose.yml and Dockerfile start them, and a browser."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.compose import ROOT, image_command, image_environment, services
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import TIMEOUT_MS, wait_for_frame, wait_for_status_text
from tests.live_server import START_SECONDS, Server, free_port, wait_until

TOKEN = "open-sesame-open-sesame"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
# The page's own way to the backend is not the browser's. Other systems have but one loopback.
PRIVATE = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
# What the image of the page lacks.
MISSING = ("torch", "safetensors", "fastapi", "models", "backend")


@dataclass
class Services:
    """Both halves, each a process of its own."""

    backend: Server
    page: Server
    translated: Callable[[str], str]

    def is_healthy(self, name: str, token: str = TOKEN) -> bool:
        """Runs a service's own health check."""
        _, _, _, code = services()[name]["healthcheck"]["test"]
        environment = os.environ | {"STNSCOPE_TOKEN": token}
        command = [sys.executable, "-c", self.translated(code)]
        return subprocess.run(command, env=environment, capture_output=True).returncode == 0


@contextmanager
def process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(20)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    home = tmp_path_factory.mktemp("home")
    backend_port, page_port = free_port(), free_port()

    def translated(text: str) -> str:
        """What the description says, with free ports, this home, and a name for the backend."""
        for written, here in (
            ("backend:8502", f"{PRIVATE}:{backend_port}"),
            ("8502", str(backend_port)),
            ("8501", str(page_port)),
            ("${STNSCOPE_TOKEN:?Set STNSCOPE_TOKEN to a secret of yours.}", TOKEN),
            ("/data", str(home)),
        ):
            text = text.replace(written, here)
        return text

    def environment(name: str) -> dict[str, str]:
        told = image_environment(name) | services()[name]["environment"]
        return {key: translated(value) for key, value in told.items()}

    backend = [translated(word) for word in services()["backend"]["command"]]
    page = [translated(word) for word in image_command("dashboard")]
    assert backend[0] == "stnscope"
    assert page[0] == "streamlit"
    lacking = f"import sys; sys.modules.update(dict.fromkeys({MISSING}))\n"
    lacking += f"sys.path.insert(0, {str(ROOT)!r}); sys.argv = {page}\n"
    lacking += "from streamlit.web.cli import main; main()"
    with (
        process([sys.executable, "-m", "stnscope", *backend[1:]], environment("backend")),
        process([sys.executable, "-c", lacking], environment("dashboard")),
    ):
        found = Services(Server(home, backend_port), Server(home, page_port), translated)
        with closing(
            httpx.Client(base_url=f"http://localhost:{backend_port}/api", headers=BEARER)
        ) as found.backend.http:
            wait_until(lambda: all(map(found.is_healthy, services())), START_SECONDS)
            yield found


def test_health_checks_tell_a_service_that_answers_from_one_that_does_not(both: Services) -> None:
    for name in services():
        assert both.is_healthy(name)
        assert not both.is_healthy(name, token="wrong")


# What browsers are told of keeping a module of the page.
CACHE_CONTROL = """async () => {
    const modules = performance.getEntriesByType("resource").map(({ name }) => name);
    const answer = await fetch(modules.find((name) => name.endsWith("/main.js")));
    return answer.headers.get("cache-control");
}"""


def test_one_link_opens_both_and_everything_works(
    both: Services, open_page: OpenPage, picture: Path
) -> None:
    sockets: list[str] = []
    page = open_page(
        both.page, f"?token={TOKEN}", on_socket=lambda socket: sockets.append(socket.url)
    )
    assert TOKEN not in page.url
    assert "immutable" in page.evaluate(CACHE_CONTROL)

    # One's own run, from the form, by the page's private way to the backend.
    # Until it is there the page follows the demonstration, which its address may name already.
    (demonstration,) = both.backend.http.get("/runs").json()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_function(
        "(other) => ![null, other].includes(new URL(location).searchParams.get('run'))",
        arg=demonstration["id"],
    )
    run_id = page.evaluate("new URL(location).searchParams.get('run')")
    assert not both.backend.get_run(run_id)["demonstration"]

    # Its frames, by the browser's way: another origin's socket, opened by the cookie alone.
    wait_for_status_text(page, "Live; running")
    wait_for_frame(page)

    def streams() -> list[SplitResult]:
        page.wait_for_timeout(50)  # in which the page is heard
        return [urlsplit(address) for address in sockets if run_id in address]

    # Until then what is live may still be the demonstration.
    wait_until(lambda: bool(streams()))
    assert {stream.netloc for stream in streams()} == {f"localhost:{both.backend.port}"}
    page.locator(".stn-button-group [data-action=pause]").click()
    both.backend.wait_for_status(run_id, "paused")

    page.locator(".st-key-upload input[type=file]").set_input_files(picture)
    page.locator(".stn-picture [data-step]").wait_for()
    both.backend.control(run_id, "stop").raise_for_status()


def test_a_stranger_is_asked_for_the_token_and_let_in_with_it(
    both: Services, browser: Browser
) -> None:
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    answer = page.goto(f"http://localhost:{both.page.port}/?run=x")
    assert answer is not None
    assert answer.status == 401
    assert page.get_by_role("heading").inner_text() == "stnscope"
    assert page.locator(".stn-viewer, .stApp").count() == 0
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Open").click()
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    page.locator(".stn-viewer").wait_for()
    assert TOKEN not in page.url
    assert "run=x" in page.url
    context.close()


def test_a_link_from_another_site_opens_for_whoever_has_signed_in(
    both: Services, browser: Browser
) -> None:
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    address = f"http://localhost:{both.page.port}/?run=x"
    elsewhere = "http://elsewhere.example/"
    link = f"<a href='{address}&token={TOKEN}'>first</a> <a href='{address}'>again</a>"
    page.route(elsewhere, lambda route: route.fulfill(body=link, content_type="text/html"))
    for text in ("first", "again"):
        page.goto(elsewhere)
        page.get_by_text(text).click()
        page.locator(".stn-viewer").wait_for()
        assert TOKEN not in page.url
    context.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        # Another server of this machine, whose pages the browser sends the cookie with.
        {"Cookie": f"stnscope_token={TOKEN}", "Origin": "http://localhost:3000"},
        {"Cookie": f"stnscope_token={TOKEN}", "Origin": "http://127.0.0.1:{port}"},
        {"Cookie": f"stnscope_token={TOKEN}", "Origin": "null"},
    ],
    ids=str,
)
def test_page_does_nothing_in_its_name_for_others(both: Services, headers: dict[str, str]) -> None:
    address = f"localhost:{both.page.port}"
    sent = {name: value.format(port=both.page.port) for name, value in headers.items()}
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/x", "/static/x"):
        assert httpx.get(f"http://{address}{path}", headers=sent).status_code in (401, 403)
    upload = f"http://{address}/_stcore/upload_file/x/x"
    assert httpx.put(upload, headers=sent, content=b"x").status_code in (401, 403)
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{address}/_stcore/stream", additional_headers=sent),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_page_answers_under_its_own_name_only(both: Services) -> None:
    answer = httpx.get(f"http://127.0.0.1:{both.page.port}/", headers=BEARER)
    assert answer.status_code == 421
    assert f"localhost:{both.page.port}" in answer.json()["detail"]


def test_page_without_a_token_listens_to_this_machine_only() -> None:
    environment = {"STNSCOPE_TOKEN": ""}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/service.py"]
    command += ["--server.address=0.0.0.0", f"--server.port={free_port()}"]
    done = subprocess.run(
        [*command, "--server.headless=true"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert done.returncode != 0
    assert "needs a token" in done.stderr
    assert "Traceback" not in done.stderr
