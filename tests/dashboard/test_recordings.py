"""Export and import of recordings in the list of runs."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from stnscope.backend.experiment.recording.reader import Recording
from tests.conftest import TrainedRun
from tests.dashboard.conftest import OpenPage
from tests.dashboard.page_queries import wait_for_frame, wait_for_status_text
from tests.live_server import Server


def run_row(page: Page, run_id: str) -> Locator:
    return page.locator(f'.stn-run:has(a[href="?run={run_id}"])')


def import_file(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import a recording").click()
    chooser.value.set_files(file)


def test_recording_is_downloaded_and_imported(
    server: Server, trained_run: TrainedRun, open_component: OpenPage, tmp_path: Path
) -> None:
    run_id = trained_run.copy_into(server.home)
    page = open_component(server)
    with page.expect_download() as downloading:
        run_row(page, run_id).get_by_role("button", name="Download").click()
    file = tmp_path / downloading.value.suggested_filename
    assert file.name == f"{run_id}.stnscope"
    downloading.value.save_as(file)
    with Recording.open(file) as recording:
        assert recording.summary()["step"] == 24

    before = {run["id"] for run in server.http.get("/runs").json()}
    import_file(page, file)
    wait_for_status_text(page, "imported")
    wait_for_frame(page)
    (imported,) = {run["id"] for run in server.http.get("/runs").json()} - before
    page.wait_for_url(f"**/?run={imported}")
    assert page.locator(".stn-viewer").get_attribute("data-run") == imported
    assert "imported" in run_row(page, imported).inner_text()
    assert run_row(page, imported).get_by_role("button").all_inner_texts() == [
        "Download",
        "Rename",
        "Delete",
    ]
    add_button = page.get_by_role("button", name="Add a picture")
    assert "imported" in (add_button.get_attribute("title") or "")
    assert page.get_by_role("button", name="Import a recording").is_enabled()


def test_file_that_is_not_a_recording_is_refused(
    server: Server, still: str, open_component: OpenPage, tmp_path: Path
) -> None:
    page = open_component(server, still)
    before = server.http.get("/runs").json()
    file = tmp_path / "notes.stnscope"
    file.write_text("not a recording")
    import_file(page, file)
    message = page.locator(".stn-runlist .stn-message")
    expect(message).to_contain_text("This file is not a recording")
    assert [run["id"] for run in server.http.get("/runs").json()] == [run["id"] for run in before]
    # The message is gone as soon as another file is sent.
    page.route("**/api/recordings", lambda _: None)
    import_file(page, file)
    expect(page.get_by_role("button", name="Importing …")).to_be_visible()
    expect(message).to_be_empty()
