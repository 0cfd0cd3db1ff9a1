"""Accuracy over the strength of a variation: the curve, and the pictures that go with it.

Without torch.
"""

import base64
import binascii
from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field

from stnscope.backend.experiment.reproduction.stored_model import Fraction, StoredModel

MAX_IMAGES = 1200
"""Held-out images that are evaluated by default."""
STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TOLERANCE = 1e-9
"""Tolerance for figures that are computed again."""


class InvariancePoint(StoredModel):
    """The accuracy at one strength."""

    strength: Fraction
    labels: int = Field(gt=0)
    errors: int = Field(ge=0)
    accuracy: Fraction
    standard_error: float = Field(
        ge=0, description="Of the accuracy, over images; the draws of an image are not independent."
    )


class InvarianceCurve(StoredModel):
    """The accuracy under one variation, from strength 0 to 1."""

    distortion: str
    points: list[InvariancePoint] = Field(min_length=2)
    half_lost: float | None = Field(
        description="The strength at which half of what can be lost is lost: the accuracy is half "
        "way from that at strength 0 to that of a guess. Null if it never is."
    )
    predicted: list[list[str]] = Field(
        description="Of each strength, the predictions for the example images."
    )

    @property
    def lost(self) -> float:
        """The accuracy that full strength costs."""
        return self.points[0].accuracy - self.points[-1].accuracy


class Pictures(StoredModel):
    """A few inputs of the network at each strength, in one WebP image of equal cells.

    Each curve has a row of inputs and, if `outputs`, one of what the first transformer outputs for
    them. In a row are the images at the first strength, then at the second, and so on.
    """

    height: int = Field(gt=0, description="Of a cell, in pixels.")
    width: int = Field(gt=0)
    labels: list[str] = Field(min_length=1, description="The images' classes.")
    outputs: bool
    content: str = Field(description="The WebP file, in base64; empty where it is sent apart.")


def find_half_lost(points: Sequence[InvariancePoint], guessing: float) -> float | None:
    """Return the strength at which half of what can be lost is lost, between points linearly."""
    half = (points[0].accuracy + guessing) / 2
    for before, after in pairwise(points):
        if after.accuracy <= half < before.accuracy:
            part = (before.accuracy - half) / (before.accuracy - after.accuracy)
            return before.strength + part * (after.strength - before.strength)
    return None


def decode_pictures(pictures: Pictures) -> bytes | None:
    """Return the WebP file; None if the bytes are not one."""
    try:
        content = base64.b64decode(pictures.content, validate=True)
    except (binascii.Error, ValueError):
        return None
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    return content if is_webp else None


def check_curves(
    curves: Sequence[InvarianceCurve], guessing: float, pictures: Pictures
) -> str | None:
    """Return what is inconsistent in curves and their pictures, or None."""
    if len({curve.distortion for curve in curves}) < len(curves):
        return "a variation twice"
    strengths = [point.strength for point in curves[0].points]
    if strengths != sorted(set(strengths)) or (strengths[0], strengths[-1]) != (0, 1):
        return "strengths that do not rise from 0 to 1"
    for curve in curves:
        if [point.strength for point in curve.points] != strengths:
            return "other strengths for some variations"
        if any(p.accuracy != (p.labels - p.errors) / p.labels for p in curve.points):
            return "an accuracy that is not that of its errors"
        half_lost = find_half_lost(curve.points, guessing)
        if (half_lost is None) != (curve.half_lost is None) or (
            abs((half_lost or 0) - (curve.half_lost or 0)) > TOLERANCE
        ):
            return "a strength of half the loss that is not that of its accuracies"
        if [len(row) for row in curve.predicted] != [len(pictures.labels)] * len(strengths):
            return "not a prediction for each picture"
    if decode_pictures(pictures) is None:
        return "pictures that are no WebP image"
    return None
