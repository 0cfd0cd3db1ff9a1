"""The feature maps of localisation networks, stage by stage."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stnscope.backend.experiment.frames.frame import Array
from stnscope.backend.experiment.probes.tensor_pictures import to_uint8
from stnscope.models.network import Network
from stnscope.models.transformer import SpatialTransformer

MAP_DIMENSIONS = 4


def localisation_maps(
    network: Network, image: Tensor, thetas: Mapping[str, Tensor]
) -> tuple[dict[str, Array], dict[str, list[dict[str, Any]]]]:
    """Compute the maps that each transformer's localisation network makes of its input.

    Args:
        network: in evaluation mode.
        image: (1, C, H, W), its input.
        thetas: overrides by the transformer's name, on which the inputs of later ones depend.

    Returns:
        For each transformer and stage `maps.<t>.<i>` uint8 (M, h, w): the output of its i-th ReLU
        that is a map, each of its M channels scaled from its least to its largest value; and the
        entry `maps` of a frame's `info`.
    """
    tensors: dict[str, Array] = {}
    entries = []
    with torch.inference_mode():
        for transformer, source in _transformer_inputs(network, image, thetas):
            for index, (layer, maps) in enumerate(_stages(transformer.localisation, source)):
                key = f"maps.{transformer.name}.{index}"
                tensors[key] = to_uint8(_stretch(maps[0].cpu())[:, None])[..., 0]
                entries.append(
                    {
                        "transformer": transformer.name,
                        "index": index,
                        "layer": layer,
                        "shape": list(maps.shape[1:]),
                    }
                )
    return tensors, {"maps": entries}


def _transformer_inputs(
    network: Network, image: Tensor, thetas: Mapping[str, Tensor]
) -> list[tuple[SpatialTransformer, Tensor]]:
    """Return the transformers that have a localisation network of their own, with their inputs."""
    found: list[tuple[SpatialTransformer, Tensor]] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, SpatialTransformer)
        found.append((module, inputs[0]))

    hooks = [
        transformer.register_forward_pre_hook(keep)
        for transformer in network.transformers
        if isinstance(transformer, SpatialTransformer)
    ]
    try:
        given = {name: theta.to(network.device) for name, theta in thetas.items()}
        network(image.to(network.device), given)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _stages(localisation: nn.Module, source: Tensor) -> list[tuple[str, Tensor]]:
    """Return the outputs of a localisation network's ReLUs that are maps, with their names."""
    stages: list[tuple[str, Tensor]] = []

    def keep_as(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if output.ndim == MAP_DIMENSIONS:
                stages.append((name, output))

        return keep

    hooks = [
        module.register_forward_hook(keep_as(name))
        for name, module in localisation.named_modules()
        if isinstance(module, nn.ReLU)
    ]
    try:
        localisation(source)
    finally:
        for hook in hooks:
            hook.remove()
    return stages


def _stretch(maps: Tensor) -> Tensor:
    """Scale each map (M, h, w) from its least to its largest value; a constant one is black."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=torch.finfo(maps.dtype).tiny)
