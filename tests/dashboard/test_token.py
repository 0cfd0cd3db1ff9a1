"""The page of a server that asks for a token: whoever has the link sees everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_frame, wait_for_status_text
from tests.live_server import Server, serve

TOKEN = "open-sesame-open-sesame"


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Server]:
    with serve(tmp_path / "home", "--no-demonstration", "--no-standby", "--token", TOKEN) as server:
        server.http.headers["Authorization"] = f"Bearer {TOKEN}"
        yield server


def test_link_with_the_token_opens_everything(gated: Server, open_page: OpenPage) -> None:
    run_id = gated.start_run(epochs=1000)
    page = open_page(gated, f"?token={TOKEN}&run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live; running")
    assert TOKEN not in page.url
    assert run_id in page.url
    # The page's own calls have the token too.
    page.get_by_role("button", name="Start training").wait_for()
    page.locator(".stn-button-group [data-action=pause]").click()
    gated.wait_for_status(run_id, "paused")
