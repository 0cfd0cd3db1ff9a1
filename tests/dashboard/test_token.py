"""The page of a server that requires a token, opened by a link that has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_frame, wait_for_status_text
from tests.live_server import Server, serve

TOKEN = "open-sesame-open-sesame"


@pytest.fixture
def protected_server(tmp_path: Path) -> Iterator[Server]:
    with serve(tmp_path / "home", "--no-demonstration", "--no-standby", "--token", TOKEN) as server:
        server.http.headers["Authorization"] = f"Bearer {TOKEN}"
        yield server


def test_link_with_the_token_opens_page_and_api(
    protected_server: Server, open_page: OpenPage
) -> None:
    run_id = protected_server.start_run(epochs=1000)
    page = open_page(protected_server, f"?token={TOKEN}&run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live: training")
    assert TOKEN not in page.url
    assert run_id in page.url
    # The page's own calls have the token too.
    page.get_by_role("button", name="Start training").wait_for()
    page.locator(".stn-button-group [data-action=pause]").click()
    protected_server.wait_for_status(run_id, "paused")
