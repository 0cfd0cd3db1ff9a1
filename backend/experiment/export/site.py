"""Publish runs as a static site that any server can serve: a gallery, a player, the walkthrough.

The site has the page's own modules, which read the recordings of `stored_run` in place of a
server's responses. All its addresses are relative, so that it works below any path.
"""

import html
import json
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stnscope.backend.experiment.errors import Conflict, Unavailable
from stnscope.backend.experiment.export.export import ATTEMPTS
from stnscope.backend.experiment.export.one_file_page import PACKAGE, PAGE, bundle, page_folder
from stnscope.backend.experiment.export.options import Progress, ReadableRecording
from stnscope.backend.experiment.export.snapshot import FrameDropped, Snapshot
from stnscope.backend.experiment.export.still import draw_png, draw_thumbnail
from stnscope.backend.experiment.export.stored_run import contents, store_run, whole_run
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.recording.reader import SUFFIX, copy_recording
from stnscope.models.cards import FOLDER as WEIGHTS

MARKER = "stnscope-site.json"
"""A file that marks a folder as a published site, which may be replaced."""
ASSETS = "assets/"
DATA = "data/"
RECORDINGS = "recordings"
ENTRY = "standalone.js"
GALLERY = "gallery.html"
PICTURE_SCALE = 1.5
WALKTHROUGH_NETWORKS = ("digits", "digits-cnn-centred")
"""Weights of the networks that the walkthrough computes in the browser."""
PNG_SIZE = 16
"""Offset of a PNG's width and height, 4 bytes each."""
FILE_MODE, FOLDER_MODE = 0o644, 0o755

README = """\
This folder is a static site of runs that stnscope recorded. Any web server or page host serves it,
at any address; nothing has to run on the server. For example, on this machine:

    python -m http.server --directory .

and open http://localhost:8000. It does not work when index.html is opened from disk, because
browsers load no modules from there; `stnscope export RUN run.html` makes one file that does.

index.html is the gallery, player.html plays a run (player.html?run=ID&step=N is a link to a step)
and has the walkthrough How it works. Frames are in data/, in files of about a megabyte, of which
browsers request the parts that they need; a server that sends whole files only works too.
"""

_ADDRESS = re.compile(r'\b(href|src)="((?:styles/|standalone)[^"]*)"')


@dataclass(frozen=True)
class PublishedRun:
    """A run that is published."""

    id: str
    recording: ReadableRecording
    title: str | None = None
    """None for its name or its configuration."""
    description: str | None = None
    """A sentence on what it shows; None for its figures."""


def check_target(folder: Path, *, replace: bool) -> None:
    """Check that a site may be written to a folder.

    Args:
        folder: the site's.
        replace: whether it may replace an earlier site.

    Raises:
        Conflict: the folder has other files, or an earlier site that is not to be replaced.
    """
    name = display_name(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Conflict(f"{name} is a file; name a folder.")
    if not any(folder.iterdir()):
        return
    if not (folder / MARKER).is_file():
        raise Conflict(f"{name} has other files, and is not a published site; name another folder.")
    if not replace:
        raise Conflict(f"{name} is a published site; replace it with --force.")


def publish(
    runs: Sequence[PublishedRun],
    folder: Path,
    *,
    examples: Sequence[PublishedRun] = (),
    files: Mapping[str, bytes] | None = None,
    with_recordings: bool = False,
    replace: bool = False,
    progress: Callable[[str], Progress | None] = lambda _: None,
) -> None:
    """Write a site; it is there when it is complete, and a failure leaves what was there.

    Args:
        runs: that the gallery shows, in this order.
        folder: where the site is written.
        examples: of which the walkthrough shows frames.
        files: what else the page reads, by path: `results.json` and the pictures that go with it.
        with_recordings: whether the recordings of `runs` can be downloaded.
        replace: whether an earlier site is replaced; other files beside it are kept.
        progress: takes the id of each run before it is stored; returns what is called with its
            number of stored frames and of all.

    Raises:
        Conflict: `check_target` refuses the folder, or a run has no frame yet.
    """
    check_target(folder, replace=replace)
    folder = Path(os.path.realpath(folder))  # of a link, what it names
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _write_site(part, runs, examples, files or {}, with_recordings, progress)
        _publish_modes(part)
        _replace(folder, part)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_site(
    folder: Path,
    runs: Sequence[PublishedRun],
    examples: Sequence[PublishedRun],
    files: Mapping[str, bytes],
    with_recordings: bool,
    progress: Callable[[str], Progress | None],
) -> None:
    def write(path: str, data: bytes) -> None:
        file = folder / DATA / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    folders: dict[str, str] = {}
    stored = [_store(run, folders, write, progress) for run in runs]
    known = {run["id"]: run for run in stored}
    stored_examples = []
    for example in examples:
        run = known.get(example.id) or _store(example, folders, write, progress)
        stored_examples.append(
            {
                "title": example.title or example.id,
                "description": example.description or "",
                "compare": None,
                "run": run,
            }
        )
    recorded = _copy_recordings(folder / DATA / RECORDINGS, runs) if with_recordings else []
    write("contents.json", contents(stored, folders, stored_examples, recordings=recorded))
    for path, data in files.items():
        write(path, data)
    _write_sources(write)
    for name in WALKTHROUGH_NETWORKS:
        write(f"networks/{name}.safetensors", (WEIGHTS / f"{name}.safetensors").read_bytes())
    _write_page(folder)
    cards = "".join(_card(run, row, folder) for run, row in zip(runs, stored, strict=True))
    gallery = (page_folder() / GALLERY).read_text(encoding="utf-8")
    gallery = _with_assets(gallery).replace("<!-- runs -->\n", cards)
    (folder / "index.html").write_text(gallery, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    (folder / ".nojekyll").touch()  # GitHub Pages serves the files as they are
    marker = {"runs": [run["id"] for run in stored]}
    (folder / MARKER).write_text(json.dumps(marker), encoding="utf-8")


def _copy_recordings(folder: Path, runs: Sequence[PublishedRun]) -> list[str]:
    """Copy the recordings of runs to a new folder; return the runs' ids."""
    folder.mkdir()
    for run in runs:
        copy_recording(run.recording.path, folder / f"{run.id}{SUFFIX}")
    return [run.id for run in runs]


def _store(
    run: PublishedRun,
    folders: dict[str, str],
    write: Callable[[str, bytes], None],
    progress: Callable[[str], Progress | None],
) -> dict[str, Any]:
    for _ in range(ATTEMPTS):
        with suppress(FrameDropped):
            return _store_snapshot(run, Snapshot(run.recording), folders, write, progress)
    raise Unavailable(
        f"The recording of run {run.id} was thinned again and again. Try again later."
    )


def _store_snapshot(
    run: PublishedRun,
    recording: Snapshot,
    folders: dict[str, str],
    write: Callable[[str, bytes], None],
    progress: Callable[[str], Progress | None],
) -> dict[str, Any]:
    """Store a run as it is recorded now."""
    run_id, summary = run.id, recording.summary()
    keys = whole_run(recording.frames())
    if not keys or keys[0].lap is not None:
        raise Conflict(f"Nothing of run {run_id} is recorded yet. Try again in a moment.")
    # Browsers keep files by their addresses: a run that has gone on has others.
    state = f"{summary['attempt']}-{summary['step']}-{len(keys)}"
    path = f"runs/{len(folders)}-{state}/"
    stored = store_run(recording, keys, path, write, progress=progress(run_id))
    folders[run_id] = path
    # A file that was copied has the id of its name.
    stored["id"] = run_id
    stored["name"] = stored.get("name") or run.title
    last = recording.frame(stored["last_step"])
    write(f"pictures/{run_id}.png", draw_thumbnail(last))
    write(f"gallery/{run_id}.png", draw_png(last, PICTURE_SCALE))
    return stored


def _write_sources(write: Callable[[str, bytes], None]) -> None:
    """Write the text of the networks' modules, to which the walkthrough links."""
    models = WEIGHTS.parent
    for file in models.rglob("*.py"):
        path = f"models/{file.relative_to(models).as_posix()}"
        write(f"source/{path}.txt", file.read_bytes())


def _write_page(folder: Path) -> None:
    """Write the player, and the page's files beside it."""
    assets = page_folder()
    shutil.copytree(assets, folder / ASSETS, ignore=shutil.ignore_patterns("*.html", "*.json"))
    page = _with_assets((assets / PAGE).read_text(encoding="utf-8"))
    # The browser requests all modules at once, and not one after another as they import them.
    names = sorted(name.removeprefix(PACKAGE) for name in bundle(assets, ENTRY))
    links = "".join(f'    <link rel="modulepreload" href="{ASSETS}{name}">\n' for name in names)
    page = page.replace("  </head>", f"{links}  </head>")
    (folder / "player.html").write_text(page, encoding="utf-8")


def _with_assets(page: str) -> str:
    """Return a page whose addresses of styles and scripts are those of a site's root."""
    return _ADDRESS.sub(rf'\1="{ASSETS}\2"', page)


def _card(run: PublishedRun, stored: Mapping[str, Any], folder: Path) -> str:
    """Return a run's entry of the gallery, with the size of its picture: nothing moves later."""
    title = html.escape(run_title(stored))
    sentence = html.escape(run.description or run_sentence(stored))
    run_id = quote(stored["id"], safe="")
    picture = (folder / DATA / "gallery" / f"{stored['id']}.png").read_bytes()
    width, height = struct.unpack_from(">II", picture, PNG_SIZE)
    return f"""\
        <li>
          <a href="player.html?run={run_id}">
            <img src="{DATA}gallery/{run_id}.png" width="{width}" height="{height}" alt=""
              loading="lazy">
            <h2>{title}</h2>
            <p>{sentence}</p>
          </a>
        </li>
"""


def run_title(run: Mapping[str, Any]) -> str:
    """Return a run's name or, without one, its configuration in short."""
    if run.get("name"):
        return str(run["name"])
    config = run["config"]
    if run["watched"]:
        return str(config.get("model") or run["id"])
    parts = [config["architecture"], config["family"], f"seed {config['seed']}"]
    if config["dataset"] != config["architecture"]:
        parts.insert(0, config["dataset"])
    return ", ".join(parts)


def run_sentence(run: Mapping[str, Any]) -> str:
    """Return the result of a run, as a sentence."""
    parts = [f"{run['step']:,} steps"]
    if run["accuracy"] is not None:
        parts.append(f"accuracy {run['accuracy']:.1%}".replace("%", " %"))
    parts.append(f"{run['frames']:,} frames of {run['probes']} images")
    return f"{', '.join(parts)}; {run['status']}."


def _publish_modes(folder: Path) -> None:
    """Let every user read the files: a web server runs as another one."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def _replace(folder: Path, part: Path) -> None:
    """Replace a folder by a complete site; keep what is not of an earlier site."""
    earlier = part.with_name(f"{part.name}.earlier")
    if folder.exists():
        folder.rename(earlier)
    try:
        part.rename(folder)
    except OSError:
        if earlier.exists():
            earlier.rename(folder)
        raise
    if earlier.exists():
        own = {path.name for path in folder.iterdir()}
        for path in earlier.iterdir():
            if path.name not in own:  # such as CNAME, or the repository of a page host
                path.rename(folder / path.name)
        shutil.rmtree(earlier, ignore_errors=True)
