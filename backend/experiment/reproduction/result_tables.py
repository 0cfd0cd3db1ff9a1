"""The tables of results: each published figure, and ours beside it. Without torch.

A figure of ours comes from a result file, either one that is kept with the program or one of the
user's home. The page and docs/results.md show these tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stnscope.backend.experiment.catalog.distortions import UNDISTORTED
from stnscope.backend.experiment.reproduction.invariance_tables import (
    InvarianceTable,
    build_invariance_tables,
)
from stnscope.backend.experiment.reproduction.paper_tables import (
    ROWS,
    TABLES,
    PaperTable,
    Row,
)
from stnscope.backend.experiment.reproduction.results import (
    KEPT,
    EvaluationResult,
    Origin,
    Results,
    RowResult,
    SeedResult,
    read_results,
    without_seed,
)
from stnscope.backend.experiment.reproduction.sign_networks import NETWORKS, PublishedNetwork
from stnscope.models.catalog import ARCHITECTURES

SIGN_TABLE = "gtsrb"
"""Table and data set whose results are listed with the published sign networks."""
OTHER_RECIPE = "by another recipe than the present one"


@dataclass(frozen=True)
class RowFigure:
    """Our figure of a row, from one result file."""

    origin: Origin
    file: str
    """Name of the result file."""
    value: float
    """Value in percent, in the table's measure; the mean over the seeds."""
    spread: float | None
    """Standard deviation over the seeds, in percent; None for one."""
    seeds: int
    complete: bool
    """Whether all seeds were trained to their end."""
    notes: tuple[str, ...]
    """A note about it, such as `cut short after 12 of 40 epochs`."""
    command: str
    """The command that makes the file again, but for the folder of the data."""
    result: RowResult
    """All that the file holds."""


@dataclass(frozen=True)
class TableRow:
    """A row of a published table, with our figures of it."""

    name: str
    network: str
    data: str
    published: str
    """The figure or figures, in percent, as they are printed."""
    command: str
    """The command that makes a result file of it."""
    figures: tuple[RowFigure, ...]


@dataclass(frozen=True)
class ResultTable:
    """A published table, with our figures beside its own."""

    name: str
    title: str
    source: str
    measure: Literal["error", "accuracy"]
    recipe: str
    columns: tuple[str, ...]
    """What is in the columns where a network has a figure for each; else empty."""
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class EvaluationFigure:
    """The accuracy of trained weights, from one result file."""

    origin: Origin
    file: str
    title: str
    """Title of the network."""
    value: float
    """Value in percent."""
    result: EvaluationResult


@dataclass(frozen=True)
class SignNetwork:
    """A network of ours, as a row of the table of published sign networks."""

    name: str
    """Name of the row or of the weights."""
    title: str
    """Title of the network."""
    origin: Origin
    file: str
    """Name of the result file that the figures are from."""
    complete: bool
    """Whether all seeds were trained to their end."""
    command: str
    """The command that makes the file again, but for the folder of the data."""
    result: RowResult | EvaluationResult
    """All that the file holds."""
    networks: int
    """Number of networks that are evaluated for a prediction."""
    augmentation: bool
    """Whether the training images were distorted, or multiplied in another way."""
    parameters: int
    multiply_adds: int
    value: float
    """Accuracy in percent, on held-out images."""
    spread: float | None
    seeds: int
    images: int
    kind: str
    """Kind of images, such as `images of held-out tracks`."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SignTable:
    """Networks that were published for the test set of the GTSRB, and ours on held-out images."""

    title: str
    source: str
    recipe: str
    published: tuple[PublishedNetwork, ...]
    ours: tuple[SignNetwork, ...]


@dataclass(frozen=True)
class UnreadableFile:
    """A result file that is not shown."""

    origin: Origin
    name: str
    reason: str


@dataclass(frozen=True)
class ResultTables:
    """All that result files hold, beside what was published."""

    signs: SignTable
    tables: tuple[ResultTable, ...]
    evaluations: tuple[EvaluationFigure, ...]
    invariances: tuple[InvarianceTable, ...]
    unreadable: tuple[UnreadableFile, ...]


def build_tables(home: Path | None = None, kept: Path = KEPT) -> ResultTables:
    """Build the tables from the kept result files and those of a home.

    Args:
        home: the home's folder of result files, which need not exist; None for the kept ones alone.
        kept: the folder of those that are kept with the program.
    """
    folders: tuple[tuple[Origin, Results], ...] = (("stnscope", read_results(kept)),)
    if home is not None:
        folders += (("home", read_results(home)),)
    figures = {name: tuple(_row_figures(name, folders)) for name in ROWS}
    evaluations = tuple(
        EvaluationFigure(
            origin,
            f"{file}.json",
            _title(result.architecture),
            100 * result.accuracy,
            result,
        )
        for origin, results in folders
        for file, result in results.evaluations.items()
    )
    return ResultTables(
        signs=_build_sign_table(figures, evaluations),
        tables=tuple(
            _build_table(table, figures) for table in TABLES.values() if table.name != SIGN_TABLE
        ),
        evaluations=evaluations,
        invariances=tuple(
            build_invariance_tables(
                (origin, file, result)
                for origin, results in folders
                for file, result in results.invariances.items()
            )
        ),
        unreadable=tuple(
            UnreadableFile(origin, file.name, file.reason)
            for origin, results in folders
            for file in results.unreadable
        ),
    )


def _title(architecture: str) -> str:
    """Return a network's title; its name, for one that is not known here."""
    known = ARCHITECTURES.get(architecture)
    return known.title if known else architecture


def _row_figures(name: str, folders: tuple[tuple[Origin, Results], ...]) -> Iterator[RowFigure]:
    row = ROWS[name]
    for origin, results in folders:
        if result := results.rows.get(name):
            yield _figure(row, origin, result)


def _figure(row: Row, origin: Origin, result: RowResult) -> RowFigure:
    is_error = TABLES[row.table].measure == "error"
    return RowFigure(
        origin=origin,
        file=f"{result.row}.json",
        value=100 * (result.error if is_error else 1 - result.error),
        spread=None if result.spread is None else 100 * result.spread,
        seeds=len(result.runs),
        complete=result.complete,
        notes=tuple(_notes(row, result)),
        command=_command(row.name, tuple(run.seed for run in result.runs)),
        result=result,
    )


def _notes(row: Row, result: RowResult) -> Iterator[str]:
    for run in result.runs:
        if not run.complete:
            seed = f"seed {run.seed} " if len(result.runs) > 1 else ""
            yield f"{seed}cut short after {run.complete_epochs} of {run.config.epochs} epochs"
    if any(_has_other_recipe(row, run) for run in result.runs):
        yield OTHER_RECIPE


def _has_other_recipe(row: Row, run: SeedResult) -> bool:
    return without_seed(run.config) != without_seed(row.config)


def _command(name: str, seeds: tuple[int, ...] = (0,)) -> str:
    """Return the command that trains a row with some seeds."""
    command = f"stnscope reproduce {name}"
    if seeds == (0,):
        return command
    if seeds == tuple(range(len(seeds))):
        return f"{command} --seeds {len(seeds)}"
    return "; ".join(f"{command} --seed {seed}" for seed in seeds)


def _build_table(table: PaperTable, figures: dict[str, tuple[RowFigure, ...]]) -> ResultTable:
    rows = tuple(
        TableRow(
            name=row.name,
            network=row.network,
            data=row.data,
            published=row.published,
            command=_command(row.name),
            figures=figures[row.name],
        )
        for row in ROWS.values()
        if row.table == table.name
    )
    has_columns = len({row.network for row in rows}) < len(rows)
    return ResultTable(
        name=table.name,
        title=table.title,
        source=table.source,
        measure=table.measure,
        recipe=table.recipe,
        columns=tuple(dict.fromkeys(row.data for row in rows)) if has_columns else (),
        rows=rows,
    )


def _build_sign_table(
    figures: dict[str, tuple[RowFigure, ...]], evaluations: tuple[EvaluationFigure, ...]
) -> SignTable:
    table = TABLES[SIGN_TABLE]
    ours = tuple(_sign_networks(figures, evaluations))
    return SignTable(table.title, table.source, table.recipe, NETWORKS, ours)


def _sign_networks(
    figures: dict[str, tuple[RowFigure, ...]], evaluations: tuple[EvaluationFigure, ...]
) -> Iterator[SignNetwork]:
    for figure in (f for name in ROWS if ROWS[name].table == SIGN_TABLE for f in figures[name]):
        first = figure.result.runs[0]
        yield SignNetwork(
            name=figure.result.row,
            title=_title(first.config.architecture),
            origin=figure.origin,
            file=figure.file,
            complete=figure.complete,
            command=figure.command,
            result=figure.result,
            networks=1,
            augmentation=first.config.distortion.name != UNDISTORTED,
            parameters=first.parameters,
            multiply_adds=first.multiply_adds,
            value=figure.value,
            spread=figure.spread,
            seeds=figure.seeds,
            images=first.labels,
            kind="images of held-out tracks",
            notes=figure.notes,
        )
    for evaluation in evaluations:
        result = evaluation.result
        if (result.dataset, result.distortion) == (SIGN_TABLE, UNDISTORTED):
            yield SignNetwork(
                name=result.weights,
                title=evaluation.title,
                origin=evaluation.origin,
                file=evaluation.file,
                complete=True,
                command=result.command,
                result=result,
                networks=1,
                augmentation=result.training.distortion != UNDISTORTED,
                parameters=result.parameters,
                multiply_adds=result.multiply_adds,
                value=evaluation.value,
                spread=None,
                seeds=1,
                images=result.images,
                kind=result.kind,
                notes=(result.note,) if result.note else (),
            )
