"""Overriding transformers' theta, directly or by the corners of the region.

Both are objects with transformers' names as keys:

    theta    {"st": [...]}             the family's P parameters
    corners  {"st": [[x, y], ...]}     four points, clockwise from the output's top left, in pixels
                                       of the network's input as in a frame; theta is the family's
                                       best fit
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.models import grid
from stnscope.models.network import Network
from stnscope.models.transformer import Warp

MAX_VALUE = 1e6
"""Maximum absolute value of each number."""
RANGE = f"each from -{MAX_VALUE:.0f} to {MAX_VALUE:.0f}"


def resolve_thetas(
    model: Network, images: Tensor, theta: Any = None, corners: Any = None
) -> dict[str, Tensor]:
    """Validate overrides and convert them to theta (N, P) by the transformer's name, on the CPU.

    Args:
        model: the network, in evaluation mode.
        images: (N, C, H, W), its input.
        theta, corners: as above, not validated yet; None overrides nothing.

    Raises:
        InvalidInput: a value is invalid; names the field.
    """
    quadrilaterals = _parse_corners(model, corners)
    thetas = {
        name: torch.tensor([numbers]).expand(len(images), -1)
        for name, numbers in _parse_theta(model, theta).items()
    }
    if both := sorted(thetas.keys() & quadrilaterals.keys()):
        field = f"corners.{both[0]}"
        raise InvalidInput(f"{field}: Give either theta or corners, not both.", field)
    for index, transformer in enumerate(model.transformers):
        if transformer.name in quadrilaterals:
            points = torch.tensor(quadrilaterals[transformer.name]).expand(len(images), -1, -1)
            targets = grid.from_pixels(points, *images.shape[-2:])
            with torch.inference_mode():
                # The transformers before it may be overridden too.
                is_deeper = model.input_paths[index].previous is not None
                warps = _predict_warps(model, images, thetas) if is_deeper else []
                thetas[transformer.name] = model.fit_theta(index, warps, targets)
    return thetas


def _predict_warps(model: Network, images: Tensor, thetas: Mapping[str, Tensor]) -> list[Warp]:
    """Return a network's warps of images, theta on the CPU."""
    given = {name: theta.to(model.device) for name, theta in thetas.items()}
    warps = model(images.to(model.device), given).warps
    return [warp._replace(theta=warp.theta.cpu()) for warp in warps]


def _parse_theta(model: Network, theta: Any) -> dict[str, list[float]]:
    parsed = {}
    for name, field, value in _iterate_items(model, theta, "theta"):
        family = next(
            transformer.family for transformer in model.transformers if transformer.name == name
        )
        if not _are_numbers(value, family.parameters):
            count = f", not {len(value)}" if isinstance(value, list) else ""
            raise InvalidInput(
                f"{field} must be a list of {family.parameters} numbers, as many as the family "
                f"{family.name} has parameters, {RANGE}{count}.",
                field,
            )
        parsed[name] = [float(number) for number in value]
    return parsed


def _parse_corners(model: Network, corners: Any) -> dict[str, list[list[float]]]:
    parsed = {}
    for name, field, value in _iterate_items(model, corners, "corners"):
        if (
            not isinstance(value, list)
            or len(value) != 4
            or not all(_are_numbers(point, 2) for point in value)
        ):
            raise InvalidInput(
                f"{field} must be a list of four points [x, y] in pixels of the input, clockwise "
                f"from the output's top left, {RANGE}.",
                field,
            )
        parsed[name] = [[float(number) for number in point] for point in value]
    return parsed


def _iterate_items(model: Network, overrides: Any, kind: str) -> Iterator[tuple[str, str, Any]]:
    """Iterate over transformers' names, fields and values.

    Raises:
        InvalidInput: `overrides` is not an object, or names an unknown transformer.
    """
    if overrides is None:
        return
    if not isinstance(overrides, Mapping):
        raise InvalidInput(f"{kind} must be an object with transformers' names as its keys.", kind)
    names = [transformer.name for transformer in model.transformers]
    available = f"; there are {', '.join(names)}" if names else "; this network has none"
    for name, value in overrides.items():
        field = f"{kind}.{name}"
        if name not in names:
            raise InvalidInput(f"{kind}: There is no transformer {name!r}{available}.", field)
        yield name, field, value


def _are_numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == count
        and all(type(number) in (int, float) and abs(number) <= MAX_VALUE for number in value)
    )
