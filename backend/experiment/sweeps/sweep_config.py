"""A sweep: runs that differ in some fields of their configuration, and in their seeds.

    name    of the sweep
    table   a published table, or one of its rows: each row is trained with its own recipe
    run     fields that all runs share, as a run's configuration has them
    product fields with a list of values each: every combination is trained
    zip     tables of fields whose lists go together: first with first, second with second
    seeds   how many, from 0 on, or a list of them: each combination is trained with each

A nested field is a path, `probes.count`, or a table within the table. A list is always one of
values: no field of a run's configuration is a list.
"""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from stnscope.backend.experiment.config import FrozenModel, Name, RunConfig
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.limits import MAX_NAME_LENGTH, MAX_SEED, MAX_SWEEP_RUNS
from stnscope.backend.experiment.recording.run_name import RunName
from stnscope.backend.experiment.reproduction.row_groups import GROUPS, Recipe, find_recipes

SEED_FIELD = "seed"
DISTORTION = "distortion"
ROW_FIELD = "row"
"""What distinguishes the runs of a published table; no field of a configuration."""
MAX_DEPTH = 16
"""Levels of tables and lists at most; a run's configuration has three."""
Values = dict[str, Any]
"""What distinguishes some runs of a sweep: values by the paths of their fields."""


def _parse_seeds(value: Any) -> Any:
    """Convert a number of seeds to a list of them, from 0 on."""
    if type(value) is int and 1 <= value <= MAX_SWEEP_RUNS:
        return list(range(value))
    if isinstance(value, list) and value:
        return value
    expected = {"expected": f"a number of seeds from 1 to {MAX_SWEEP_RUNS}, or a list of seeds"}
    raise PydanticCustomError("literal_error", "Input should be {expected}", expected)


class SweepConfig(FrozenModel):
    """What the runs of a sweep share, and in what they differ."""

    name: RunName = Field(description="Name of the sweep.")
    table: Name | None = Field(
        default=None,
        description="Name of a published table, or of one of its rows: each row is trained with "
        "its own recipe, and runs differ in their `row`.",
    )
    run: dict[str, Any] = Field(
        default={}, description="Fields that all runs share, as a run's configuration has them."
    )
    product: dict[str, Any] = Field(
        default={},
        description="Fields with a list of values each; every combination is trained. A nested "
        "field is a path, such as probes.count.",
    )
    zip: list[dict[str, Any]] = Field(
        default=[],
        description="Tables of fields whose lists of values go together, one with one.",
    )
    seeds: Annotated[
        list[Annotated[int, Field(ge=0, le=MAX_SEED)]],
        BeforeValidator(_parse_seeds, json_schema_input_type=int | list[int]),
    ] = Field(default=[0], description="How many seeds, from 0 on, or a list of them.")


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep.

    Attributes:
        values: what distinguishes its combination from others, by the paths of the fields.
        seed: of its training.
        fields: its configuration, as `POST /api/runs` takes it.
        locations: where in the sweep each field is set, by its path: `product.family`.
    """

    values: Values
    seed: int
    fields: Mapping[str, Any]
    locations: Mapping[str, str]

    @property
    def title(self) -> str:
        """Its values and its seed in short, such as `affine, learning rate 0.01, seed 2`."""
        parts = [format_value(field, value) for field, value in self.values.items()]
        return ", ".join([*parts, f"seed {self.seed}"])

    @property
    def name(self) -> str:
        """Its title, as long as the name of a run may be."""
        title = self.title
        return title if len(title) <= MAX_NAME_LENGTH else f"{title[: MAX_NAME_LENGTH - 1]}…"

    def config(self) -> RunConfig:
        """Return its configuration.

        Raises:
            InvalidInput: a value is none, or there is no such field; its `field` is the location in
                the sweep.
        """
        try:
            return RunConfig.model_validate(self.fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            detail = format_error(first, first["loc"], RunConfig)
            raise InvalidInput(detail, self._location(".".join(map(str, first["loc"])))) from None

    @contextmanager
    def naming_location(self) -> Iterator[None]:
        """Let errors of its configuration name the run, and the location in the sweep.

        Raises:
            InvalidInput: the body does; its `field` is the location in the sweep.
        """
        try:
            yield
        except InvalidInput as error:
            field = error.field and self._location(error.field)
            raise InvalidInput(f"{error} (Run: {self.title}.)", field) from error

    def _location(self, path: str) -> str:
        """Return where in the sweep a field is set, or a field of it."""
        for set_path, location in self.locations.items():
            if f"{set_path}.".startswith(f"{path}.") or f"{path}.".startswith(f"{set_path}."):
                return location
        return f"run.{path}"


@dataclass(frozen=True)
class _Axis:
    """Fields that change together: one, or those of a table of `zip`."""

    fields: tuple[str, ...]
    location: str
    """Location in the sweep."""
    steps: tuple[tuple[Any, ...], ...]
    """A value for each field."""


def published_sweep(
    table: str, seeds: int | None = None, threads: int | None = None, device: str | None = None
) -> SweepConfig:
    """Return the sweep of a published table, of one of its rows, or of a committee.

    Args:
        table: its name.
        seeds: how many, from 0 on; None for as many as are usual.
        threads, device: what each run is trained on; None for the defaults.

    Raises:
        InvalidInput: there is no such table, or a value is not accepted.
    """
    recipe = find_recipes(table)[0]
    group = GROUPS.get(table)
    machine = {"threads": threads, "device": device}
    fields = {
        "name": group.title if group else recipe.title,
        "table": table,
        "run": {name: value for name, value in machine.items() if value is not None},
        "seeds": seeds or (group.seeds if group else 1),
    }
    try:
        return SweepConfig.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidInput(format_error(first, first["loc"], SweepConfig)) from None


def expand(sweep: SweepConfig) -> list[SweepRun]:
    """Return the runs of a sweep: combinations in the order of their fields, seeds innermost.

    Raises:
        InvalidInput: a field is set twice or has no list of values, lists that go together differ
            in length, tables are nested too deeply, there is no such published table, or there are
            too many runs; `field` names the location in the sweep.
    """
    for location, values in (("run", sweep.run), ("product", sweep.product), ("zip", sweep.zip)):
        _check_depth(values, location)
    recipes = {each.name: dict(_leaves(each.config)) for each in _recipes(sweep)}
    table = [_Axis((ROW_FIELD,), "table", tuple((name,) for name in recipes))] if recipes else []
    axes = [*table, *_product_axes(sweep.product), *map(_zip_axis, itertools.count(), sweep.zip)]
    if len(set(sweep.seeds)) < len(sweep.seeds):
        raise InvalidInput("seeds has a seed twice.", "seeds")
    _check_count(axes, len(sweep.seeds))
    shared = dict(_leaves(sweep.run))
    locations = {path: f"run.{path}" for path in shared}
    of_table = dict.fromkeys(itertools.chain(*recipes.values()), "table")
    for axis in axes:
        for field in axis.fields:
            location = (
                f"{axis.location}.{field}" if axis.location.startswith("zip.") else axis.location
            )
            if field in locations:
                raise InvalidInput(
                    f"{field} is set twice: {locations[field]} and {location}.", location
                )
            locations[field] = location
    for path, location in locations.items():
        if any(f"{field}.".startswith(f"{path}.") for field in of_table):
            raise InvalidInput(
                f"{path} is set by {location}, but is part of the recipes of the published table.",
                location,
            )
        if path == SEED_FIELD:
            raise InvalidInput("Seeds are set by seeds: a number of them, or a list.", location)
    runs = []
    for steps in itertools.product(*(axis.steps for axis in axes)):
        values = {
            field: value
            for axis, step in zip(axes, steps, strict=True)
            for field, value in zip(axis.fields, step, strict=True)
        }
        recipe = recipes.get(values.get(ROW_FIELD, ""), {})
        own = {path: value for path, value in values.items() if not (recipes and path == ROW_FIELD)}
        fields = _nest({**shared, **recipe, **own}, {**locations, **of_table})
        runs += [
            SweepRun(
                values,
                seed,
                {**fields, SEED_FIELD: seed},
                {**of_table, **locations, SEED_FIELD: "seeds"},
            )
            for seed in sweep.seeds
        ]
    return runs


def format_value(field: str, value: Any) -> str:
    """Return a value of a field in short: `affine`, `learning rate 0.01`, `E 0.5`."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return " ".join(format_value("", each) for each in value.values())
    words = field.rpartition(".")[2].replace("_", " ")
    return f"{words} {json.dumps(value)}".strip()


def _recipes(sweep: SweepConfig) -> Sequence[Recipe]:
    return () if sweep.table is None else find_recipes(sweep.table)


def _product_axes(product: Mapping[str, Any]) -> Iterator[_Axis]:
    for field, values in _leaves(product):
        location = f"product.{field}"
        yield _Axis(
            (field,), location, tuple((value,) for value in _check_values(values, location))
        )


def _zip_axis(index: int, table: Mapping[str, Any]) -> _Axis:
    location = f"zip.{index}"
    columns = {
        field: _check_values(values, f"{location}.{field}") for field, values in _leaves(table)
    }
    if not columns:
        raise InvalidInput(f"{location} has no fields.", location)
    lengths = {field: len(values) for field, values in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{field} has {count}" for field, count in lengths.items())
        raise InvalidInput(f"Lists of zip go together, value by value, but {counts}.", location)
    return _Axis(tuple(columns), location, tuple(zip(*columns.values(), strict=True)))


def _check_values(values: Any, location: str) -> list[Any]:
    """Return the values of a field; in a table of `zip` a value may be there twice.

    Raises:
        InvalidInput: they are not a list, or an empty one, or a list of `product` has one twice.
    """
    if not isinstance(values, list) or not values:
        raise InvalidInput(
            f"{location} must be a list of values; set a value that all runs share in run.",
            location,
        )
    if location.startswith("product."):
        known = set[str]()
        for value in values:
            text = json.dumps(value, sort_keys=True, default=str)
            if text in known:
                raise InvalidInput(f"{location} has the value {text:.40} twice.", location)
            known.add(text)
    return values


def _check_depth(values: Any, location: str) -> None:
    level = [values]
    for _ in range(MAX_DEPTH):
        inner = [list(each.values()) if isinstance(each, Mapping) else each for each in level]
        level = [each for items in inner if isinstance(items, list) for each in items]
    if level:
        raise InvalidInput(f"{location} is nested too deeply.", location)


def _check_count(axes: Sequence[_Axis], seeds: int) -> None:
    lengths = {axis.location: len(axis.steps) for axis in axes} | {"seeds": seeds}
    count = math.prod(lengths.values())
    if count > MAX_SWEEP_RUNS:
        counts = " x ".join(f"{length} of {location}" for location, length in lengths.items())
        raise InvalidInput(
            f"This sweep has {count:,} runs, {counts}; at most {MAX_SWEEP_RUNS} are accepted.",
            max(lengths, key=lambda location: lengths[location]),
        )


def _leaves(values: Mapping[str, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    """Return the paths and values of nested tables."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{parent}{name}.")
        else:
            yield f"{parent}{name}", value


def _nest(values: Mapping[str, Any], locations: Mapping[str, str]) -> dict[str, Any]:
    """Return nested tables of values by path.

    Raises:
        InvalidInput: a field is set, and also a field of it.
    """
    nested: dict[str, Any] = {}
    for path in sorted(values, key=lambda path: path.count(".")):
        value = values[path]
        *parents, name = path.split(".")
        table = nested
        for parent in parents:
            inner = table.setdefault(parent, {})
            if parent == DISTORTION and isinstance(inner, str):
                inner = table[parent] = {"name": inner}
            if not isinstance(inner, dict):
                raise InvalidInput(f"{path} is set, and {parent} as a whole too.", locations[path])
            table = inner
        if name in table:
            raise InvalidInput(f"{path} is set twice.", locations[path])
        table[name] = dict(value) if isinstance(value, Mapping) else value
    return nested
