"""Distortions by name: what is done to an image before the network sees it."""

from functools import reduce

from backend.experiment.distortions import bending, placing, toning, varying
from backend.experiment.distortions.distortion import Distortion

__all__ = ["DISTORTIONS", "Distortion", "named"]

DISTORTIONS = {
    "scattered": placing.scattered,
    "centred": placing.centred,
    "R": placing.rotated,
    "RTS": placing.rotated_scaled_translated,
    "P": bending.projective,
    "E": bending.elastic,
    "TC": placing.translated_cluttered,
    "slanted": placing.slanted,
    "viewpoint": varying.viewpoint,
    "scale": placing.rescaled,
    "deformation": varying.deformation,
    "occlusion": varying.occlusion,
    "illumination": varying.illumination,
    "clutter": varying.background_clutter,
    "variation": varying.variation,
    "imadjust": toning.imadjust,
    "histeq": toning.histeq,
    "adapthisteq": toning.adapthisteq,
    "conorm": toning.conorm,
}


def named(names: str) -> Distortion:
    """The distortion of that name; of several, joined by `+`, all of them, one after another."""
    return reduce(Distortion.then, (DISTORTIONS[name] for name in names.split("+")))
