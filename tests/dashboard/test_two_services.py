"""The two services, started without Docker by the commands in docker-compose.yml and Dockerfile."""

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
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from stnscope.access.rights import VIEWER_REFUSAL
from tests.compose import ROOT, image_command, image_environment, services
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import (
    choose_picture,
    open_tab,
    pump_events,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
)
from tests.live_server import Server, free_port, wait_until
from tests.timeouts import TIMEOUT_SECONDS

TOKEN = "open-sesame-open-sesame"
VIEWER_TOKEN = "peep-hole-peep-hole"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
# The page's address for the backend differs from the browser's, where a second loopback exists.
BACKEND_HOST = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
# Packages that are not in the image of the page.
MISSING_PACKAGES = ("torch", "safetensors", "fastapi", "models", "backend")


@dataclass
class Services:
    """The two services, each in its own process."""

    backend: Server
    page: Server
    substitute: Callable[[str], str]

    def is_healthy(self, name: str, token: str = TOKEN) -> bool:
        """Run a service's health check."""
        _, _, _, code = services()[name]["healthcheck"]["test"]
        environment = os.environ | {"STNSCOPE_TOKEN": token}
        command = [sys.executable, "-c", self.substitute(code)]
        return subprocess.run(command, env=environment, capture_output=True).returncode == 0


@contextmanager
def run_process(
    command: list[str], environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def two_services(tmp_path_factory: pytest.TempPathFactory, own_port: int) -> Iterator[Services]:
    home = tmp_path_factory.mktemp("home")
    backend_port, page_port = free_port(), own_port

    def substitute(text: str) -> str:
        """Replace ports, home and the backend's address in a setting or command."""
        for original, value in (
            ("backend:8502", f"{BACKEND_HOST}:{backend_port}"),
            ("8502", str(backend_port)),
            ("8501", str(page_port)),
            ("${STNSCOPE_TOKEN:?Set STNSCOPE_TOKEN to a secret of yours.}", TOKEN),
            ("${STNSCOPE_VIEWER_TOKEN:-}", VIEWER_TOKEN),
            ("/data", str(home)),
        ):
            text = text.replace(original, value)
        return text

    def environment(name: str) -> dict[str, str]:
        variables = image_environment(name) | services()[name]["environment"]
        return {key: substitute(value) for key, value in variables.items()}

    backend = [substitute(word) for word in services()["backend"]["command"]]
    page = [substitute(word) for word in image_command("dashboard")]
    assert backend[0] == "stnscope"
    assert page[0] == "streamlit"
    program = f"import sys; sys.modules.update(dict.fromkeys({MISSING_PACKAGES}))\n"
    program += f"sys.path.insert(0, {str(ROOT)!r}); sys.argv = {page}\n"
    program += "from streamlit.web.cli import main; main()"
    with (
        run_process([sys.executable, "-m", "stnscope", *backend[1:]], environment("backend")),
        run_process([sys.executable, "-c", program], environment("dashboard")),
    ):
        started_services = Services(Server(home, backend_port), Server(home, page_port), substitute)
        with closing(
            httpx.Client(base_url=f"http://localhost:{backend_port}/api", headers=BEARER)
        ) as started_services.backend.http:
            wait_until(lambda: all(map(started_services.is_healthy, services())))
            yield started_services


def test_health_checks_fail_with_a_wrong_token(two_services: Services) -> None:
    for name in services():
        assert two_services.is_healthy(name)
        assert not two_services.is_healthy(name, token="wrong")


# Reads the Cache-Control header of a module of the page.
CACHE_CONTROL = """async () => {
    const modules = performance.getEntriesByType("resource").map(({ name }) => name);
    const response = await fetch(modules.find((name) => name.endsWith("/main.js")));
    return response.headers.get("cache-control");
}"""


def test_one_link_opens_both_services(
    two_services: Services, open_page: OpenPage, picture: Path
) -> None:
    sockets: list[str] = []
    page = open_page(
        two_services.page, f"?token={TOKEN}", on_socket=lambda socket: sockets.append(socket.url)
    )
    assert TOKEN not in page.url
    assert "immutable" in page.evaluate(CACHE_CONTROL)

    # The form starts a run through the page's private address of the backend.
    # Before, the page follows the demonstration, whose id may already be in the address.
    (demonstration,) = two_services.backend.http.get("/runs").json()
    open_tab(page, "New run")
    page.get_by_role("button", name="Start training").click()
    wait_for_expression(
        page,
        "(demonstration) => ![null, 'example-digits', demonstration].includes("
        "new URL(location).searchParams.get('run'))",
        arg=demonstration["id"],
    )
    run_id = page.evaluate("new URL(location).searchParams.get('run')")
    assert not two_services.backend.get_run(run_id)["demonstration"]

    # The browser opens the socket of another origin; only the cookie authorises it.
    wait_for_status_text(page, "Live: training")
    wait_for_frame(page)

    def streams() -> list[SplitResult]:
        pump_events(page)
        return [urlsplit(address) for address in sockets if run_id in address]

    # Before, the live run may still be the demonstration.
    wait_until(lambda: bool(streams()))
    assert {stream.netloc for stream in streams()} == {f"localhost:{two_services.backend.port}"}
    page.locator(".stn-button-group [data-action=pause]").click()
    two_services.backend.wait_for_status(run_id, "paused")

    open_tab(page, "Try a picture")
    choose_picture(page, picture)
    two_services.backend.control(run_id, "stop").raise_for_status()


def test_one_link_for_viewing_opens_both_services(
    two_services: Services, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(two_services.page, f"?token={VIEWER_TOKEN}")
    wait_for_frame(page)
    expect(page.locator(".stn-refusal")).to_have_text(VIEWER_REFUSAL)
    expect(page.locator(".stAlert")).to_have_text(VIEWER_REFUSAL)
    expect(page.get_by_role("button", name="Start training")).to_have_count(0)
    open_tab(page, "Try a picture")
    choose_picture(page, picture)


def test_visitor_without_the_token_enters_it_and_sees_the_page(
    two_services: Services, page: Page
) -> None:
    response = page.goto(f"http://localhost:{two_services.page.port}/?run=x")
    assert response is not None
    assert response.status == 401
    assert page.get_by_role("heading").inner_text() == "stnscope"
    assert page.locator(".stn-viewer, .stApp").count() == 0
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Open").click()
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    page.locator(".stn-viewer").wait_for()
    assert TOKEN not in page.url
    assert "run=x" in page.url


def test_link_from_another_site_opens_after_signing_in(two_services: Services, page: Page) -> None:
    address = f"http://localhost:{two_services.page.port}/?run=x"
    other_site = "http://elsewhere.example/"
    link = f"<a href='{address}&token={TOKEN}'>first</a> <a href='{address}'>again</a>"
    page.route(other_site, lambda route: route.fulfill(body=link, content_type="text/html"))
    for text in ("first", "again"):
        page.goto(other_site)
        page.get_by_text(text).click()
        page.locator(".stn-viewer").wait_for()
        assert TOKEN not in page.url


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        # Another server on this machine: the browser sends the cookie with requests of its pages.
        {"Cookie": f"stnscope_token={TOKEN}", "Origin": "http://localhost:3000"},
        {"Cookie": f"stnscope_token={TOKEN}", "Origin": "http://127.0.0.1:{port}"},
        {"Cookie": f"stnscope_token={TOKEN}", "Origin": "null"},
    ],
    ids=str,
)
def test_page_refuses_requests_without_token_or_from_other_origins(
    two_services: Services, headers: dict[str, str]
) -> None:
    address = f"localhost:{two_services.page.port}"
    request_headers = {
        name: value.format(port=two_services.page.port) for name, value in headers.items()
    }
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/x", "/static/x"):
        assert httpx.get(f"http://{address}{path}", headers=request_headers).status_code in (
            401,
            403,
        )
    upload = f"http://{address}/_stcore/upload_file/x/x"
    assert httpx.put(upload, headers=request_headers, content=b"x").status_code in (401, 403)
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{address}/_stcore/stream", additional_headers=request_headers),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_page_refuses_other_host_names(two_services: Services) -> None:
    response = httpx.get(f"http://127.0.0.1:{two_services.page.port}/", headers=BEARER)
    assert response.status_code == 421
    assert f"localhost:{two_services.page.port}" in response.json()["detail"]


def test_page_without_a_token_refuses_other_interfaces() -> None:
    environment = {"STNSCOPE_TOKEN": ""}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/service.py"]
    command += ["--server.address=0.0.0.0", f"--server.port={free_port()}"]
    result = subprocess.run(
        [*command, "--server.headless=true"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert result.returncode != 0
    assert "needs a token" in result.stderr
    assert "Traceback" not in result.stderr
