"""Curves of accuracy over variations, one table for each data set, with a summary in words.

Without torch.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stnscope.backend.experiment.catalog.distortions import DISTORTIONS, UNDISTORTED
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.reproduction.invariance_curve import (
    InvarianceCurve,
    InvariancePoint,
)
from stnscope.backend.experiment.reproduction.results import InvarianceResult, Origin
from stnscope.models.catalog import ARCHITECTURES

TOLERATED = 0.05
"""What is lost at full strength, at most, of what counts as tolerated."""
SIGNIFICANT = 2.0
"""Standard errors from which a difference counts."""
NOUNS = {"T": "translation", "R": "rotation", "RTS": "all of RTS", "scene": "placement in a scene"}
MINUS = "\u2212"


@dataclass(frozen=True)
class VariationAxis:
    """A distortion whose strength is the x axis of a chart."""

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class InvarianceNetwork:
    """A network as a line of each chart, from one result file."""

    origin: Origin
    file: str
    """Name of the result file."""
    title: str
    """Title of the network, and of its training."""
    transformers: int
    result: InvarianceResult
    """All that the file holds but the pictures, which are sent apart."""


@dataclass(frozen=True)
class InvarianceTable:
    """Networks on one data set, each under each variation."""

    dataset: str
    title: str
    text: str
    sentences: tuple[str, ...]
    """What a network without and one with transformers tolerate; one for each distortion that such
    a pair was trained with."""
    variations: tuple[VariationAxis, ...]
    networks: tuple[InvarianceNetwork, ...]


def build_invariance_tables(
    files: Iterable[tuple[Origin, str, InvarianceResult]],
) -> Iterator[InvarianceTable]:
    """Yield a table for each data set.

    Args:
        files: where each file is, its name without suffix, and what it holds.
    """
    by_dataset: dict[str, list[InvarianceNetwork]] = {}
    for origin, file, result in files:
        by_dataset.setdefault(result.dataset, []).append(_network(origin, file, result))
    for dataset, networks in by_dataset.items():
        # Those without transformers first, and pairs of the same training together.
        networks.sort(key=lambda each: each.transformers > 0)
        trainings = list(dict.fromkeys(each.result.training.distortion for each in networks))
        # The training with more variation first.
        trainings.sort(key=lambda name: name == UNDISTORTED)
        networks.sort(key=lambda each: trainings.index(each.result.training.distortion))
        names = dict.fromkeys(curve.distortion for each in networks for curve in each.result.curves)
        yield InvarianceTable(
            dataset=dataset,
            title=_dataset_title(dataset),
            text=_describe(networks),
            sentences=tuple(_sentences(networks, trainings)),
            variations=tuple(map(_variation, names)),
            networks=tuple(networks),
        )


def find_curve(network: InvarianceNetwork, name: str) -> InvarianceCurve | None:
    """Return a network's curve under a variation, if it has one."""
    return next((c for c in network.result.curves if c.distortion == name), None)


def _network(origin: Origin, file: str, result: InvarianceResult) -> InvarianceNetwork:
    known = ARCHITECTURES.get(result.architecture)
    title = known.title if known else result.architecture
    pictures = result.pictures.model_copy(update={"content": ""})
    return InvarianceNetwork(
        origin=origin,
        file=f"{file}.json",
        title=f"{title}, trained on {result.training.distortion}",
        transformers=known.transformers if known else 0,
        result=result.model_copy(update={"pictures": pictures}),
    )


def _variation(name: str) -> VariationAxis:
    known = DISTORTIONS.get(name)
    return VariationAxis(name, known.title if known else name, known.description if known else "")


def _dataset_title(name: str) -> str:
    known = DATASETS.get(name)
    return known.title if known else name


def _describe(networks: Sequence[InvarianceNetwork]) -> str:
    first = networks[0].result
    times = "once" if first.draws == 1 else f"{first.draws} times"
    largest = max(p.standard_error for p in _points(networks))
    return (
        f"{first.images:,} {first.kind}, each distorted {times} at each strength, by one variation "
        "alone. What a network's training does not have it has never seen. Standard errors, over "
        f"images, are at most {100 * largest:.1f} points. Half of what can be lost is lost where "
        "the accuracy is half way down to that of a guess."
    )


def _points(networks: Iterable[InvarianceNetwork]) -> Iterator[InvariancePoint]:
    for network in networks:
        for curve in network.result.curves:
            yield from curve.points


def _sentences(networks: Sequence[InvarianceNetwork], trainings: Sequence[str]) -> Iterator[str]:
    for training in trainings:
        same = [each for each in networks if each.result.training.distortion == training]
        pooled = next((each for each in same if not each.transformers), None)
        transforming = next((each for each in same if each.transformers), None)
        if pooled and transforming:
            yield compare(pooled, transforming)


def compare(pooled: InvarianceNetwork, transforming: InvarianceNetwork) -> str:
    """Return in one sentence what pooling tolerates, and what the transformer does.

    Args:
        pooled: a network without transformers.
        transforming: one with them, from the same training.
    """
    pairs = [
        (curve, other)
        for curve in pooled.result.curves
        if (other := find_curve(transforming, curve.distortion))
    ]
    gains = {curve.distortion: curve.lost - other.lost for curve, other in pairs}
    clear = [
        (curve, other)
        for curve, other in sorted(pairs, key=lambda pair: -abs(gains[pair[0].distortion]))
        if abs(gains[curve.distortion]) > SIGNIFICANT * _difference_error(curve, other)
    ]
    tolerated = [_loss(curve) for curve, _ in pairs if curve.lost <= TOLERATED]
    halved = [f"{c.half_lost:.2f} of {_noun(c)}" for c, _ in pairs if c.half_lost is not None]
    more = [_losses(pair) for pair in clear if gains[pair[0].distortion] > 0]
    less = [_losses(pair) for pair in clear if gains[pair[0].distortion] < 0]
    limit = f"{100 * TOLERATED:.0f} points at full strength"
    pooling = [f"loses at most {limit} under {_list(tolerated)}"] if tolerated else []
    pooling += [f"half of what it can lose by {_list(halved)}"] if halved else []
    transforming_parts = [f"less under {_list(more)}"] if more else []
    transforming_parts += [f"more under {_list(less)}"] if less else []
    training = pooled.result.training.distortion
    return (
        f"Trained on {training}, the network without a transformer "
        f"{' and '.join(pooling) or f'loses more than {limit} under each variation'}; the one with "
        f"a transformer loses {' and '.join(transforming_parts) or 'neither more nor less'}."
        f"{_unequal_training(pooled, transforming)}"
    )


def _unequal_training(pooled: InvarianceNetwork, transforming: InvarianceNetwork) -> str:
    """Return a note if two networks were trained for unequal numbers of steps."""
    steps, others = (each.result.training.steps for each in (pooled, transforming))
    if steps == others or steps is None or others is None:
        return ""
    return f" They were trained for {steps:,} and {others:,} steps."


def _difference_error(curve: InvarianceCurve, other: InvarianceCurve) -> float:
    """Return the standard error of the difference between two losses."""
    return math.hypot(
        *(points[i].standard_error for points in (curve.points, other.points) for i in (0, -1))
    )


def _noun(curve: InvarianceCurve) -> str:
    name = curve.distortion
    title = _variation(name).title
    return NOUNS.get(name) or title[0].lower() + title[1:]


def _loss(curve: InvarianceCurve) -> str:
    return f"{_noun(curve)} ({_number(curve)})"


def _losses(pair: tuple[InvarianceCurve, InvarianceCurve]) -> str:
    return f"{_noun(pair[0])} ({_number(pair[1])} instead of {_number(pair[0])})"


def _number(curve: InvarianceCurve) -> str:
    return f"{100 * curve.lost:.1f}".replace("-", MINUS).replace(f"{MINUS}0.0", "0.0")


def _list(texts: Iterable[str]) -> str:
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last
