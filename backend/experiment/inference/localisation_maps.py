"""The feature maps of localisation networks, stage by stage."""

from typing import Any

import torch
from torch import Tensor, nn

from stnscope.backend.experiment.frames.frame import Array
from stnscope.backend.experiment.probes.tensor_pictures import to_uint8
from stnscope.models.network import Network
from stnscope.models.transformer import SpatialTransformer

MAP_DIMENSIONS = 4


def localisation_maps(
    network: Network, image: Tensor
) -> tuple[dict[str, Array], dict[str, list[dict[str, Any]]]]:
    """Compute the maps that each transformer's localisation network makes of an image.

    Args:
        network: in evaluation mode.
        image: (1, C, H, W), its input.

    Returns:
        For each transformer and stage `maps.<t>.<i>` uint8 (M, h, w): the output of its i-th ReLU
        that is a map, each of its M channels scaled from its least to its largest value; and the
        entry `maps` of a frame's `info`.
    """
    found: dict[str, list[tuple[str, Tensor]]] = {}
    hooks = []
    for transformer in network.transformers:
        if not isinstance(transformer, SpatialTransformer):
            continue
        stages = found.setdefault(transformer.name, [])
        for name, module in transformer.localisation.named_modules():
            if isinstance(module, nn.ReLU):
                hooks.append(module.register_forward_hook(_keep(stages, name)))
    try:
        with torch.inference_mode():
            network(image.to(network.device))
    finally:
        for hook in hooks:
            hook.remove()
    tensors: dict[str, Array] = {}
    entries = []
    for transformer_name, stages in found.items():
        for index, (layer, maps) in enumerate(stages):
            key = f"maps.{transformer_name}.{index}"
            tensors[key] = to_uint8(_stretch(maps[0].cpu())[:, None])[..., 0]
            entries.append(
                {
                    "transformer": transformer_name,
                    "index": index,
                    "layer": layer,
                    "shape": list(maps.shape[1:]),
                }
            )
    return tensors, {"maps": entries}


def _keep(stages: list[tuple[str, Tensor]], name: str) -> Any:
    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.ndim == MAP_DIMENSIONS:
            stages.append((name, output))

    return keep


def _stretch(maps: Tensor) -> Tensor:
    """Scale each map (M, h, w) from its least to its largest value; a constant one is black."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=torch.finfo(maps.dtype).tiny)
