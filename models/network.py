"""What every network is: a classifier with transformers in it, each at a site of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stnscope.models import grid
from stnscope.models.receptive_field import Field, Pointwise
from stnscope.models.transformer import Sampler, SpatialTransformer, Warp

Thetas = Mapping[str, Tensor]
"""By the name of a transformer, (N, P) that takes the place of what it would choose itself."""


class Prediction(NamedTuple):
    """What a network says about a batch, and where its transformers looked to say it."""

    logits: Tensor
    """(N, K), or (N, T, K) where an image has a label for each of T places."""
    warps: tuple[Warp, ...]
    """One for each transformer, in the order in which they act; empty without any."""


@dataclass(frozen=True)
class Site:
    """Where in a network a transformer sits.

    Attributes:
        field: from the image that its input was made of to its input.
        before: the number of the transformer whose output that image is; None if it is the
            network's input.
        toning: the layers in between, where they change that image's tones alone; None where its
            input is a feature map.
        time_step: of a recurrent network, from 1; None in others.
    """

    field: Field
    before: int | None = None
    toning: tuple[Pointwise, ...] | None = ()
    time_step: int | None = None

    @property
    def plain(self) -> bool:
        """Whether its input is that image as it is, but for its tones."""
        return self.toning is not None

    def __str__(self) -> str:
        return "input" if self.plain else "{}x{} map".format(*self.field.size)


class Network(nn.Module):
    """A classifier whose transformers can be looked at.

    A subclass sets these and has a `forward`: images (N, C, H, W) in [0, 1], and `Thetas` if some
    are given -> `Prediction`. What lies behind a transformer goes on from what it is given.

    Attributes:
        transformers: in the order in which they act.
        sites: one for each.
        localisers: the modules that decide where to look; trained at a rate of their own.
    """

    transformers: Sequence[Sampler] = ()
    sites: Sequence[Site] = ()
    localisers: Sequence[nn.Module] = ()

    def localisation_parameters(self) -> Iterator[nn.Parameter]:
        """What decides where to look."""
        return chain.from_iterable(each.parameters() for each in self.localisers)

    def classifier_parameters(self) -> Iterator[nn.Parameter]:
        """Everything else."""
        localisation = {id(each) for each in self.localisation_parameters()}
        return (each for each in self.parameters() if id(each) not in localisation)

    def locate(self, number: int, warps: Sequence[Warp], points: Tensor) -> Tensor:
        """Where in the network's input points of a transformer's output lie.

        Through this transformer, the receptive fields' centres of the layers before it, the
        transformer before those, and so on.

        Args:
            number: of the transformer.
            warps: of one prediction.
            points: (M, 2), normalised.

        Returns:
            (N, M, 2), normalised.
        """
        before: int | None = number
        while before is not None:
            site = self.sites[before]
            height, width = site.field.size
            family = self.transformers[before].family
            points = family.warp(warps[before].theta, points, width / height)
            if not site.field.stands:
                points = site.field.in_source(points)
            before = site.before
        return points

    def closest(self, number: int, warps: Sequence[Warp], corners: Tensor) -> Tensor:
        """The theta with which a transformer's region comes closest to the corners, (N, P).

        Args:
            number: of the transformer.
            warps: of one prediction, at least those of the transformers before it.
            corners: (N, 4, 2), in the network's input, normalised, clockwise from the output's
                top left.
        """
        height, width = self.sites[number].field.size
        reached = self._reached(number, warps, corners.double())
        theta = self.transformers[number].family.closest(reached, width / height)
        return theta.to(corners.dtype)

    def _reached(self, number: int, warps: Sequence[Warp], points: Tensor) -> Tensor:
        """Where in a transformer's own input points (N, M, 2) of the network's input lie.

        The way of `locate` back as far as that, both normalised.
        """
        site = self.sites[number]
        if site.before is not None:
            height, width = self.sites[site.before].field.size
            points = self._reached(site.before, warps, points)
            family = self.transformers[site.before].family
            points = family.unwarp(warps[site.before].theta, points, width / height)
        return points if site.field.stands else site.field.in_map(points)

    def shown(self, images: Tensor, warps: Sequence[Warp]) -> list[Tensor | None]:
        """What each transformer hands on of images (N, C, H, W) of the network's input.

        None for one whose input is a feature map: what it hands on is no picture of these.
        """
        shown: list[Tensor | None] = []
        for transformer, site, warp in zip(self.transformers, self.sites, warps, strict=True):
            source = images if site.before is None else shown[site.before]
            seen = site.plain and source is not None
            shown.append(transformer.show(source, warp) if seen and source is not None else None)
        return shown

    def sample_with(
        self, *, outside: grid.Outside | None = None, samples: int | None = None
    ) -> None:
        """Changes how all its transformers sample; what is None stays as the network has it.

        Args:
            outside: what there is outside the network's input, in its tones. A transformer behind
                layers that change the tones finds there what they make of it. A feature map has
                no tones: outside it black is 0, and any other tone changes nothing.
            samples: along each side of an output pixel.
        """
        for number, transformer in enumerate(self.transformers):
            there = self._outside(number, outside)
            transformer.sample_with(outside=there, outside_shown=outside, samples=samples)

    def _outside(self, number: int, wanted: grid.Outside | None) -> grid.Outside | None:
        """The same outside a transformer's own input."""
        if wanted is None or isinstance(wanted, str):
            return wanted
        tone = self._tone(number, wanted)
        return 0.0 if tone is None and wanted == 0.0 else tone

    def _tone(self, number: int, tone: float) -> float | None:
        """What a tone of the network's input is where a transformer samples; None on a map."""
        site = self.sites[number]
        known = tone if site.before is None else self._tone(site.before, tone)
        if site.toning is None or known is None:
            return None
        return reduce(lambda value, layer: layer.of_even(value), site.toning, known)


class Parallel(nn.Module):
    """Transformers side by side on one input; their outputs are stacked as channels."""

    def __init__(self, *transformers: SpatialTransformer) -> None:
        super().__init__()
        self.transformers = nn.ModuleList(transformers)

    def __iter__(self) -> Iterator[SpatialTransformer]:
        for each in self.transformers:
            assert isinstance(each, SpatialTransformer)
            yield each

    def forward(self, images: Tensor, thetas: Thetas | None = None) -> list[Warp]:
        """Warps images (N, C, H, W) by each."""
        return [each(images, (thetas or {}).get(each.name)) for each in self]


class Chain(Network):
    """Layers and transformers, one after another.

    Args:
        size: height and width of the input in pixels.
        stages: layers, of whose output the next takes its input; among them transformers, or
            several in parallel.

    Raises:
        TypeError: a transformer sits behind a layer whose windows are not known.
        ValueError: a transformer sits behind several in parallel, so that there is not one image
            that its input was made of.
    """

    def __init__(self, size: tuple[int, int], *stages: nn.Module) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.transformers, self.sites = _survey(size, stages)
        self.localisers = self.transformers

    def forward(self, images: Tensor, thetas: Thetas | None = None) -> Prediction:
        """Classifies images (N, C, H, W) in [0, 1]."""
        warps: list[Warp] = []
        for stage in self.stages:
            if isinstance(stage, SpatialTransformer):
                warps.append(stage(images, (thetas or {}).get(stage.name)))
                images = warps[-1].output
            elif isinstance(stage, Parallel):
                run_until_first_completes = stage(images, thetas)
                warps += run_until_first_completes
                images = torch.cat([warp.output for warp in run_until_first_completes], dim=1)
            else:
                images = stage(images)
        return Prediction(images, tuple(warps))


def _survey(
    size: tuple[int, int], stages: Sequence[nn.Module]
) -> tuple[list[SpatialTransformer], list[Site]]:
    """The transformers among stages, and where each sits."""
    transformers: list[SpatialTransformer] = []
    sites: list[Site] = []
    between: list[nn.Module] = []
    last: nn.Module | None = None
    for stage in stages:
        if not isinstance(stage, SpatialTransformer | Parallel):
            between.append(stage)
            continue
        if isinstance(last, Parallel):
            raise ValueError("Behind transformers in parallel there is no one image to look at.")
        last = stage
        before = len(transformers) - 1 if transformers else None
        source = size if before is None else transformers[before].size
        toning = tuple(layer for layer in between if isinstance(layer, Pointwise))
        alone = len(toning) == len(between)
        site = Site(Field.of(source).through(between), before, toning if alone else None)
        added = [stage] if isinstance(stage, SpatialTransformer) else list(stage)
        transformers += added
        sites += [site] * len(added)
        between = []
    return transformers, sites
