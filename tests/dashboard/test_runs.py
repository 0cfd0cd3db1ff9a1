"""The form for new runs, the list of runs, and the run in the address."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.registry import DOWNLOADS
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from tests.conftest import TrainedRun
from tests.dashboard.conftest import PAGE_OPTIONS, OpenPage, record_run
from tests.dashboard.page_queries import (
    open_tab,
    select_option,
    wait_for_expression,
    wait_for_frame,
    wait_for_status_text,
)
from tests.experiment import sample_data
from tests.file_server import serve_files
from tests.live_server import Server, serve, wait_until


def shown_run(page: Page) -> str | None:
    return parse_qs(urlparse(page.url).query).get("run", [None])[0]


def form(page: Page) -> Locator:
    return page.locator(".st-key-new-run")


def open_own_settings(page: Page) -> None:
    """Show the form, with its fields instead of the presets."""
    open_tab(page, "New run")
    page.get_by_role("radio", name="Own settings").click()
    page.get_by_text("Advanced settings").wait_for()


def test_form_starts_the_chosen_run_and_the_page_shows_it(
    server: Server, open_page: OpenPage
) -> None:
    before = [run["id"] for run in server.http.get("/runs").json()]
    page = open_page(server)
    open_own_settings(page)
    select_option(page, "Transformer", "Thin plate spline, 4x4")
    select_option(page, "Distortion", "Elastic (E)")
    form(page).get_by_label("Seed", exact=True).fill("7")
    form(page).get_by_label("Batch size", exact=True).fill("100")
    form(page).get_by_label("Learning rate", exact=True).fill("0.003")
    form(page).locator("label", has_text="Moving probes").click()
    page.get_by_role("button", name="Start training").click()
    # Before, the page may follow another run, whose id is in the address.
    page.wait_for_url(lambda _: shown_run(page) not in [None, *before])
    run_id = shown_run(page)
    assert run_id is not None
    config = server.get_run(run_id)["config"]
    assert (config["seed"], config["batch_size"], config["learning_rate"]) == (7, 100, 0.003)
    assert config["probes"] == {"count": 12, "moving": True}
    assert config["family"] == "spline-4"
    assert config["distortion"] == {"name": "E", "strength": 1.0}
    server.slow_down(run_id)
    wait_for_status_text(page, "digits, E, spline-4, seed 7")
    try:
        wait_for_frame(page)
        stage = page.locator(".stn-viewer").bounding_box()
        assert stage is not None
        assert stage["y"] > -1
        page.reload(wait_until="commit")
        wait_for_frame(page)
        wait_for_status_text(page, "digits, E, spline-4, seed 7")
        assert shown_run(page) == run_id
    finally:
        server.control(run_id, "stop")
        server.wait_for_status(run_id, "stopped")


def test_form_has_the_catalogs_defaults_and_applies_advanced_settings(
    server: Server, still: str, open_page: OpenPage
) -> None:
    before = [run["id"] for run in server.http.get("/runs").json()]
    page = open_page(server, still)
    open_own_settings(page)
    defaults = server.http.get("/catalog").json()["defaults"]
    for label, field in (("Seed", "seed"), ("Epochs", "epochs"), ("Batch size", "batch_size")):
        assert form(page).get_by_label(label, exact=True).input_value() == str(defaults[field])
    for label, field in (
        ("Learning rate", "learning_rate"),
        ("Localisation learning rate", "localisation_learning_rate"),
    ):
        assert float(form(page).get_by_label(label, exact=True).input_value()) == defaults[field]
    form(page).get_by_label("Learning rate", exact=True).fill("5")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("learning_rate must be above 0 and at most 1, not").wait_for()
    assert [run["id"] for run in server.http.get("/runs").json()] == before

    page.get_by_text("3 epochs take").wait_for()
    form(page).get_by_text("Advanced settings").click()
    select_option(page, "Optimiser", "SGD with momentum")
    # Streamlit removes the replaced fields, further below, a moment later.
    rate = form(page).get_by_label("Learning rate", exact=True).first
    wait_until(lambda: rate.input_value() == "0.02")
    assert form(page).get_by_label("Weight decay", exact=True).first.input_value() == "0"
    select_option(page, "Schedule", "Steps")
    select_option(page, "Padding", "Background value")
    form(page).get_by_label("Background", exact=True).fill("0.25")
    form(page).get_by_label("Supersampling", exact=True).fill("2")
    form(page).get_by_label("Label smoothing", exact=True).fill("0")
    form(page).get_by_label("Consistency loss", exact=True).fill("0.25")
    form(page).get_by_label("Weight averaging", exact=True).fill("0.99")
    form(page).get_by_text("Machine", exact=True).click()
    select_option(page, "Precision", "bfloat16")
    form(page).get_by_label("Epochs", exact=True).fill("40")
    form(page).get_by_label("Epochs", exact=True).press("Enter")
    page.get_by_text("40 epochs take").wait_for()
    page.get_by_text("here on one CPU thread").wait_for()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(lambda _: shown_run(page) not in [None, *before])
    run_id = shown_run(page)
    assert run_id is not None
    server.slow_down(run_id)
    try:
        config = server.get_run(run_id)["config"]
        assert (config["optimiser"], config["schedule"]) == ("sgd", "steps")
        assert config["epochs"] == 40
        assert (config["weight_decay"], config["label_smoothing"]) == (0, 0)
        assert (config["consistency"], config["ema_decay"]) == (0.25, 0.99)
        assert (config["device"], config["precision"]) == ("cpu", "bfloat16")
        assert (config["channels_last"], config["threads"]) == (True, 1)
        assert (config["learning_rate"], config["localisation_learning_rate"]) == (0.02, 0.01)
        assert config["sampler"] == {
            "padding": "background",
            "background": 0.25,
            "supersampling": 2,
        }
        row = page.locator(f'.stn-run:has(a[href="?run={run_id}"])')
        row.get_by_text(
            "sgd, schedule steps, weight decay 0, label smoothing 0, consistency 0.25, "
        ).wait_for()
        row.get_by_text("padding 0.25, 2x2 supersampling").wait_for()
        wait_for_frame(page)
    finally:
        server.control(run_id, "stop")
        server.wait_for_status(run_id, "stopped")


def test_form_offers_networks_and_defaults_of_the_data_set_or_its_download(
    server: Server, still: str, open_page: OpenPage
) -> None:
    page = open_page(server, still)
    open_own_settings(page)
    select_option(page, "Data set", "GTSRB (not available)")
    page.get_by_text("Put its training images into the folder").wait_for()
    page.get_by_role("button", name="Download (276 MB)").wait_for()
    page.get_by_role("button", name="Start training").wait_for(state="detached")
    select_option(page, "Data set", "Rows of three digits")
    page.get_by_role("button", name="Start training").wait_for()
    page.get_by_text("Three handwritten digits in a row").wait_for()
    page.get_by_role("combobox", name="Network", exact=True).click()
    networks = page.get_by_role("option").all_inner_texts()
    assert networks == ["Recurrent ST", "Feed-forward ST for sequences"]
    page.keyboard.press("Escape")
    page.get_by_text("An epoch shows 12,000 images: about").wait_for()
    page.get_by_role("button", name="Start training").click()
    wait_for_status_text(page, "sequences, recurrent, slanted, affine, seed 0")
    run_id = shown_run(page)
    assert run_id is not None
    server.slow_down(run_id)
    try:
        page.locator(".stn-legend", has_text="each with its number").wait_for()
        wait_for_frame(page)
        probe = page.locator(".stn-viewer .stn-probe").first
        assert probe.locator(".stn-overlay").count() == 3
        assert probe.locator(".stn-output .stn-pixels").count() == 3
        assert probe.locator(".stn-overlay text").all_text_contents() == ["1", "2", "3"]
        assert probe.locator(".stn-transformer-number").all_inner_texts() == ["1", "2", "3"]
        label = probe.locator(".stn-label").inner_text()
        assert len(label) == 3
        assert label.isdigit()
        sentence = probe.get_attribute("aria-label")
        assert sentence is not None
        assert f"a {label}, classified as" in sentence
    finally:
        server.control(run_id, "stop")
        server.wait_for_status(run_id, "stopped")


def test_form_reports_damaged_data_sets_and_skipped_folders(
    tmp_path: Path, own_port: int, open_page: OpenPage
) -> None:
    data = tmp_path / "home" / "datasets"
    sample_data.write_mnist(data / "mnist", {"train": 3, "t10k": 3})
    sample_data.write_image_folder(data / "my_*nuts*", {"hazel": 12})
    with serve(tmp_path / "home", *PAGE_OPTIONS, port=own_port) as server:
        page = open_page(server)
        open_own_settings(page)
        page.get_by_text("Skipped folders: 1").click()
        page.get_by_text("my_*nuts* needs two folders or more", exact=False).wait_for()
        select_option(page, "Data set", "MNIST (cannot be read)")
        page.get_by_text(
            "This data set cannot be read. train-images-idx3-ubyte.gz holds (3, 28, 28)"
        ).wait_for()
        page.get_by_role("button", name="Download (12 MB)").wait_for()
        page.get_by_role("button", name="Start training").wait_for(state="detached")


def test_buttons_control_the_training(server: Server, open_component: OpenPage) -> None:
    run_id = server.start_endless_run(seed=11)
    page = open_component(server, f"?run={run_id}")
    try:
        controls = page.locator(".stn-button-group")
        controls.locator("[data-action=pause]:enabled").click()
        server.wait_for_status(run_id, "paused")
        wait_for_status_text(page, "paused")
        step = server.get_run(run_id)["step"]
        controls.locator("[data-action=step]:enabled").click()
        wait_until(lambda: server.get_run(run_id)["step"] == step + 1)
        wait_for_frame(page, step + 1)
        controls.locator("[data-action=resume]:enabled").click()
        server.wait_for_status(run_id, "running")
        controls.locator("[data-action=stop]:enabled").click()
        server.wait_for_status(run_id, "stopped")
        wait_for_status_text(page, "stopped")
        assert controls.locator("[data-action=step]").is_disabled()
    finally:
        server.control(run_id, "stop")


def test_list_opens_a_run_and_updates_the_address(
    server: Server, stopped_run: str, training_run: str, open_component: OpenPage
) -> None:
    page = open_component(server)
    wait_for_frame(page)
    row = page.locator(f'.stn-run:has(a[href="?run={stopped_run}"])')
    row.locator("a").click()
    wait_for_status_text(page, "Replay of a stopped run")
    page.wait_for_url(f"**/?run={stopped_run}")
    assert row.get_attribute("aria-current") == "true"
    assert (
        page.locator(f'.stn-run:has(a[href="?run={training_run}"])')
        .get_by_text("running", exact=True)
        .count()
    )


def test_rerun_of_the_script_does_not_rebuild_the_stage(
    server: Server, training_run: str, open_page: OpenPage
) -> None:
    sockets: list[str] = []
    page = open_page(
        server, f"?run={training_run}", on_socket=lambda socket: sockets.append(socket.url)
    )
    wait_for_frame(page)
    wait_for_status_text(page, "Live")
    page.locator(".stn-viewer .stn-probes").evaluate("(stage) => { stage.marked = true; }")
    open_tab(page, "New run")
    page.get_by_role("radio", name="Spline").click()
    page.get_by_text("Digits that are bent").wait_for()
    open_tab(page, "Watch")
    page.locator(f'.stn-run a[href="?run={training_run}"]').click()
    page.wait_for_timeout(1500)  # the rerun has no effect that could be waited for
    assert page.locator(".stn-viewer .stn-probes").evaluate("(stage) => stage.marked") is True
    assert len([url for url in sockets if "/api/runs/" in url]) == 1


def test_run_is_named_and_deleted_after_confirmation(
    server: Server, open_component: OpenPage
) -> None:
    run_id = record_run(server)
    page = open_component(server)
    row = page.locator(f'.stn-run:has(a[href="?run={run_id}"])')
    title, details = row.locator(".stn-run-title"), row.locator(".stn-run-detail")
    configuration = title.inner_text()
    wait_until(lambda: row.locator("img").evaluate("(image) => image.naturalWidth > 100"))
    given = "One-word-as-long-as-a-name-may-be".ljust(64, "W")
    for key, name in (("Escape", configuration), ("Enter", given)):
        row.locator("[data-action=rename]").click()
        field = row.get_by_label("Name of the run")
        expect(field).to_be_focused()
        field.fill(given)
        field.press(key)
        expect(title).to_have_text(name)
        expect(row.locator("[data-action=rename]")).to_be_focused()
    expect(details).to_contain_text(configuration)
    assert server.get_run(run_id)["name"] == given
    title.click()
    wait_for_status_text(page, given)
    page.set_viewport_size({"width": 390, "height": 844})
    wait_for_expression(page, "innerWidth === 390 && document.body.scrollWidth <= innerWidth")
    link = page.locator(".stn-status .stn-run-link").bounding_box()
    assert link is not None
    assert link["x"] + link["width"] <= 390
    row.locator("[data-action=delete]").click()
    row.get_by_text("Confirm delete").wait_for()
    assert server.get_run(run_id)["status"] == "stopped"
    row.get_by_text("Confirm delete").click()
    row.wait_for(state="detached")
    assert server.http.get(f"/runs/{run_id}").status_code == 404


def test_damaged_recording_is_listed_with_the_reason_and_can_be_deleted(
    server: Server, still: str, open_component: OpenPage
) -> None:
    path = server.home / "recordings" / "damaged.stnscope"
    path.write_text("a text")
    page = open_component(server, still)
    wait_for_frame(page)
    row = page.locator('.stn-run:has(a[href="?run=damaged"])')
    row.get_by_text("damaged.stnscope is not a recording").wait_for()
    group = page.locator(".stn-run-groups section", has_text="Not readable")
    expect(group.locator(".stn-run")).to_have_count(1)
    assert row.locator(".stn-run-status").inner_text() == "damaged"
    actions = row.locator("button").evaluate_all("(all) => all.map((each) => each.dataset.action)")
    assert actions == ["download", "delete"]
    row.locator("a").click()
    wait_for_status_text(page, "damaged.stnscope is not a recording")
    row.locator("[data-action=delete]").click()
    row.get_by_text("Confirm delete").click()
    row.wait_for(state="detached")
    assert not path.exists()


@pytest.fixture
def hundreds(server: Server, trained_run: TrainedRun) -> Iterator[Path]:
    """A few hundred runs, and a queued one that is older; the folder that they are in."""
    folder = server.home / "recordings"
    paths = [folder / f"one-of-many-{number:03}.stnscope" for number in range(220)]
    oldest = folder / "oldest.stnscope"
    create(oldest, config=RunConfig(), steps_per_epoch=24)
    with RecordingWriter.open(oldest) as writer:
        writer.update(created=1.0)
    for path in paths:
        path.hardlink_to(trained_run.recording)
    yield folder
    for path in (oldest, *paths):
        path.unlink()


def test_hundreds_of_runs_are_listed_as_needed(
    server: Server, hundreds: Path, open_component: OpenPage
) -> None:
    expected = [run["id"] for run in server.http.get("/runs").json()]
    live = {run["id"] for run in server.http.get("/runs", params={"live": True}).json()}
    configs = {run["id"]: run["config"] or {} for run in server.http.get("/runs").json()}
    # Those of watched loops have none.
    datasets = {run_id: config.get("dataset", "") for run_id, config in configs.items()}

    def newest(runs: list[str]) -> list[str]:
        """Return the data sets of runs, that of the newest first."""
        return list(dict.fromkeys(datasets[run] for run in runs))

    page = open_component(server, "?run=one-of-many-000")
    wait_for_status_text(page, "Replay of a finished run")
    rows = page.locator(".stn-run-groups .stn-run")
    more = page.get_by_role("button", name="Show more runs")
    for limit in range(50, len(expected), 50):
        shown = [run_id for i, run_id in enumerate(expected) if i < limit or run_id in live]
        rows.nth(len(shown) - 1).wait_for()
        titles = rows.locator("a").evaluate_all("(all) => all.map((each) => each.title)")
        # By data set, and in each the newest first.
        by_dataset = [[run for run in shown if datasets[run] == name] for name in newest(shown)]
        assert titles == [run for group in by_dataset for run in group]
        assert "oldest" in titles
        more.click()
    more.wait_for(state="hidden")
    rows.nth(len(expected) - 1).wait_for()
    assert rows.count() == len(expected)


def test_examples_are_listed_and_open_beside_each_other(
    server: Server, open_component: OpenPage
) -> None:
    page = open_component(server, "?run=example-digits")
    examples = page.locator(".stn-runlist section", has_text="Examples")
    collapse = examples.locator("li", has_text="Collapsed regions")
    expect(collapse).to_contain_text("leave the image within a few steps")
    expect(collapse.get_by_role("button")).to_have_text(["Download", "Compare"])
    collapse.get_by_role("link").click()
    page.wait_for_url("**compare=example-cure*")
    assert shown_run(page) == "example-collapse"
    expect(page.locator(".stn-viewer .stn-probes")).to_have_count(2)
    wait_for_frame(page)
    assert examples.locator("li[aria-current=true]").inner_text().startswith("example")


def test_run_deleted_by_another_page_is_reported(server: Server, open_component: OpenPage) -> None:
    run_id = record_run(server)
    page = open_component(server, f"?run={run_id}")
    wait_for_frame(page)
    server.http.delete(f"/runs/{run_id}").raise_for_status()
    wait_for_status_text(page, "This run has been deleted")
    # Cached frames can still be shown; the cursor moves only to those.
    for key in ("Home", "End"):
        page.keyboard.press(key)
        step = int(page.locator(".stn-timeline").input_value())
        wait_for_frame(page, step)
    page.get_by_text("Show the newest run").click()
    page.wait_for_url(lambda address: f"run={run_id}" not in address)


def test_form_downloads_a_data_set(tmp_path: Path, own_port: int, open_page: OpenPage) -> None:
    archive = sample_data.make_zip(sample_data.make_gtsrb("official"))
    with (
        serve_files({DOWNLOADS["gtsrb"][0].path: archive}) as files,
        serve(
            *(tmp_path / "home", *PAGE_OPTIONS, "--mirror", files.address),
            port=own_port,
        ) as server,
    ):
        page = open_page(server)
        open_own_settings(page)
        select_option(page, "Data set", "GTSRB (not available)")
        files.pause.set()
        page.get_by_role("button", name="Download (276 MB)").click()
        page.get_by_text("of 276.3 MB").wait_for()
        files.pause.clear()
        page.get_by_role("button", name="Start training").wait_for()
        assert page.get_by_text("not available").count() == 0


def test_preset_of_two_runs_starts_and_compares_them(server: Server, open_page: OpenPage) -> None:
    before = {run["id"] for run in server.http.get("/runs").json()}
    page = open_page(server)
    preset = next(
        each for each in server.http.get("/catalog").json()["presets"] if len(each["runs"]) == 2
    )
    open_tab(page, "New run")
    page.get_by_role("radio", name=preset["title"]).click()
    page.get_by_text(preset["description"]).wait_for()
    page.get_by_text("Its two runs take about").wait_for()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**compare=*")
    query = parse_qs(urlparse(page.url).query)
    first, second = query["run"][0], query["compare"][0]
    try:
        assert {first, second} == {run["id"] for run in server.http.get("/runs").json()} - before
        for run_id, config in zip((first, second), preset["runs"], strict=True):
            recorded = server.get_run(run_id)["config"]
            assert recorded | config == recorded
        wait_for_expression(
            page, "document.querySelectorAll('.stn-viewer .stn-probes').length == 2"
        )
    finally:
        for run_id in (first, second):
            server.control(run_id, "stop")
            server.wait_for_status(run_id, "stopped")
