"""The runs of a home: one recording file each, found by listing, named by time and chance."""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.catalog import steps_per_epoch, validate, with_defaults
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.errors import (
    Conflict,
    InsufficientStorage,
    NotFound,
    RecordingError,
)
from stnscope.backend.experiment.recording.disk_space import SPARE_SUFFIX
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording, writer_is_live
from stnscope.backend.experiment.recording.writer import RecordingWriter, create

DATA = "datasets"
"""The folder of data sets, beside that of recordings, unless another one is named."""
SAMPLE = "sample"
SAMPLE_PATH = Path(__file__).with_name(f"{SAMPLE}{SUFFIX}")

FROM_A_FILE = "This recording came from a file: it can be watched, not gone on with."

Run = dict[str, Any]


class Runs:
    """All recordings below one folder, and the small one that ships with the program.

    Args:
        folder: where recordings are kept.
        bounds: the room for recordings; the default one if left out.
        data: where data sets lie that are no part of the program; `datasets` beside the folder if
            left out.
    """

    def __init__(self, folder: Path, bounds: Quota | None = None, data: Path | None = None) -> None:
        self.folder = folder
        self.bounds = bounds or Quota()
        self.data = data or folder.parent / DATA
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, run_id: str) -> Path:
        """The file of a run, looked up by name.

        Raises:
            NotFound: there is none.
        """
        paths = self._paths()
        if self.is_sample(run_id):
            return SAMPLE_PATH
        if run_id not in paths:
            raise NotFound(f"There is no run {run_id!r}.")
        return paths[run_id]

    def is_sample(self, run_id: str) -> bool:
        """Whether a run is the one that ships with the program."""
        return run_id == SAMPLE and SAMPLE_PATH.exists()

    def _paths(self) -> dict[str, Path]:
        return {path.stem: path for path in self.folder.glob(f"*{SUFFIX}")}

    @contextmanager
    def open(self, run_id: str) -> Iterator[Recording]:
        with Recording.open(self.path(run_id)) as opened:
            yield opened

    def create(self, config: RunConfig, *, demonstration: bool = False) -> str:
        """Creates a queued run and answers with its id.

        Raises:
            InvalidInput: something in the configuration has no such name, does not fit, or is a
                data set that is not at hand.
            InsufficientStorage: there is no room for another recording.
        """
        dataset = availability.inspect_dataset(config.dataset, self.data)
        config = with_defaults(config, dataset)
        validate(config, dataset)
        self.check_room()
        run_id = self.new_id()
        create(
            self.folder / f"{run_id}{SUFFIX}",
            config=config,
            steps_per_epoch=steps_per_epoch(config, dataset),
            demonstration=demonstration,
        )
        return run_id

    def new_id(self) -> str:
        """An id that no run has."""
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"

    def check_room(self, more: int = 0) -> None:
        """Looks whether anything more may be recorded.

        Args:
            more: bytes that are about to be added.

        Raises:
            InsufficientStorage: all recordings are at their limit, or the disk is full.
        """
        shortage = self.bounds.shortage(self.folder, more)
        if shortage:
            raise InsufficientStorage(shortage)

    def summary(self, run_id: str) -> Run:
        with self.open(run_id) as opened:
            return opened.summary() | {"id": run_id}

    def list(self) -> list[Run]:
        """All runs, the newest first; files that are no recordings are left out."""
        runs = []
        for run_id in self._paths():
            try:
                runs.append(self.summary(run_id))
            except (RecordingError, NotFound, sqlite3.DatabaseError):
                continue
        return sorted(runs, key=lambda run: (run["created"], run["id"]), reverse=True)

    def mark(self, run_id: str, status: str, error: str | None = None) -> None:
        """Sets the status of a run that no trainer works on.

        Raises:
            Conflict: it ships with the program, came from a file, or failed before its first
                checkpoint.
        """
        path = self.path(run_id)
        if path == SAMPLE_PATH:
            raise Conflict("This recording ships with the program and stays as it is.")
        with RecordingWriter.open(path) as writer:
            if writer.summary()["imported"]:
                raise Conflict(FROM_A_FILE)
            if writer.summary()["status"] == "failed" and writer.checkpoint() is None:
                raise Conflict("This run failed before its first checkpoint; start a new one.")
            writer.update(status=status, error=error)

    def delete(self, run_id: str) -> None:
        """Removes a run that nobody trains.

        Raises:
            Conflict: it is being trained, or ships with the program.
        """
        path = self.path(run_id)
        if path == SAMPLE_PATH:
            raise Conflict("This recording ships with the program and stays.")
        if writer_is_live(path):
            raise Conflict(f"Run {run_id} has a live trainer; stop it first.")
        for suffix in (SUFFIX, f"{SUFFIX}-wal", f"{SUFFIX}-shm", ".lock", SPARE_SUFFIX):
            path.with_name(path.stem + suffix).unlink(missing_ok=True)
