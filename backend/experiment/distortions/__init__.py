"""Distortions by name: changes to images before they are a network's input.

To add one: its function in the module of its kind, its name in `IMPLEMENTATIONS`, and a row in
`catalog.distortions`.
"""

from functools import reduce

from stnscope.backend.experiment.distortions import (
    contrast,
    placement,
    scenery,
    variations,
    warping,
)
from stnscope.backend.experiment.distortions.distortion import Distortion

__all__ = ["IMPLEMENTATIONS", "Distortion", "compose"]

IMPLEMENTATIONS = {
    "scattered": placement.scattered,
    "centred": placement.centred,
    "R": placement.rotated,
    "RTS": placement.rotated_scaled_translated,
    "T": placement.translated,
    "P": warping.projective,
    "E": warping.elastic,
    "TC": placement.translated_cluttered,
    "slanted": placement.slanted,
    "scene": scenery.scene,
    "viewpoint": variations.viewpoint,
    "scale": placement.rescaled,
    "deformation": variations.deformation,
    "occlusion": variations.occlusion,
    "illumination": variations.illumination,
    "clutter": variations.background_clutter,
    "variation": variations.variation,
    "imadjust": contrast.imadjust,
    "histeq": contrast.histeq,
    "adapthisteq": contrast.adapthisteq,
    "conorm": contrast.conorm,
}


def compose(names: str) -> Distortion:
    """Return the distortion with this name, or the composition of several joined by `+`.

    Raises:
        KeyError: there is no such distortion.
    """
    return reduce(Distortion.compose_with, (IMPLEMENTATIONS[name] for name in names.split("+")))
