"""A published site, served by the standard library's static server."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.recording.reader import Recording
from tests.dashboard.conftest import OpenAddress

# Folders of the runs: the number, attempt, steps and frames of each.
DIGITS, COLLAPSE = "0-0-1125-54", "1-0-1125-30"
# What strict hosts allow: no script or style within a page but what its own modules set.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files with a strict policy; of the collapse, as the standard library, whole ones."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if "Range" not in self.headers or COLLAPSE in path.parts:
            super().do_GET()
            return
        first, last = re.findall(r"[0-9]+", self.headers["Range"])
        part = path.read_bytes()[int(first) : int(last) + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder; yield its address."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_published_site_plays_runs_and_shows_the_walkthrough(
    tmp_path: Path, context: BrowserContext, open_address: OpenAddress
) -> None:
    folder = tmp_path / "below" / "a path"
    arguments = ["example-digits", "example-collapse", str(folder), "--home", str(tmp_path)]
    assert main(["publish", *arguments, "--recordings"]) == 0
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    statuses: dict[str, set[int]] = {}
    context.on(
        "response",
        lambda response: statuses.setdefault(response.url, set()).add(response.status),
    )
    with serve_folder(tmp_path) as address:
        site = f"{address}below/a%20path/"
        page = open_address(f"{site}player.html?run=example-collapse&step=200&view=probe&probe=2")
        # The policy forbids what `wait_for_function` evaluates.
        step = page.get_by_role("slider", name="Current step")
        expect(step).to_have_value("188")
        expect(page.locator(".stn-detail-title")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(step).to_have_value("206")
        expect(page.locator(".stn-run")).to_have_count(5)
        expect(page.get_by_text("Import a recording").locator("visible=true")).to_have_count(0)
        with page.expect_download() as downloaded:
            page.get_by_role("button", name=re.compile("^Download Collapsed regions")).click()
        downloaded.value.save_as(tmp_path / "copy.stnscope")
        with Recording.open(tmp_path / "copy.stnscope") as recording:
            assert recording.summary()["step"] == 1125
        # Those of which the walkthrough shows frames are listed, and cannot be downloaded.
        expect(page.get_by_role("button", name=re.compile("^Download"))).to_have_count(2)

        page.get_by_role("link", name="Results").click()
        expect(page.get_by_role("heading", name="Results")).to_be_visible()
        expect(page.get_by_text("Distorted MNIST").first).to_be_visible()
        assert "tab=results" in page.url

        page.get_by_role("link", name="How it works").first.click()
        expect(page.locator(".stn-classifier-caption")).to_contain_text("with one.")
        page.goto(f"{site}player.html?tab=how&part=gradient")
        page.get_by_role("button", name="Skip the question").click()
        page.get_by_role("button", name="One step").click()
        expect(page.locator(".stn-walkthrough-step:visible")).to_contain_text(
            re.compile("L = [0-9]")
        )

        page.goto(f"{site}player.html?tab=how&part=families&figure=row")
        expect(page.locator(".stn-row-part")).to_contain_text("the network reads")
        page.get_by_role("button", name=re.compile("^Next step")).click()
        expect(page.locator(".stn-animation canvas")).to_have_count(8)

        page.goto(f"{site}index.html")
        page.get_by_role("link", name=re.compile("^Digits")).click()
        expect(step).not_to_have_value("0")
        assert "run=example-digits" in page.url
    parts = {url.rsplit("/", 2)[1]: found for url, found in statuses.items() if ".bin" in url}
    assert (parts[COLLAPSE], parts[DIGITS]) == ({200}, {206})
    assert {request.partition("//")[0] for request in requested} <= {"http:", "data:"}
    assert all(request.startswith((site, "data:")) for request in requested)
