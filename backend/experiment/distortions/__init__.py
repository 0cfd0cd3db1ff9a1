"""Distortions by name: what is done to an image before the network sees it."""

from backend.experiment.distortions import bending, placing
from backend.experiment.distortions.distortion import Distortion

__all__ = ["DISTORTIONS", "Distortion"]

DISTORTIONS = {
    "scattered": placing.scattered,
    "centred": placing.centred,
    "R": placing.rotated,
    "RTS": placing.rotated_scaled_translated,
    "P": bending.projective,
    "E": bending.elastic,
    "TC": placing.translated_cluttered,
}
