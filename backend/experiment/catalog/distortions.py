"""What can be done to an image before the network sees it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DistortionEntry:
    """One distortion."""

    name: str
    title: str
    description: str


_TABLE = (
    DistortionEntry(
        "scattered",
        "Scattered among clutter",
        "Turned by up to 45 degrees, scaled by 0.7 to 1.2, placed anywhere, among six small "
        "crops of other images.",
    ),
    DistortionEntry(
        "centred", "Centred", "Upright in the middle at its own size, with nothing around it."
    ),
    DistortionEntry("R", "Rotated (R)", "Turned by up to 90 degrees, in the middle."),
    DistortionEntry(
        "RTS",
        "Rotated, scaled, translated (RTS)",
        "Turned by up to 45 degrees, scaled by 0.7 to 1.2, placed anywhere.",
    ),
    DistortionEntry(
        "P", "Projective (P)", "Seen from elsewhere: each corner is shifted on its own."
    ),
    DistortionEntry(
        "E", "Elastic (E)", "Stretched like rubber: a thin plate spline of 16 shifted points."
    ),
    DistortionEntry(
        "TC",
        "Translated, cluttered (TC)",
        "Placed anywhere, upright, among six small crops of other images.",
    ),
    DistortionEntry(
        "slanted",
        "On a slanted line",
        "What stands in a row comes to stand on a line that rises or falls, among eight crops of "
        "other images.",
    ),
    DistortionEntry("viewpoint", "Viewpoint", "Seen from the side, from above or from below."),
    DistortionEntry("scale", "Scale", "Between half as large and half as large again."),
    DistortionEntry("deformation", "Deformation", "Stretched like rubber, at its own size."),
    DistortionEntry("occlusion", "Occlusion", "Partly hidden behind a bar of one tone."),
    DistortionEntry("illumination", "Illumination", "Lit unevenly, too dark or too bright."),
    DistortionEntry("clutter", "Background clutter", "In its place, among crops of other images."),
    DistortionEntry(
        "variation",
        "Intra-class variation",
        "Thinner or bolder, narrower or wider, leaning to either side.",
    ),
    DistortionEntry(
        "imadjust",
        "Contrast stretched",
        "From black to white, but for a hundredth at both ends; for IDSIA's committee.",
    ),
    DistortionEntry(
        "histeq", "Tones equalised", "Every tone as frequent as any other; for IDSIA's committee."
    ),
    DistortionEntry(
        "adapthisteq",
        "Tones equalised by tiles",
        "The same in tiles of 6x6 pixels, with limited contrast; for IDSIA's committee.",
    ),
    DistortionEntry(
        "conorm", "Edges", "Edges alone, on grey, all equally strong; for IDSIA's committee."
    ),
)

PREPROCESSINGS = frozenset({"imadjust", "histeq", "adapthisteq", "conorm"})
"""Those that change nothing about which image is shown and where, only how it is seen."""
DISTORTIONS = {entry.name: entry for entry in _TABLE}
