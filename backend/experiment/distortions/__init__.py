"""Distortions by name: what is done to an image before the network sees it."""

from functools import reduce

from stnscope.backend.experiment.distortions import contrast, placement, variations, warping
from stnscope.backend.experiment.distortions.distortion import Distortion

__all__ = ["DISTORTIONS", "Distortion", "named"]

DISTORTIONS = {
    "scattered": placement.scattered,
    "centred": placement.centred,
    "R": placement.rotated,
    "RTS": placement.rotated_scaled_translated,
    "P": warping.projective,
    "E": warping.elastic,
    "TC": placement.translated_cluttered,
    "slanted": placement.slanted,
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


def named(names: str) -> Distortion:
    """The distortion of that name; of several, joined by `+`, all of them, one after another."""
    return reduce(Distortion.then, (DISTORTIONS[name] for name in names.split("+")))
