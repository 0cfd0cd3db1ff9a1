"""The families that transformers are parametrised by."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """How a transformer is parametrised."""

    name: str
    title: str
    description: str
    parameters: int
    """Numbers in theta."""


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "affine",
            "Affine",
            "Any parallelogram: shift, scale, rotation and shear, as a 2x3 matrix.",
            parameters=6,
        ),
        Family(
            "attention",
            "Attention",
            "An upright region of the input's own shape: one scale and a shift.",
            parameters=3,
        ),
        Family("rotation", "Rotation", "The whole input, turned about its middle.", parameters=1),
        Family("scale", "Scale", "An upright region about the input's middle.", parameters=1),
        Family("translation", "Shift", "The whole input, shifted.", parameters=2),
        Family(
            "rotation-scale",
            "Rotation and scale",
            "A region of the input's own shape about its middle, turned.",
            parameters=2,
        ),
        Family(
            "rotation-translation",
            "Rotation and shift",
            "A region of the input's own size and shape, turned and shifted.",
            parameters=3,
        ),
        Family(
            "scale-translation",
            "Scale and shift",
            "The same as attention, by the name of its parts.",
            parameters=3,
        ),
        Family(
            "rotation-scale-translation",
            "Rotation, scale and shift",
            "A region of the input's own shape anywhere, at any size and turn; never sheared.",
            parameters=4,
        ),
        Family(
            "projective",
            "Projective",
            "Any quadrilateral, as the input is seen from elsewhere: a 3x3 matrix.",
            parameters=8,
        ),
        Family(
            "spline-3",
            "Thin plate spline, 3x3",
            "A sheet of rubber, held by 9 control points.",
            parameters=18,
        ),
        Family(
            "spline-4",
            "Thin plate spline, 4x4",
            "A sheet of rubber, held by 16 control points, as in the paper.",
            parameters=32,
        ),
        Family(
            "spline-5",
            "Thin plate spline, 5x5",
            "A sheet of rubber, held by 25 control points.",
            parameters=50,
        ),
    )
}
