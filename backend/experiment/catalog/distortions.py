"""The distortions of images, as they are described to the user."""

from dataclasses import dataclass

UNDISTORTED = "centred"
"""The distortion that leaves an image as it is, in the centre of the canvas."""


@dataclass(frozen=True)
class DistortionEntry:
    """A distortion's description."""

    name: str
    title: str
    description: str


_TABLE = (
    DistortionEntry(
        "scattered",
        "Scattered among clutter",
        "Rotated by up to 45 degrees, scaled by 0.7 to 1.2, at a random position, among six small "
        "crops of other images.",
    ),
    DistortionEntry(UNDISTORTED, "Centred", "Upright in the centre at its own size."),
    DistortionEntry("R", "Rotated (R)", "Rotated by up to 90 degrees, in the centre."),
    DistortionEntry(
        "RTS",
        "Rotated, scaled, translated (RTS)",
        "Rotated by up to 45 degrees, scaled by 0.7 to 1.2, at a random position.",
    ),
    DistortionEntry("T", "Translated (T)", "At a random position, upright, at its own size."),
    DistortionEntry("P", "Projective (P)", "Each corner is shifted at random."),
    DistortionEntry(
        "E", "Elastic (E)", "Warped by a thin plate spline of 16 randomly shifted points."
    ),
    DistortionEntry(
        "TC",
        "Translated, cluttered (TC)",
        "At a random position, upright, among six small crops of other images.",
    ),
    DistortionEntry(
        "slanted",
        "On a slanted line",
        "The parts of a row are placed along a rising or falling line, among eight crops of other "
        "images.",
    ),
    DistortionEntry(
        "scene",
        "In a scene",
        "At a random position, scaled by 0.4 to 1, before enlarged corners of other photos.",
    ),
    DistortionEntry("viewpoint", "Viewpoint", "Seen from the side, from above or from below."),
    DistortionEntry("scale", "Scale", "Scaled by 0.5 to 1.5."),
    DistortionEntry("deformation", "Deformation", "Warped elastically, at its own size."),
    DistortionEntry("occlusion", "Occlusion", "Partly hidden behind a bar of one colour."),
    DistortionEntry("illumination", "Illumination", "Uneven light, too dark or too bright."),
    DistortionEntry("clutter", "Background clutter", "Centred, among crops of other images."),
    DistortionEntry(
        "variation",
        "Intra-class variation",
        "Thinner or bolder, narrower or wider, slanted to either side.",
    ),
    DistortionEntry(
        "imadjust",
        "Contrast stretching",
        "Stretched from black to white, clipping 1 % at both ends; for IDSIA's committee.",
    ),
    DistortionEntry(
        "histeq",
        "Histogram equalisation",
        "All brightness values are equally frequent; for IDSIA's committee.",
    ),
    DistortionEntry(
        "adapthisteq",
        "Adaptive histogram equalisation",
        "Equalised in tiles of 6x6 pixels, with limited contrast; for IDSIA's committee.",
    ),
    DistortionEntry(
        "conorm",
        "Contrast normalisation",
        "Edges on grey, all with the same contrast; for IDSIA's committee.",
    ),
)

PREPROCESSINGS = frozenset({"imadjust", "histeq", "adapthisteq", "conorm"})
"""Distortions that change an image's contrast only, not its geometry or content."""
DISTORTIONS = {entry.name: entry for entry in _TABLE}
VARIATIONS = (
    "T",
    "R",
    "scale",
    "viewpoint",
    "deformation",
    "occlusion",
    "illumination",
    "clutter",
    "variation",
)
"""Distortions of one kind each: position, rotation, and the seven challenges of CS231n."""
