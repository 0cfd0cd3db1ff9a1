"""The sweeps of a home: a small file each, beside the recordings of their runs.

The file has the sweep's configuration and, of each run, the id and in what it differs; all else is
in the recordings, which are opened without it, here and elsewhere. The id of a run begins with that
of its sweep.

Everything here reads or writes files: coroutines call it in a thread.
"""

import builtins
import logging
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stnscope.backend.experiment.catalog import DatasetEntry, steps_per_epoch
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.errors import Conflict, InvalidInput, NotFound
from stnscope.backend.experiment.home import new_run_id, sweep_of, sweep_run_id
from stnscope.backend.experiment.os_errors import display_name, translating_os_errors
from stnscope.backend.experiment.recording.run_row import MAX_TIME
from stnscope.backend.experiment.recording.writer import create
from stnscope.backend.experiment.run_status import TRAINING
from stnscope.backend.experiment.sweeps.curves import (
    CURVES,
    Band,
    IntervalMeans,
    band,
    steps_per_interval,
)
from stnscope.backend.experiment.sweeps.sweep_config import (
    DISTORTION,
    SweepConfig,
    SweepRun,
    Values,
    expand,
)
from stnscope.backend.experiment.sweeps.table import MemberSummary, combinations
from stnscope.backend.server.runs import Run, Runs, complete

log = logging.getLogger(__name__)

SWEEPS = "sweeps"
"""The name of the folder of sweeps, beside that of recordings."""
SUFFIX = ".json"
MAX_BYTES = 10_000_000
"""A larger file is not a sweep: one of the most runs has a hundredth of it, but for long values."""
SETTLED_SECONDS = 2.0
"""A folder that was changed so long ago is changed again with another time."""


class SweepMember(BaseModel):
    """A run of a sweep, as the sweep's file has it."""

    id: str
    values: Values
    seed: int


class Sweep(BaseModel):
    """A sweep, as its file has it."""

    model_config = ConfigDict(frozen=True)

    id: str
    created: float = Field(ge=0, le=MAX_TIME)
    config: SweepConfig
    runs: list[SweepMember]

    @property
    def fields(self) -> list[str]:
        """The paths of the fields in which its runs differ, in the order of the configuration."""
        return list(dict.fromkeys(field for run in self.runs for field in run.values))


@dataclass(frozen=True)
class PlannedRun:
    """A run that is to be created, with the data set of its configuration."""

    run: SweepRun
    config: RunConfig
    dataset: DatasetEntry


class Sweeps:
    """The sweeps of a home.

    Args:
        runs: the runs of the home.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.folder = runs.folder.parent / SWEEPS
        self._known: dict[str, Sweep] = {}
        """Sweeps by id, the newest first, as the folder was at `_known_at`."""
        self._run_ids: frozenset[str] = frozenset()
        self._known_at = 0
        self._means: dict[str, tuple[Run, IntervalMeans]] = {}
        """Curve and summary of each run when it was read."""

    def list(self) -> list[Sweep]:
        """Return all sweeps, the newest first; one whose file is damaged is left out."""
        self._refresh()
        return list(self._known.values())

    def get(self, sweep_id: str) -> Sweep:
        """Return a sweep.

        Raises:
            NotFound: there is no such sweep.
        """
        self._refresh()
        if sweep_id not in self._known:
            raise NotFound(f"There is no sweep {sweep_id!r}.")
        return self._known[sweep_id]

    def run_ids(self) -> Collection[str]:
        """Return the ids of the runs of all sweeps."""
        self._refresh()
        return self._run_ids

    def find(self, config: SweepConfig) -> Sweep | None:
        """Return the newest sweep of a configuration; None if there is none.

        A sweep whose file has other runs, because of damage or another version, does not match.
        """
        runs = [(run.values, run.seed) for run in expand(config)]
        for sweep in self.list():
            if sweep.config == config and [(run.values, run.seed) for run in sweep.runs] == runs:
                return sweep
        return None

    def plan(self, config: SweepConfig) -> builtins.list[PlannedRun]:
        """Return the runs of a configuration, with the defaults of their data sets.

        Raises:
            InvalidInput: a field or value does not exist or does not fit the others, there are too
                many runs, or a data set is not available; names the location in the sweep.
        """
        datasets: dict[str, DatasetEntry] = {}
        planned = []
        titles: dict[str, str] = {}
        for run in expand(config):
            # Its names are checked first, of a data set too.
            dataset_name = run.config().dataset
            with run.naming_location():
                if dataset_name not in datasets:
                    inspect = availability.inspect_dataset
                    datasets[dataset_name] = inspect(dataset_name, self.runs.data)
                dataset = datasets[dataset_name]
                named = _name_distortion(run, dataset)
                config_of_run = complete(named.config(), dataset)
                # Such as 1 and 1.0, or a distortion by name and as a table.
                text = config_of_run.model_dump_json()
                if text in titles:
                    raise InvalidInput(
                        f"It has the configuration of another one: {titles[text]}.",
                        next(iter(run.values), None),
                    )
                titles[text] = run.title
                planned.append(PlannedRun(named, config_of_run, dataset))
        return planned

    def create(self, config: SweepConfig, planned: Sequence[PlannedRun]) -> Sweep:
        """Create a sweep and its queued runs.

        Args:
            config: the sweep's.
            planned: what `plan` returned for it.

        Raises:
            InsufficientStorage: there is no disk space for more recordings.
            Conflict, AccessDenied: the folder of sweeps or recordings cannot be written.
        """
        self.runs.check_disk_space()
        sweep_id = new_run_id()
        members = [
            SweepMember(
                id=sweep_run_id(sweep_id, number), values=each.run.values, seed=each.run.seed
            )
            for number, each in enumerate(planned, 1)
        ]
        sweep = Sweep(id=sweep_id, created=time.time(), config=config, runs=members)
        self._write(sweep)
        try:
            self.create_missing(sweep, planned)
        except BaseException:
            self.delete(sweep)
            raise
        return sweep

    def create_missing(self, sweep: Sweep, planned: Sequence[PlannedRun]) -> None:
        """Create those runs of a sweep that there are not: never created, or deleted.

        Raises:
            InsufficientStorage, Conflict, AccessDenied: as for `create`.
        """
        existing = set(self.runs.ids())
        pairs = zip(sweep.runs, planned, strict=True)
        # Every combination has a figure as soon as its first seed is trained.
        by_seed = sorted(pairs, key=lambda pair: sweep.config.seeds.index(pair[0].seed))
        for member, each in by_seed:
            if member.id not in existing:
                create(
                    self.runs.new_path(member.id),
                    config=each.config,
                    steps_per_epoch=steps_per_epoch(each.config, each.dataset),
                    name=each.run.name,
                )

    def delete(self, sweep: Sweep) -> None:
        """Delete a sweep with all its runs.

        Raises:
            Conflict: one of them is being trained.
        """
        check_not_trained(sweep, runs := self.summaries(sweep))
        for run in reversed(runs):
            with suppress(NotFound):  # deleted meanwhile
                self.runs.delete(run["id"])
        self.remove_file(sweep)

    def remove_file(self, sweep: Sweep) -> None:
        """Delete the file of a sweep; its runs stay."""
        with translating_os_errors(self.folder):
            (self.folder / f"{sweep.id}{SUFFIX}").unlink(missing_ok=True)
        self._known_at = 0

    def summaries(self, sweep: Sweep) -> builtins.list[Run]:
        """Return the summaries of those runs of a sweep that there are, in the order of training.

        Raises:
            AccessDenied: this user may not list the folder.
        """
        runs = self.runs.summaries(run.id for run in sweep.runs).values()
        return sorted(runs, key=lambda run: (run["created"], run["id"]))

    def members(self, sweep: Sweep) -> builtins.list[MemberSummary]:
        """Return those runs of a sweep that there are, in the order of the configuration.

        Raises:
            AccessDenied: this user may not list the folder.
        """
        summaries = self.runs.summaries(run.id for run in sweep.runs)
        return [
            MemberSummary(run.values, run.seed, summaries[run.id])
            for run in sweep.runs
            if run.id in summaries
        ]

    def curves(self, members: Iterable[MemberSummary]) -> builtins.list[dict[str, Band]]:
        """Return the curves of each combination of a sweep's runs, by name."""
        curves = []
        for combination in combinations(members):
            courses = [self._interval_means(run.summary) for run in combination.runs]
            known = [means for means in courses if means is not None]
            curves.append({name: band(known, name) for name in CURVES})
        return curves

    def _interval_means(self, run: Mapping[str, Any]) -> IntervalMeans | None:
        """Return the means of a run, read again only if its summary has changed."""
        run_id, steps = run["id"], run["steps"]
        if not steps or not run["step"]:  # of one that cannot be read, or has not begun
            return None
        known = self._means.get(run_id)
        if known and known[0] == run:
            return known[1]
        span = steps_per_interval(steps)
        try:
            with self.runs.open(run_id) as recording:
                columns = recording.mean_metrics(CURVES, span)
        except (NotFound, InvalidInput):  # deleted, damaged or locked meanwhile
            return None
        means = IntervalMeans(run["steps_per_epoch"], columns, span)
        self._means[run_id] = (dict(run), means)
        return means

    def _write(self, sweep: Sweep) -> None:
        path = self.folder / f"{sweep.id}{SUFFIX}"
        draft = path.with_suffix(".new")
        with translating_os_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
            draft.write_text(sweep.model_dump_json(indent=1))
            draft.rename(path)
        self._known_at = 0

    def _refresh(self) -> None:
        """Read the files again if the folder has changed."""
        try:
            changed_at = os.stat(self.folder).st_mtime_ns
        except OSError:
            self._known, self._run_ids, self._known_at = {}, frozenset(), 0
            return
        if changed_at == self._known_at:
            return
        known = dict(sorted(self._read_all(), key=lambda item: item[1].created, reverse=True))
        self._run_ids = frozenset(run.id for sweep in known.values() for run in sweep.runs)
        self._known = known
        # Two changes in a row may have the same time: one that is recent is not relied on.
        is_settled = time.time() - changed_at / 1e9 > SETTLED_SECONDS
        self._known_at = changed_at if is_settled else 0

    def _read_all(self) -> Iterable[tuple[str, Sweep]]:
        """Yield all sweeps by id; those that are known already are not read again."""
        with translating_os_errors(self.folder):
            names = os.listdir(self.folder)
        for name in names:
            sweep_id = name.removesuffix(SUFFIX)
            if sweep_id in self._known:
                yield sweep_id, self._known[sweep_id]
            elif name.endswith(SUFFIX):
                try:
                    yield sweep_id, _read(self.folder / name, sweep_id)
                except (OSError, InvalidInput, ValidationError) as error:
                    log.warning("The sweep %s cannot be read. %s", display_name(name), error)


def _read(path: Path, sweep_id: str) -> Sweep:
    """Read the file of a sweep.

    Raises:
        OSError, ValidationError: it cannot be read, or is not a sweep.
        InvalidInput: it is not a file, is too large, or has the runs of another sweep, which would
        be
            deleted with it.
    """
    if not path.is_file():
        raise InvalidInput("It is not a file.")  # a pipe would be waited for
    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput("It is too large.")
    sweep = Sweep.model_validate_json(path.read_bytes())
    if any(sweep_of(run.id) != sweep_id for run in sweep.runs):
        raise InvalidInput("It has runs of another sweep.")
    return sweep.model_copy(update={"id": sweep_id})


def check_not_trained(sweep: Sweep, runs: Iterable[Run]) -> None:
    """Check that no run of a sweep is being trained.

    Raises:
        Conflict: one is.
    """
    count = sum(run["status"] in TRAINING for run in runs)
    if count:
        raise Conflict(
            f"{count} of the runs of sweep {sweep.config.name!r} {'is' if count == 1 else 'are'} "
            "being trained; stop it first."
        )


def _name_distortion(run: SweepRun, dataset: DatasetEntry) -> SweepRun:
    """Return a run whose distortion has the data set's name if it has only a strength."""
    distortion = run.fields.get(DISTORTION)
    if not isinstance(distortion, dict) or "name" in distortion:
        return run
    named = {"name": dataset.distortion, **distortion}
    return replace(run, fields={**run.fields, DISTORTION: named})
