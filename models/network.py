"""The base of every network: a classifier that contains spatial transformers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stnscope.models import grid
from stnscope.models.receptive_field import Pointwise, ReceptiveField
from stnscope.models.transformer import Sampler, SpatialTransformer, Warp

Thetas = Mapping[str, Tensor]
"""Theta (N, P) by the transformer's name, to use in place of the predicted one."""


class Prediction(NamedTuple):
    """A network's result on a batch."""

    logits: Tensor
    """(N, K), or (N, T, K) where an image has T labels."""
    warps: tuple[Warp, ...]
    """One for each transformer in the order they are applied; empty without transformers."""


@dataclass(frozen=True)
class InputPath:
    """How a transformer's input is computed from an image.

    Attributes:
        receptive_field: from that image to the transformer's input.
        previous: index of the transformer whose output is that image; None if it is the network's
            input.
        pointwise: the layers in between, if all are pointwise; None if the transformer's input is a
            feature map.
        time_step: in a recurrent network, from 1; None in others.
    """

    receptive_field: ReceptiveField
    previous: int | None = None
    pointwise: tuple[Pointwise, ...] | None = ()
    time_step: int | None = None

    @property
    def is_image(self) -> bool:
        """Whether the transformer's input is that image, up to its values."""
        return self.pointwise is not None

    def __str__(self) -> str:
        return "input" if self.is_image else "{}x{} map".format(*self.receptive_field.size)


class Network(nn.Module):
    """A classifier that contains spatial transformers and returns their warps.

    A subclass sets these attributes and has a `forward`: images (N, C, H, W) in [0, 1], and
    optionally `Thetas` -> `Prediction`. Layers after a transformer use the theta that was given.

    Attributes:
        transformers: in the order they are applied.
        input_paths: one for each transformer.
        localisation_modules: the modules that predict theta, trained at their own learning rate.
    """

    transformers: Sequence[Sampler] = ()
    input_paths: Sequence[InputPath] = ()
    localisation_modules: Sequence[nn.Module] = ()

    @property
    def device(self) -> torch.device:
        """The device of its weights, where its input must be."""
        return next(self.parameters()).device

    def localisation_parameters(self) -> Iterator[nn.Parameter]:
        """Iterate over the parameters of the localisation modules."""
        return chain.from_iterable(module.parameters() for module in self.localisation_modules)

    def classifier_parameters(self) -> Iterator[nn.Parameter]:
        """Iterate over all other parameters."""
        localisation = {id(parameter) for parameter in self.localisation_parameters()}
        return (parameter for parameter in self.parameters() if id(parameter) not in localisation)

    def locate(self, index: int, warps: Sequence[Warp], points: Tensor) -> Tensor:
        """Map points of a transformer's output to points of the network's input.

        Through the transformer's warp, then the receptive fields of the layers before it, then the
        previous transformer, and so on.

        Args:
            index: of the transformer.
            warps: of one prediction.
            points: (M, 2), normalised.

        Returns:
            (N, M, 2), normalised.
        """
        current: int | None = index
        while current is not None:
            path = self.input_paths[current]
            height, width = path.receptive_field.size
            family = self.transformers[current].family
            points = family.warp(warps[current].theta, points, width / height)
            if not path.receptive_field.is_identity:
                points = path.receptive_field.to_source(points)
            current = path.previous
        return points

    def fit_theta(self, index: int, warps: Sequence[Warp], corners: Tensor) -> Tensor:
        """Return the theta whose region best matches the given corners, (N, P).

        Args:
            index: of the transformer.
            warps: of one prediction, at least those of the transformers before it.
            corners: (N, 4, 2), in the network's input, normalised, clockwise from the output's
                top left.
        """
        height, width = self.input_paths[index].receptive_field.size
        targets = self._to_transformer_input(index, warps, corners.double())
        theta = self.transformers[index].family.fit(targets, width / height)
        return theta.to(corners.dtype)

    def _to_transformer_input(self, index: int, warps: Sequence[Warp], points: Tensor) -> Tensor:
        """Map points (N, M, 2) of the network's input to points of a transformer's input.

        The inverse of `locate` without the transformer's own warp; both normalised.
        """
        path = self.input_paths[index]
        if path.previous is not None:
            height, width = self.input_paths[path.previous].receptive_field.size
            points = self._to_transformer_input(path.previous, warps, points)
            family = self.transformers[path.previous].family
            points = family.unwarp(warps[path.previous].theta, points, width / height)
        field = path.receptive_field
        return points if field.is_identity else field.from_source(points)

    def resample(self, images: Tensor, warps: Sequence[Warp]) -> list[Tensor | None]:
        """Apply each transformer's warp to images (N, C, H, W) with the network's input values.

        The list has None for a transformer whose input is a feature map: its output is not a
        picture.
        """
        outputs: list[Tensor | None] = []
        for transformer, path, warp in zip(self.transformers, self.input_paths, warps, strict=True):
            source = images if path.previous is None else outputs[path.previous]
            if path.is_image and source is not None:
                outputs.append(transformer.resample(source, warp))
            else:
                outputs.append(None)
        return outputs

    def configure_sampling(
        self, *, padding: grid.Padding | None = None, supersampling: int | None = None
    ) -> None:
        """Change how all transformers sample; None leaves the network's own setting.

        Args:
            padding: outside the network's input, in its values. Behind layers that normalise, a
                transformer pads with the value they map it to. For a feature map, only 0 changes
                anything.
            supersampling: samples along each side of an output pixel.
        """
        for index, transformer in enumerate(self.transformers):
            transformer.configure_sampling(
                padding=self._padding_at(index, padding),
                image_padding=padding,
                supersampling=supersampling,
            )

    def _padding_at(self, index: int, padding: grid.Padding | None) -> grid.Padding | None:
        """Convert the network's padding to the values of a transformer's input."""
        if padding is None or isinstance(padding, str):
            return padding
        value = self._value_at(index, padding)
        return 0.0 if value is None and padding == 0.0 else value

    def _value_at(self, index: int, value: float) -> float | None:
        """Convert a value of the network's input to a transformer's input; None on a map."""
        path = self.input_paths[index]
        source = value if path.previous is None else self._value_at(path.previous, value)
        if path.pointwise is None or source is None:
            return None
        return reduce(lambda value, layer: layer.constant_response(value), path.pointwise, source)


class Parallel(nn.Module):
    """Several transformers with the same input; their outputs are stacked as channels."""

    def __init__(self, *transformers: SpatialTransformer) -> None:
        super().__init__()
        self.transformers = nn.ModuleList(transformers)

    def __iter__(self) -> Iterator[SpatialTransformer]:
        for transformer in self.transformers:
            assert isinstance(transformer, SpatialTransformer)
            yield transformer

    def forward(self, images: Tensor, thetas: Thetas | None = None) -> list[Warp]:
        """Warp images (N, C, H, W) by each transformer."""
        return [transformer(images, (thetas or {}).get(transformer.name)) for transformer in self]


class Chain(Network):
    """Layers and transformers, one after another.

    Args:
        size: height and width of the input in pixels.
        stages: layers, each of which takes the output of the one before; among them transformers,
            or several in parallel.

    Raises:
        TypeError: the receptive field of a layer before a transformer is not known.
        ValueError: a transformer follows parallel ones, so that its input is not computed from a
            single image.
    """

    def __init__(self, size: tuple[int, int], *stages: nn.Module) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.transformers, self.input_paths = _find_transformers(size, stages)
        self.localisation_modules = self.transformers

    def forward(self, images: Tensor, thetas: Thetas | None = None) -> Prediction:
        """Classify images (N, C, H, W) in [0, 1]."""
        warps: list[Warp] = []
        for stage in self.stages:
            if isinstance(stage, SpatialTransformer):
                warps.append(stage(images, (thetas or {}).get(stage.name)))
                images = warps[-1].output
            elif isinstance(stage, Parallel):
                parallel = stage(images, thetas)
                warps += parallel
                images = torch.cat([warp.output for warp in parallel], dim=1)
            else:
                images = stage(images)
        return Prediction(images, tuple(warps))


def _find_transformers(
    size: tuple[int, int], stages: Sequence[nn.Module]
) -> tuple[list[SpatialTransformer], list[InputPath]]:
    """Return the transformers among the stages, each with the path to its input."""
    transformers: list[SpatialTransformer] = []
    input_paths: list[InputPath] = []
    between: list[nn.Module] = []
    last: nn.Module | None = None
    for stage in stages:
        if not isinstance(stage, SpatialTransformer | Parallel):
            between.append(stage)
            continue
        if isinstance(last, Parallel):
            raise ValueError("A transformer cannot follow transformers in parallel.")
        last = stage
        previous = len(transformers) - 1 if transformers else None
        source = size if previous is None else transformers[previous].size
        pointwise = tuple(layer for layer in between if isinstance(layer, Pointwise))
        is_pointwise = len(pointwise) == len(between)
        path = InputPath(
            ReceptiveField.identity(source).through(between),
            previous,
            pointwise if is_pointwise else None,
        )
        added = [stage] if isinstance(stage, SpatialTransformer) else list(stage)
        transformers += added
        input_paths += [path] * len(added)
        between = []
    return transformers, input_paths
