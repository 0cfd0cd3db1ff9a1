"""What can be trained as one sweep: the rows of published tables, and IDSIA's committee.

Without torch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stnscope.backend.experiment.catalog.distortions import DISTORTIONS, PREPROCESSINGS
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, TABLES, Row
from stnscope.backend.experiment.reproduction.sign_networks import IDSIA

NOT_IN_RECIPE = frozenset({"seed", "device", "threads", "probes"})
"""Fields of a configuration in which trainings of a recipe may differ."""


@dataclass(frozen=True)
class Recipe:
    """What a row is trained with."""

    name: str
    """Name of the row."""
    title: str
    config: Mapping[str, Any]
    """Fields as a run's configuration has them, without `NOT_IN_RECIPE`."""


@dataclass(frozen=True)
class RowGroup:
    """Rows that are trained together."""

    name: str
    title: str
    source: str
    seeds: int
    """How many each row is usually trained with."""
    rows: tuple[Recipe, ...]


def recipe_of(config: RunConfig) -> dict[str, Any]:
    """Return the fields of a configuration that are those of its recipe."""
    return config.model_dump(exclude=set(NOT_IN_RECIPE))


def find_recipes(name: str) -> tuple[Recipe, ...]:
    """Return the recipes of a group of rows, or of one row, by name.

    Raises:
        InvalidInput: there is no such group or row; `field` is `table`.
    """
    if name in GROUPS:
        return GROUPS[name].rows
    for group in GROUPS.values():
        for recipe in group.rows:
            if recipe.name == name:
                return (recipe,)
    raise InvalidInput(
        f"There is no published table or row {name!r}; the tables are {', '.join(GROUPS)}, and "
        "`stnscope reproduce --list` lists the rows.",
        "table",
    )


def _recipe(row: Row) -> Recipe:
    return Recipe(row.name, f"{row.network}; {row.data}", recipe_of(row.config))


def _table_groups() -> Iterator[RowGroup]:
    for table in TABLES.values():
        rows = [row for row in ROWS.values() if row.table == table.name]
        yield RowGroup(table.name, table.title, table.source, 1, tuple(map(_recipe, rows)))
        if table.name != "mnist":
            continue
        for distortion in dict.fromkeys(row.data for row in rows):
            yield RowGroup(
                f"mnist-{distortion.lower()}",
                f"{table.title}, {distortion}",
                table.source,
                1,
                tuple(_recipe(row) for row in rows if row.data == distortion),
            )


def _committee() -> RowGroup:
    """Return IDSIA's committee: five preprocessings, each with five seeds, on photos of signs."""
    distortions = ("RTS", *(f"RTS+{name}" for name in DISTORTIONS if name in PREPROCESSINGS))
    return RowGroup(
        "idsia-committee",
        "IDSIA's committee of 25 networks",
        IDSIA,
        5,
        tuple(
            Recipe(
                f"idsia-{distortion.lower().replace('+', '-')}",
                f"IDSIA's network; {distortion}",
                {
                    "architecture": "idsia",
                    "dataset": "gtsrb-regions",
                    "distortion": {"name": distortion},
                },
            )
            for distortion in distortions
        ),
    )


GROUPS: Mapping[str, RowGroup] = {
    group.name: group for group in (*_table_groups(), _committee()) if group.rows
}
"""All groups by name."""
