"""Where transformers are told to look: by theta, or by the corners of their region.

Both are given by the names of transformers:

    theta    {"st": [...]}             the family's P numbers
    corners  {"st": [[x, y], ...]}     four points, clockwise from the output's top left, in pixels
                                       of the network's input as a frame counts them; what comes
                                       closest to them in the family is taken
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.models import grid
from stnscope.models.network import Network

MOST = 1e6
"""How far from 0 any of these numbers may be."""
WITHIN = f"each from -{MOST:.0f} to {MOST:.0f}"


def thetas_of(
    model: Network, images: Tensor, theta: Any = None, corners: Any = None
) -> dict[str, Tensor]:
    """What is to take the place of what transformers choose, for each of them (N, P).

    Args:
        model: the network, in evaluation mode.
        images: (N, C, H, W), what it is shown.
        theta, corners: as above; from outside, of whatever shape. None tells nothing.

    Raises:
        InvalidInput: they are not what they must be; names the field.
    """
    quadrilaterals = _read_corners(model, corners)
    told = {
        name: torch.tensor([numbers]).expand(len(images), -1)
        for name, numbers in _read_theta(model, theta).items()
    }
    if both := sorted(told.keys() & quadrilaterals.keys()):
        field = f"corners.{both[0]}"
        raise InvalidInput(f"{field}: Its theta is given as well; leave one of them out.", field)
    for number, transformer in enumerate(model.transformers):
        if transformer.name in quadrilaterals:
            points = torch.tensor(quadrilaterals[transformer.name]).expand(len(images), -1, -1)
            wanted = grid.from_pixels(points, *images.shape[-2:])
            with torch.inference_mode():
                # What lies before it may have been told something too.
                deeper = model.input_paths[number].previous is not None
                warps = model(images, told).warps if deeper else ()
                told[transformer.name] = model.fit_theta(number, warps, wanted)
    return told


def _read_theta(model: Network, theta: Any) -> dict[str, list[float]]:
    read = {}
    for name, field, value in _named(model, theta, "theta"):
        family = next(each.family for each in model.transformers if each.name == name)
        if not _are_numbers(value, family.parameters):
            count = f", not {len(value)}" if isinstance(value, list) else ""
            raise InvalidInput(
                f"{field} must be a list of {family.parameters} numbers, which are what the family "
                f"{family.name} has, {WITHIN}{count}.",
                field,
            )
        read[name] = [float(number) for number in value]
    return read


def _read_corners(model: Network, corners: Any) -> dict[str, list[list[float]]]:
    read = {}
    for name, field, value in _named(model, corners, "corners"):
        if (
            not isinstance(value, list)
            or len(value) != 4
            or not all(_are_numbers(point, 2) for point in value)
        ):
            raise InvalidInput(
                f"{field} must be a list of four points [x, y] in pixels of the input, clockwise "
                f"from the output's top left, {WITHIN}.",
                field,
            )
        read[name] = [[float(number) for number in point] for point in value]
    return read


def _named(model: Network, given: Any, kind: str) -> Iterator[tuple[str, str, Any]]:
    """Each transformer's name, field and value.

    Raises:
        InvalidInput: the whole is no object, or names a transformer that is not there.
    """
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{kind} must be an object with transformers' names as its keys.", kind)
    names = [transformer.name for transformer in model.transformers]
    there = f"; there are {', '.join(names)}" if names else "; this network has none"
    for name, value in given.items():
        field = f"{kind}.{name}"
        if name not in names:
            raise InvalidInput(f"{kind}: There is no transformer {name!r}{there}.", field)
        yield name, field, value


def _are_numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == count
        and all(type(number) in (int, float) and abs(number) <= MOST for number in value)
    )
