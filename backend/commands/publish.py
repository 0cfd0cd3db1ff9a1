"""`stnscope publish`: make a static site of runs."""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from pydantic_core import to_json

from stnscope.backend.commands.options import (
    RUN_HELP,
    Commands,
    command,
    find_run,
    progress_bar,
    recordings,
)
from stnscope.backend.experiment.catalog.examples import EXAMPLES as EXAMPLE_RUNS
from stnscope.backend.experiment.export.options import Progress
from stnscope.backend.experiment.export.site import PublishedRun, check_target, publish
from stnscope.backend.experiment.recording.quota import format_bytes, raising_insufficient_storage
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.reproduction.result_tables import build_tables
from stnscope.backend.experiment.reproduction.results import find_pictures
from stnscope.backend.server.runs import Runs, example_path
from stnscope.backend.server.settings import Settings

EXAMPLES = """\
  stnscope publish RUN site               one run, in the folder site
  stnscope publish RUN RUN example-digits site    several, in this order, and one that ships
  stnscope publish RUN site --force       replace what was published there
  python -m http.server --directory site  serve it on this machine
"""
WALKTHROUGH_EXAMPLES = ("signs", "signs-2st", "row")
"""The examples whose frames the walkthrough shows."""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Make a static site of runs: a gallery, their players, and the walkthrough How it works."
    parser = command(commands, "publish", _publish, text, EXAMPLES)
    parser.add_argument("runs", nargs="+", metavar="RUN", help=RUN_HELP)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the site's folder")
    parser.add_argument(
        "--recordings",
        action="store_true",
        help="add the recordings, so that they can be downloaded and imported elsewhere",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a site that was published there before"
    )


def _publish(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    check_target(folder, replace=options.force)
    runs = Runs(recordings(options))
    ids = list(dict.fromkeys(find_run(runs, text) for text in options.runs))
    with ExitStack() as opened, raising_insufficient_storage():
        published = [_described(run_id, opened.enter_context(runs.open(run_id))) for run_id in ids]
        example_ids = [EXAMPLE_RUNS[name].id for name in WALKTHROUGH_EXAMPLES]
        examples = [
            _described(run_id, opened.enter_context(Recording.open(example_path(run_id))))
            for run_id in example_ids
        ]
        publish(
            published,
            folder,
            examples=examples,
            files=_results(Settings(home=options.home).results),
            with_recordings=options.recordings,
            replace=options.force,
            progress=_print_progress,
        )
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    count = "1 run" if len(ids) == 1 else f"{len(ids)} runs"
    print(f"{folder}: {count}, {format_bytes(size)}. README.md in it explains how to serve it.")
    return 0


def _described(run_id: str, recording: Recording) -> PublishedRun:
    """Return a run with the title and the sentence of the example that it is, if it is one."""
    for example in EXAMPLE_RUNS.values():
        if example.id == run_id:
            return PublishedRun(run_id, recording, example.title, example.description)
    return PublishedRun(run_id, recording)


def _results(folder: Path) -> dict[str, bytes]:
    """Return what the tab Results shows: the tables, and the pictures that go with them.

    Args:
        folder: of the user's own result files; those that cannot be read are left out.
    """
    tables = asdict(build_tables(folder)) | {"unreadable": [], "folder": folder.name}
    files = {"results.json": to_json(tables, inf_nan_mode="null")}
    for table in tables["invariances"]:
        for network in table["networks"]:
            pictures = find_pictures(folder, network["origin"], network["file"])
            if pictures is not None:
                files[f"results/{network['origin']}/{network['file']}.webp"] = pictures
    return files


def _print_progress(run_id: str) -> Progress | None:
    """Print which run is stored; return what prints how far it is, if it is a terminal."""
    print(f"Storing run {run_id} ...", flush=True)
    if not sys.stdout.isatty():
        return None

    def print_bar(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        print(f"\r{progress_bar(done, total)} {done}/{total} frames", end=end, flush=True)

    return print_bar
