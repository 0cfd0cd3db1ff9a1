"""The runs of a home: one recording file each, found by listing the folder.

Everything here reads or writes files: coroutines call it in a thread.
"""

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
from stnscope.backend.experiment.recording.lock import has_writer
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter, create

DATA = "datasets"
"""The name of the data folder, beside that of recordings, unless another one is given."""
SAMPLE = "sample"
"""The id of the recording that ships with the program."""
SAMPLE_PATH = Path(__file__).with_name(f"{SAMPLE}{SUFFIX}")

IMPORTED = "This recording was imported: it can be watched, but not trained further."

Run = dict[str, Any]
"""A run's summary, as `Recording.summary` returns it, with its `id`."""


class Runs:
    """All recordings in one folder, and the small one that ships with the program.

    Args:
        folder: where recordings are kept.
        quota: the disk space for recordings; the default one if left out.
        data: where data sets are read from that do not ship with the program; `datasets` beside the
            folder if left out.
    """

    def __init__(self, folder: Path, quota: Quota | None = None, data: Path | None = None) -> None:
        self.folder = folder
        self.quota = quota or Quota()
        self.data = data or folder.parent / DATA
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, run_id: str) -> Path:
        """Return the file of a run, looked up by its id.

        Raises:
            NotFound: there is no such run.
        """
        if is_sample(run_id) and SAMPLE_PATH.exists():
            return SAMPLE_PATH
        paths = self._paths()
        if run_id not in paths:
            raise NotFound(f"There is no run {run_id!r}.")
        return paths[run_id]

    def new_path(self, run_id: str) -> Path:
        """Return the path for the recording of a run that is to be created."""
        return self.folder / f"{run_id}{SUFFIX}"

    def exists(self, run_id: str) -> bool:
        """Whether there is such a run."""
        try:
            self.path(run_id)
        except NotFound:
            return False
        return True

    def _paths(self) -> dict[str, Path]:
        return {path.stem: path for path in self.folder.glob(f"*{SUFFIX}")}

    @contextmanager
    def open(self, run_id: str) -> Iterator[Recording]:
        """Open the recording of a run for reading.

        Raises:
            NotFound: there is no such run.
            RecordingError: the file is not a recording, or has an unknown version.
        """
        with Recording.open(self.path(run_id)) as recording:
            yield recording

    def create(self, config: RunConfig, *, demonstration: bool = False) -> str:
        """Create a queued run and return its id.

        Raises:
            InvalidInput: a value of the configuration does not exist or does not fit the others, or
                its data set is not available.
            InsufficientStorage: there is no disk space for another recording.
        """
        dataset = availability.inspect_dataset(config.dataset, self.data)
        config = with_defaults(config, dataset)
        validate(config, dataset)
        self.check_disk_space()
        run_id = self.new_id()
        create(
            self.new_path(run_id),
            config=config,
            steps_per_epoch=steps_per_epoch(config, dataset),
            demonstration=demonstration,
        )
        return run_id

    def new_id(self) -> str:
        """Return an id that no run has: the time, and a random part."""
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"

    def check_disk_space(self, more: int = 0) -> None:
        """Check whether more may be recorded.

        Args:
            more: bytes that are about to be added.

        Raises:
            InsufficientStorage: all recordings are at their limit, or the disk is full.
        """
        shortage = self.quota.shortage(self.folder, more)
        if shortage:
            raise InsufficientStorage(shortage)

    def summary(self, run_id: str) -> Run:
        """Return the summary of a run.

        Raises:
            NotFound: there is no such run.
        """
        with self.open(run_id) as recording:
            return recording.summary() | {"id": run_id}

    def list(self) -> list[Run]:
        """Return the summaries of all runs, the newest first; other files are left out."""
        runs = []
        for run_id in self._paths():
            try:
                runs.append(self.summary(run_id))
            except (RecordingError, NotFound, sqlite3.DatabaseError):
                continue
        return sorted(runs, key=lambda run: (run["created"], run["id"]), reverse=True)

    def set_status(self, run_id: str, status: str, error: str | None = None) -> None:
        """Set the status of a run that no trainer trains.

        Raises:
            NotFound: there is no such run.
            Conflict: it ships with the program, was imported, failed before its first checkpoint,
                or is being trained by another process.
        """
        if is_sample(run_id):
            raise Conflict("This recording ships with the program and cannot be changed.")
        with RecordingWriter.open(self.path(run_id)) as writer:
            if writer.summary()["imported"]:
                raise Conflict(IMPORTED)
            if writer.summary()["status"] == "failed" and writer.checkpoint() is None:
                raise Conflict("This run failed before its first checkpoint; start a new one.")
            writer.update(status=status, error=error)

    def delete(self, run_id: str) -> None:
        """Remove a run that no trainer trains.

        Raises:
            NotFound: there is no such run.
            Conflict: it is being trained, or ships with the program.
        """
        if is_sample(run_id):
            raise Conflict("This recording ships with the program and cannot be deleted.")
        path = self.path(run_id)
        if has_writer(path):
            raise Conflict(f"Run {run_id} has a live trainer; stop it first.")
        for suffix in (SUFFIX, f"{SUFFIX}-wal", f"{SUFFIX}-shm", ".lock", SPARE_SUFFIX):
            path.with_name(path.stem + suffix).unlink(missing_ok=True)


def is_sample(run_id: str) -> bool:
    """Whether a run is the one that ships with the program."""
    return run_id == SAMPLE
