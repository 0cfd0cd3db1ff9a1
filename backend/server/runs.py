"""The runs of a home: one recording file each, found by listing the folder.

Everything here reads or writes files: coroutines call it in a thread.
"""

import builtins
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from stnscope.backend.experiment.catalog import (
    DatasetEntry,
    steps_per_epoch,
    validate,
    with_defaults,
)
from stnscope.backend.experiment.catalog.examples import EXAMPLE_PREFIX, EXAMPLES
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.errors import (
    Conflict,
    InsufficientStorage,
    InvalidInput,
    LaterVersion,
    LockUnavailable,
    NotFound,
    RecordingDenied,
    RecordingError,
    RecordingUnavailable,
    StnscopeError,
    printable,
)
from stnscope.backend.experiment.home import new_run_id
from stnscope.backend.experiment.os_errors import (
    display_name,
    translate_os_error,
    translating_os_errors,
)
from stnscope.backend.experiment.recording.disk_space import RESERVE_SUFFIX
from stnscope.backend.experiment.recording.lock import LOCK_SUFFIX, has_writer
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import LOCK_SECONDS, SUFFIX, Recording
from stnscope.backend.experiment.recording.schema import RUN_COLUMNS
from stnscope.backend.experiment.recording.writer import (
    DATABASE_SUFFIXES,
    RecordingWriter,
    create,
    mark_failed,
    rename,
)
from stnscope.backend.experiment.run_status import LIVE, TRAINING, Fault
from stnscope.backend.experiment.watching.loop_pictures import PICTURE_SUFFIX, RESULT_SUFFIX
from stnscope.backend.experiment.watching.loop_requests import REQUEST_SUFFIX
from stnscope.backend.experiment.weights.trained_weights import (
    OBJECT,
    RUN_PREFIX,
    TrainedWeights,
    cards_of_run,
    find_for_picture,
    transform_refusal,
)
from stnscope.backend.experiment.weights.weights_folder import WeightsFolder
from stnscope.models.cards import Card, cards

WEIGHTS = "weights"
"""The name of the folder of the user's own weights, beside that of recordings."""
DATA = "datasets"
"""The name of the data folder, beside that of recordings, unless another one is given."""
EXAMPLE_IDS = frozenset(example.id for example in EXAMPLES.values())
EXAMPLE_FOLDER = Path(__file__).with_name("examples")
"""The recordings that ship with the program."""

REMOVED_SUFFIXES = (LOCK_SUFFIX, RESERVE_SUFFIX)
"""Suffixes of files beside a recording that are removed with it."""
MESSAGES = "|".join(map(re.escape, (REQUEST_SUFFIX, PICTURE_SUFFIX, RESULT_SUFFIX)))
"""Suffixes of messages to and from a loop, as a pattern; drafts and results have a longer one."""

EXAMPLE_REFUSAL = "This recording ships with the program and cannot be changed."
IMPORTED = "This recording was imported: it can be watched, but not trained further."
WATCHED = "This run is trained by a program of its own: it can be watched, but not controlled here."

SUMMARY_LOCK_SECONDS = 1.0
"""How long a summary for a list waits for a recording that another program locks."""
FAULT_OF: tuple[tuple[type[RecordingError], Fault], ...] = (
    (LaterVersion, "later_version"),
    (RecordingDenied, "unreadable"),
    (RecordingUnavailable, "unavailable"),
    (RecordingError, "damaged"),
)
"""The status of a run whose recording cannot be read, by the first class of its error."""

Run = dict[str, Any]
"""A run's summary, as `Recording.summary` returns it, with its `id`."""
FileState = tuple[tuple[int, int, int], ...]
"""Inode, time of the last change and size, of a recording and its write-ahead log."""


class _Summary(NamedTuple):
    """A run's summary, and the state of its recording's files when it was read."""

    run: Run
    file_state: FileState


class Runs:
    """All recordings in one folder, and the examples that ship with the program.

    Args:
        folder: where recordings are kept.
        quota: the disk space for recordings; the default one if left out.
        data: where data sets are read from that do not ship with the program; `datasets` beside the
            folder if left out.

    Raises:
        AccessDenied, Conflict, InsufficientStorage: the folder does not exist and cannot be made.
    """

    def __init__(self, folder: Path, quota: Quota | None = None, data: Path | None = None) -> None:
        self.folder = folder
        self.quota = quota or Quota()
        self.data = data_folder(folder, data)
        self.weights = WeightsFolder(folder.parent / WEIGHTS)
        self._last_summaries: dict[str, _Summary] = {}
        """Summaries by run, used while its recording is unavailable or unchanged."""
        with translating_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def write_refusal(self) -> str | None:
        """Return why nothing can be recorded here, as a sentence; None if this user may write."""
        if os.access(self.folder, os.W_OK | os.X_OK):
            return None
        return (
            f"{display_name(self.folder)} may not be written by this user: its runs can be "
            "watched, and nothing can be recorded."
        )

    def path(self, run_id: str) -> Path:
        """Return the file of a run, looked up by its id.

        Raises:
            NotFound: there is no such run.
        """
        if is_example(run_id) and example_path(run_id).exists():
            return example_path(run_id)
        name = self._names().get(run_id)
        if name is None:
            raise no_such_run(run_id)
        return self.folder / name

    def new_path(self, run_id: str) -> Path:
        """Return the path for the recording of a run that is to be created."""
        return self.folder / f"{run_id}{SUFFIX}"

    def ids(self) -> builtins.list[str]:
        """Return the ids of all runs, in their order.

        Raises:
            AccessDenied: this user may not list the folder.
        """
        return sorted(self._names())

    def exists(self, run_id: str) -> bool:
        """Whether there is such a run."""
        try:
            self.path(run_id)
        except NotFound:
            return False
        return True

    def _names(self) -> dict[str, str]:
        """Return the names of all files and other things with a recording's suffix, by run.

        Raises:
            AccessDenied: this user may not list the folder.
        """
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):  # deleted while the server runs
            return {}
        except OSError as error:
            raise translate_os_error(error, self.folder) from error
        return {_run_id(name.removesuffix(SUFFIX)): name for name in names if name.endswith(SUFFIX)}

    def find_weights(self, name: str) -> TrainedWeights:
        """Return trained weights by name; those of a run are `run:ID` or `run:ID:STEP`.

        Raises:
            NotFound: there are none of that name.
            Conflict: a picture cannot be transformed by their network, or the run has none yet.
            StnscopeError: they cannot be read.
        """
        return find_for_picture(name, self.weights, self.path)

    def find_loop(self, name: str) -> Run | None:
        """Return the watched run that `run:ID` names; None if it names anything else."""
        if not name.startswith(RUN_PREFIX):
            return None
        with suppress(NotFound):
            run = self.summary(name.removeprefix(RUN_PREFIX))
            return run if run["watched"] else None
        return None

    def weights_cards(self) -> dict[str, Card]:
        """Return the cards of the weights that ship and of the user's own, by name.

        Networks that cannot transform a picture are left out.
        """
        known = cards() | self.weights.cards()
        return {name: card for name, card in known.items() if transform_refusal(card) is None}

    def checkpoint_cards(self, limit: int) -> dict[str, Card]:
        """Return the cards of all checkpoints of the newest runs, by name, as above.

        A run's newest one is the run's name alone.

        Args:
            limit: how many runs are examined.
        """
        found: dict[str, Card] = {}
        for run in self.list()[:limit]:
            name = f"{RUN_PREFIX}{run['id']}"
            if run["watched"]:
                if run["status"] in TRAINING and run["config"]["picture"]:
                    found[name] = _card_of_loop(name, run)
                continue
            # One that cannot be read, or was deleted meanwhile, has none.
            with suppress(StnscopeError):
                of_run = cards_of_run(self.path(run["id"]), name)
                found |= {card.name: card for card in of_run if transform_refusal(card) is None}
        return found

    @contextmanager
    def open(self, run_id: str) -> Iterator[Recording]:
        """Open the recording of a run for reading.

        Raises:
            NotFound: there is no such run.
            RecordingError: the file is not a recording, or has an unknown version.
        """
        with Recording.open(self.path(run_id)) as recording:
            yield recording

    def config(self, run_id: str) -> RunConfig:
        """Return the configuration of a run that is trained here.

        Raises:
            NotFound, RecordingError: as `open` does.
            Conflict: the run is only watched.
        """
        with self.open(run_id) as recording:
            return recording.config()

    def create(self, config: RunConfig, *, demonstration: bool = False) -> str:
        """Create a queued run and return its id.

        Raises:
            InvalidInput: a value of the configuration does not exist or does not fit the others, or
                its data set is not available.
            InsufficientStorage: there is no disk space for another recording.
        """
        dataset = availability.inspect_dataset(config.dataset, self.data)
        config = complete(config, dataset)
        self.check_disk_space()
        run_id = new_run_id()
        create(
            self.new_path(run_id),
            config=config,
            steps_per_epoch=steps_per_epoch(config, dataset),
            demonstration=demonstration,
        )
        return run_id

    def check_disk_space(self, additional_bytes: int = 0) -> None:
        """Check whether more may be recorded.

        Args:
            additional_bytes: bytes that are about to be added.

        Raises:
            InsufficientStorage: all recordings are at their limit, or the disk is full.
        """
        shortage = self.quota.shortage(self.folder, additional_bytes)
        if shortage:
            raise InsufficientStorage(shortage)

    def summary(self, run_id: str) -> Run:
        """Return the summary of a run; of one whose recording cannot be read, the reason.

        Raises:
            NotFound: there is no such run.
        """
        return self._summary(run_id, self.path(run_id))

    def read_summary(self, run_id: str) -> Run:
        """Return the summary of a run, as it is recorded now.

        Raises:
            NotFound: there is no such run.
            RecordingError: the recording cannot be read.
        """
        return self._read_summary(run_id, self.path(run_id), LOCK_SECONDS)

    def read_or_fault(self, run_id: str) -> Run:
        """Return the summary of a run, as it is recorded now; of a damaged one, what is wrong.

        Raises:
            NotFound: there is no such run.
            RecordingUnavailable: the recording cannot be read at the moment.
        """
        try:
            return self.read_summary(run_id)
        except RecordingUnavailable:
            raise
        except RecordingError as error:
            return faulty_run(run_id, error)

    def list(self) -> list[Run]:
        """Return the summaries of all runs, the newest first.

        Raises:
            AccessDenied: this user may not list the folder.
        """
        runs = self._summaries(self._names()).values()
        return sorted(runs, key=lambda run: (run["created"], run["id"]), reverse=True)

    def summaries(self, run_ids: Iterable[str]) -> dict[str, Run]:
        """Return the summaries of those of some runs that there are, in their order, by id.

        Raises:
            AccessDenied: this user may not list the folder.
        """
        names = self._names()
        return self._summaries({each: names[each] for each in run_ids if each in names})

    def _summaries(self, names: Mapping[str, str]) -> dict[str, Run]:
        """Return the summaries of runs by id, from the names of their files."""
        runs = {}
        for run_id, name in names.items():
            # Paths are made of those that have changed only: that takes longer than all else.
            last = self._unchanged_summary(run_id, _file_state(f"{self.folder}{os.sep}{name}"))
            if last:
                runs[run_id] = last
                continue
            with suppress(NotFound):  # deleted meanwhile
                runs[run_id] = self._summary(run_id, self.folder / name)
        return runs

    def page(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        live: bool | None = None,
        without: Collection[str] = (),
    ) -> tuple[builtins.list[Run], bool]:
        """Return some of what `list` returns, and whether more follow.

        Args:
            limit: how many at most; None for all.
            after: the run that they follow in the list.
            live: whether more frames may come; None for both.
            without: ids of runs that are left out unless they are being trained.

        Raises:
            NotFound: there is no run `after`.
            AccessDenied: this user may not list the folder.
        """
        runs = self.list()
        if after is not None:
            position = next((i for i, run in enumerate(runs) if run["id"] == after), None)
            if position is None:
                raise no_such_run(after)
            runs = runs[position + 1 :]
        if live is not None:
            runs = [run for run in runs if (run["status"] in LIVE) == live]
        if without:
            runs = [run for run in runs if run["id"] not in without or run["status"] in TRAINING]
        return runs[:limit], limit is not None and len(runs) > limit

    def _summary(self, run_id: str, path: Path) -> Run:
        try:
            return self._read_summary(run_id, path, SUMMARY_LOCK_SECONDS)
        except (RecordingUnavailable, InsufficientStorage) as error:
            unavailable = RecordingUnavailable(str(error))
            last = self._last_summaries.get(run_id)
            return last.run if last else faulty_run(run_id, unavailable, _modified_at(path))
        except RecordingError as error:
            return faulty_run(run_id, error, _modified_at(path))

    def _read_summary(self, run_id: str, path: Path, lock_seconds: float) -> Run:
        state = _file_state(str(path))
        if last := self._unchanged_summary(run_id, state):
            return last
        with Recording.open(path, lock_seconds=lock_seconds) as recording:
            run = recording.summary() | {"id": run_id}
        self._last_summaries[run_id] = _Summary(run, state)
        return run

    def _unchanged_summary(self, run_id: str, state: FileState) -> Run | None:
        """Return the last summary of a run, if its recording is in the state it was read in."""
        last = self._last_summaries.get(run_id)
        # Whether a trainer holds its lock is not seen from a file.
        if last is None or last.file_state != state:
            return None
        with_trainer = LIVE if last.run["watched"] else TRAINING
        return None if last.run["status"] in with_trainer else last.run

    def set_status(self, run_id: str, status: str, error: str | None = None) -> None:
        """Set the status of a run that no trainer trains.

        Raises:
            NotFound: there is no such run.
            RecordingError: its recording cannot be read.
            Conflict: it ships with the program, was imported, failed before its first checkpoint,
                is being trained by another process, or its file system has no locks.
        """
        if is_example(run_id):
            raise Conflict(EXAMPLE_REFUSAL)
        with RecordingWriter.open(self.path(run_id)) as writer:
            if refusal := training_refusal(writer.summary()):
                raise Conflict(refusal)
            if writer.summary()["status"] == "failed" and writer.checkpoint() is None:
                raise Conflict("This run failed before its first checkpoint; start a new one.")
            writer.update(status=status, error=error)

    def rename(self, run_id: str, name: str | None) -> None:
        """Give a run a name, or take it away.

        Raises:
            NotFound: there is no such run.
            RecordingError: its recording cannot be read or written.
            Conflict: it ships with the program, or is trained by an earlier version.
        """
        if is_example(run_id):
            raise Conflict(EXAMPLE_REFUSAL)
        rename(self.path(run_id), name)

    def fail(self, run_id: str, error: str) -> None:
        """Mark a queued run as failed, which no trainer has begun.

        Raises:
            NotFound, RecordingError, Conflict: as `set_status` does.
        """
        try:
            self.set_status(run_id, "failed", error)
        except LockUnavailable as unavailable:
            # No trainer can hold a lock there either, and the reason is known.
            mark_failed(self.path(run_id), str(unavailable))

    def delete(self, run_id: str) -> None:
        """Remove a run that no trainer trains, whatever its recording is.

        Raises:
            NotFound: there is no such run.
            Conflict: it is being trained, or ships with the program.
        """
        if is_example(run_id):
            raise Conflict("This recording ships with the program and cannot be deleted.")
        path = self.path(run_id)
        if has_writer(path):
            raise live_trainer_error(run_id)
        names = [path.name + suffix for suffix in DATABASE_SUFFIXES]
        names += [path.stem + suffix for suffix in REMOVED_SUFFIXES]
        is_message = re.compile(f"{re.escape(path.stem)}({MESSAGES})(-[0-9a-z-]+)?").fullmatch
        names += [name for name in os.listdir(path.parent) if is_message(name)]
        for name in names:
            with translating_os_errors():
                _remove(path.with_name(name))
        self._last_summaries.pop(run_id, None)


def complete(config: RunConfig, dataset: DatasetEntry) -> RunConfig:
    """Return a configuration with the defaults that its data set and network imply.

    Raises:
        InvalidInput: a value does not exist or does not fit the others.
    """
    config = with_defaults(config, dataset)
    validate(config, dataset)
    return config


def _card_of_loop(name: str, run: Run) -> Card:
    """Return what is known of the network of a loop that is being watched."""
    return Card(
        name=name,
        title=f"{run['config']['model']}, as it is being trained",
        description="The network of a loop that is being watched.",
        subject=OBJECT,
        architecture="",
        family="",
        dataset="",
        distortion="",
        classes=(),
        parameters=run["config"]["parameters"],
        steps=run["step"],
    )


def _file_state(path: str) -> FileState:
    """Return what changes whenever a recording, or its write-ahead log, is written."""
    states = []
    for file in (path, f"{path}-wal"):
        with suppress(OSError):
            stat = os.stat(file)
            states.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(states)


def _modified_at(path: Path) -> float:
    """Return when a file was modified, in seconds since 1970; 0 if that is unknown."""
    with suppress(OSError):
        return max(0.0, path.lstat().st_mtime)
    return 0.0


def faulty_run(run_id: str, error: RecordingError, created: float = 0.0) -> Run:
    """Return the summary of a run whose recording cannot be read; its `error` has the reason."""
    fault = next(fault for kind, fault in FAULT_OF if isinstance(error, kind))
    return dict.fromkeys(RUN_COLUMNS) | {
        "id": run_id,
        "created": created,
        "config": None,
        "demonstration": False,
        "status": fault,
        "attempt": 0,
        "step": 0,
        "collapsed": False,
        "error": str(error),
        "thinned": 0,
        "imported": False,
        "settings": None,
        "watched": False,
        "epoch": None,
        "epochs": None,
        "steps": None,
        "probes": 0,
        "added_at": [],
        "first_step": None,
        "last_step": None,
        "frames": 0,
    }


def _run_id(stem: str) -> str:
    """Return the id of the run in a file of this name: text that fits into addresses and JSON."""
    run_id = printable(stem).replace("\\", "~")
    # An example has its own id, and may have been copied here.
    return f"{run_id}-copy" if is_example(run_id) else run_id


def _remove(path: Path) -> None:
    """Remove a file, a link, or a folder with its contents, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def no_such_run(run_id: str) -> NotFound:
    """Return the error for the id of a run that does not exist."""
    return NotFound(f"There is no run {run_id!r}.")


def training_refusal(run: Run) -> str | None:
    """Return why a run cannot be trained here, whatever its status, as a sentence; None if so."""
    if run["imported"]:
        return IMPORTED
    return WATCHED if run["watched"] else None


def check_changeable(settings: Mapping[str, Any], run: Run) -> None:
    """Check that a run has the settings that are to be changed.

    Raises:
        InvalidInput: it has others.
    """
    for name, value in settings.items():
        if name not in run["settings"]:
            raise InvalidInput(f"This run's settings are {', '.join(run['settings'])}.", name)
        if isinstance(value, Mapping) and (unknown := value.keys() - run["settings"][name].keys()):
            known = ", ".join(run["settings"][name]) or "none"
            raise InvalidInput(
                f"{min(unknown)!r} is not a parameter group of this run; its groups are: {known}.",
                name,
            )


def live_trainer_error(run_id: str) -> Conflict:
    """Return the error for a request that a run in training does not allow."""
    return Conflict(f"Run {run_id} has a live trainer; stop it first.")


def just_ended(run_id: str) -> Conflict:
    """Return the error for a request that came just after the end of a run's trainer or loop."""
    return Conflict(f"Run {run_id} is not trained any more: it has just ended.")


def data_folder(recordings: Path, data: Path | None = None) -> Path:
    """Return the folder that data sets are read from: `data`, or the one beside the recordings."""
    return data or recordings.parent / DATA


def is_example(run_id: str) -> bool:
    """Whether a run is one of those that ship with the program."""
    return run_id in EXAMPLE_IDS


def example_path(run_id: str) -> Path:
    """Return the file of an example, by the id of its run."""
    return EXAMPLE_FOLDER / f"{run_id.removeprefix(EXAMPLE_PREFIX)}{SUFFIX}"
