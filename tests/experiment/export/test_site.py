"""Pages without a server: a run in one file, and a static site."""

import json
import re
import zlib
from base64 import b85decode
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.export import site
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.export.preview import preview
from stnscope.backend.experiment.export.site import MARKER, PublishedRun, publish
from stnscope.backend.experiment.export.stored_run import FILE_BYTES
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.runs import example_path
from tests.exports import Record, frame

EMBEDDED = re.compile(r'<script type="text/plain" data-file="([^"]+)">([^<]*)</script>')


def embedded_files(page: str) -> dict[str, bytes]:
    """Return the files inside a page in one file."""
    return {path: b85decode(text.replace(",", "<")) for path, text in EMBEDDED.findall(page)}


def test_a_page_in_one_file_has_two_runs_and_says_what_it_is(tmp_path: Path) -> None:
    target = tmp_path / "run.html"
    options = ExportOptions(format="html", frames=8, last=600, compare="example-cure")
    with (
        Recording.open(example_path("example-collapse")) as recording,
        Recording.open(example_path("example-cure")) as compared,
    ):
        estimate = preview(recording, options, compared).bytes
        export(recording, options, target, compared=compared)
        config = recording.summary()["config"]
    page = target.read_text()
    files = embedded_files(page)
    contents = json.loads(zlib.decompress(files["contents.json"]))
    assert contents["opened"] == "example-collapse"
    assert contents["compared"] == "example-cure"
    assert [run["can"] for run in contents["runs"]] == [[], []]
    frames = json.loads(zlib.decompress(files["0/frames.json"]))
    assert len(frames["steps"]) == 8
    assert frames["laps"] == []
    texts = dict(re.findall(r'<meta name="(\w+)" content="([^"]*)">', page))
    assert texts["title"] == "Run example-collapse, steps 0 to 590, seed 0."
    assert "stnscope export example-collapse --format html" in texts["comment"]
    assert json.loads(texts["configuration"].replace("&quot;", '"')) == config
    # Nothing is loaded from elsewhere.
    assert not re.findall(r'(?:src|href)="(?!data:|index\.html|\?|\.")', page)
    assert 0.5 < estimate / len(page) < 2


def test_a_site_replaces_only_a_site_and_is_complete_or_not_there(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record(*(frame(step) for step in range(3)))
    run = PublishedRun("run <1>", recording, "A & B")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "mine.txt").touch()
    with pytest.raises(Conflict, match="has other files"):
        publish([run], folder, replace=True)
    (folder / "mine.txt").unlink()

    publish([run], folder)
    gallery = (folder / "index.html").read_text()
    assert "player.html?run=run%20%3C1%3E" in gallery
    assert "A &amp; B" in gallery
    image = re.search(r'src="(data/gallery/[^"]+)" width="(\d+)" height="(\d+)"', gallery)
    assert image
    with Image.open(folder / unquote(image[1])) as picture:
        assert picture.size == (int(image[2]), int(image[3])), (
            "its place is kept before it is loaded"
        )
    assert (folder / MARKER).stat().st_mode & 0o444 == 0o444
    with pytest.raises(Conflict, match="--force"):
        publish([run], folder)

    def fail(*_: object) -> bytes:
        raise OSError("no space")

    with monkeypatch.context() as patched:
        patched.setattr(site, "draw_thumbnail", fail)
        with pytest.raises(OSError, match="no space"):
            publish([run], folder, replace=True)
    assert (folder / "index.html").read_text() == gallery
    (folder / "CNAME").write_text("lab.example")
    (tmp_path / "link").symlink_to(folder)
    publish([run, run], tmp_path / "link", replace=True)
    assert (folder / "CNAME").read_text() == "lab.example"
    assert (folder / "index.html").read_text() != gallery
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == {"site", "link"}


def test_a_run_without_frames_is_not_published(tmp_path: Path, record: Record) -> None:
    with pytest.raises(Conflict, match="Nothing of run x is recorded yet"):
        publish([PublishedRun("x", record())], tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_files_of_a_site_are_small_parts_of_a_run(tmp_path: Path) -> None:
    with Recording.open(example_path("example-signs")) as recording:
        publish([PublishedRun("signs", recording)], tmp_path / "site")
        recorded = recording.frame_steps()
    (folder,) = (tmp_path / "site" / "data" / "runs").iterdir()
    stored = json.loads((folder / "frames.json").read_text())
    assert stored["steps"] == recorded
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.bin")}
    assert max(sizes.values()) < 2 * FILE_BYTES
    for number, offset, length in stored["groups"] + stored["inputs"]:
        assert offset + length <= sizes[f"frames-{number}.bin"]
