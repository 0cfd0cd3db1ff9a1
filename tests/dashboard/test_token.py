"""The page of a server with two tokens, opened by links that have one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from stnscope.access.rights import VIEWER_REFUSAL
from tests.dashboard.conftest import PAGE_OPTIONS, OpenPage
from tests.dashboard.page_queries import (
    choose_picture,
    open_tab,
    wait_for_frame,
    wait_for_status_text,
)
from tests.live_server import Server, serve

TOKEN = "open-sesame-open-sesame"
VIEWER_TOKEN = "peep-hole-peep-hole"

CLIPBOARD = ["clipboard-read", "clipboard-write"]
# A page without TLS has no clipboard, unless it is of this machine.
NO_CLIPBOARD = "Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined});"


@pytest.fixture(scope="module")
def protected_server(tmp_path_factory: pytest.TempPathFactory, own_port: int) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    tokens = ("--token", TOKEN, "--viewer-token", VIEWER_TOKEN)
    with serve(home, *PAGE_OPTIONS, *tokens, port=own_port) as server:
        server.http.headers["Authorization"] = f"Bearer {TOKEN}"
        yield server


@pytest.fixture(scope="module")
def run_id(protected_server: Server) -> str:
    return protected_server.start_endless_run()


def test_link_with_the_token_opens_page_and_api(
    protected_server: Server, run_id: str, open_page: OpenPage
) -> None:
    page = open_page(protected_server, f"?token={TOKEN}&run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live: training")
    assert TOKEN not in page.url
    assert run_id in page.url
    # The page's own calls have the token too.
    page.get_by_text("Start training").wait_for(state="attached")
    page.locator(".stn-button-group [data-action=pause]").click()
    protected_server.wait_for_status(run_id, "paused")
    page.locator(".stn-button-group [data-action=resume]").click()
    protected_server.wait_for_status(run_id, "running")


def test_link_for_viewing_opens_a_page_on_which_nothing_acts(
    protected_server: Server, run_id: str, open_page: OpenPage, picture: Path
) -> None:
    page = open_page(protected_server, f"?token={VIEWER_TOKEN}&run={run_id}")
    wait_for_frame(page)
    wait_for_status_text(page, "Live: training")
    expect(page.locator(".stn-refusal")).to_have_text(VIEWER_REFUSAL)
    expect(page.locator(".stAlert")).to_have_text(VIEWER_REFUSAL)
    page.locator(".stn-run").first.wait_for()
    for button in ("Pause", "Stop", "Restart", "New seed", "Start training", "Create GIF"):
        expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)
    for button in ("Delete", "Import a recording", "Add a picture"):
        expect(page.get_by_role("button", name=button)).to_have_count(0)
    # What only looks is there.
    assert page.locator(".stn-run-groups .stn-run-actions button").all_inner_texts() == ["Download"]
    page.keyboard.press("p")
    open_tab(page, "Try a picture")
    choose_picture(page, picture)
    assert protected_server.get_run(run_id)["status"] == "running"


def test_copied_link_shows_others_the_same_step_and_lets_them_look(
    protected_server: Server, run_id: str, open_page: OpenPage
) -> None:
    page = open_page(protected_server, f"?token={TOKEN}&run={run_id}", permissions=CLIPBOARD)
    wait_for_frame(page)
    page.locator(".stn-viewer").press("Home")
    page.locator(".stn-viewer[data-mode=paused]").wait_for()
    page.keyboard.press("2")
    copy_link(
        page,
        "Copied. It opens on this machine only; behind a tunnel, where the same tunnel is open.",
    )
    link = page.evaluate("navigator.clipboard.readText()")
    assert f"run={run_id}" in link
    assert "step=0" in link
    assert "view=probe" in link
    assert f"token={VIEWER_TOKEN}" in link
    assert TOKEN not in link
    assert page.get_by_label("Link to this view").input_value() == link
    page.keyboard.press("Escape")
    expect(page.get_by_label("Link to this view")).to_be_hidden()

    query = link.partition("/?")[2]
    opened = open_page(protected_server, f"?{query}", accept_downloads=False)
    expect(opened.locator(".stn-refusal")).to_have_text(VIEWER_REFUSAL)
    opened.locator(".stn-viewer[data-mode=paused]").wait_for()
    opened.wait_for_url("**step=0**")


def test_link_is_selected_where_a_page_may_not_copy(
    protected_server: Server, run_id: str, open_page: OpenPage
) -> None:
    address = f"?token={VIEWER_TOKEN}&run={run_id}"
    page = open_page(protected_server, address, init=NO_CLIPBOARD)
    wait_for_frame(page)
    copy_link(page, "Copy the selected link with Ctrl+C or ⌘C.")
    field = page.get_by_label("Link to this view")
    expect(field).to_be_focused()
    selected = field.evaluate(
        "(field) => field.value.slice(field.selectionStart, field.selectionEnd)"
    )
    assert selected == field.input_value()
    assert f"token={VIEWER_TOKEN}" in selected
    page.locator(".stn-timeline").focus()
    expect(field).to_be_hidden()


def copy_link(page: Page, message: str) -> None:
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".stn-copied [role=status]")).to_contain_text(message)
