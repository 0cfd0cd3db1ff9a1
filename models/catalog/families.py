"""The families of transformations as a table that can be read without torch.

The implementation of each is in `models.families` under the same name. An entry describes to a
client how to show theta and what dragging a region can set, so that it compares no names of
families; what a label in `theta_labels` means it has to know.
"""

from dataclasses import dataclass
from typing import Literal

DegreeOfFreedom = Literal["translation", "rotation", "scale", "shear", "corners"]

SIMILARITY: tuple[DegreeOfFreedom, ...] = ("translation", "rotation", "scale")
PARALLELOGRAM: tuple[DegreeOfFreedom, ...] = (*SIMILARITY, "shear")
QUADRILATERAL: tuple[DegreeOfFreedom, ...] = (*PARALLELOGRAM, "corners")


@dataclass(frozen=True)
class FamilyEntry:
    """What a transformer's theta means.

    Exactly one of `theta_labels`, `theta_matrix` and `control_points` is set.
    """

    name: str
    title: str
    description: str
    parameters: int
    """Length of theta."""
    degrees_of_freedom: tuple[DegreeOfFreedom, ...]
    """Degrees of freedom that dragging a corner sets; `corners`: each corner independently."""
    theta_labels: tuple[str, ...] = ()
    """The name of each number of theta, where each has one."""
    theta_matrix: tuple[int, int] | None = None
    """Rows and columns of the matrix that theta is, row by row; where theta is one number short,
    the last entry is 1."""
    control_points: int | None = None
    """k, where theta is k x k control points (x, y), row by row."""


FAMILIES = {
    family.name: family
    for family in (
        FamilyEntry(
            "affine",
            "Affine",
            "Any parallelogram: translation, scale, rotation and shear, as a 2x3 matrix.",
            parameters=6,
            theta_matrix=(2, 3),
            degrees_of_freedom=PARALLELOGRAM,
        ),
        FamilyEntry(
            "attention",
            "Attention",
            "An upright region with the input's aspect ratio: one scale and a translation.",
            parameters=3,
            theta_labels=("s", "tx", "ty"),
            degrees_of_freedom=("translation", "scale"),
        ),
        FamilyEntry(
            "rotation",
            "Rotation",
            "The whole input, rotated about its centre.",
            parameters=1,
            theta_labels=("angle",),
            degrees_of_freedom=("rotation",),
        ),
        FamilyEntry(
            "scale",
            "Scale",
            "An upright region about the input's centre.",
            parameters=1,
            theta_labels=("scale",),
            degrees_of_freedom=("scale",),
        ),
        FamilyEntry(
            "translation",
            "Translation",
            "The whole input, translated.",
            parameters=2,
            theta_labels=("tx", "ty"),
            degrees_of_freedom=("translation",),
        ),
        FamilyEntry(
            "rotation-scale",
            "Rotation and scale",
            "A region with the input's aspect ratio about its centre, rotated.",
            parameters=2,
            theta_labels=("angle", "scale"),
            degrees_of_freedom=("rotation", "scale"),
        ),
        FamilyEntry(
            "rotation-translation",
            "Rotation and translation",
            "A region of the input's size, rotated and translated.",
            parameters=3,
            theta_labels=("angle", "tx", "ty"),
            degrees_of_freedom=("translation", "rotation"),
        ),
        FamilyEntry(
            "scale-translation",
            "Scale and translation",
            "The same transformation as attention.",
            parameters=3,
            theta_labels=("scale", "tx", "ty"),
            degrees_of_freedom=("translation", "scale"),
        ),
        FamilyEntry(
            "rotation-scale-translation",
            "Rotation, scale and translation",
            "A region with the input's aspect ratio: any position, size and rotation, no shear.",
            parameters=4,
            theta_labels=("angle", "scale", "tx", "ty"),
            degrees_of_freedom=SIMILARITY,
        ),
        FamilyEntry(
            "projective",
            "Projective",
            "Any quadrilateral, as under a change of perspective: a 3x3 matrix.",
            parameters=8,
            theta_matrix=(3, 3),
            degrees_of_freedom=QUADRILATERAL,
        ),
        FamilyEntry(
            "spline-3",
            "Thin plate spline, 3x3",
            "A smooth deformation, set by 9 control points.",
            parameters=18,
            control_points=3,
            degrees_of_freedom=QUADRILATERAL,
        ),
        FamilyEntry(
            "spline-4",
            "Thin plate spline, 4x4",
            "A smooth deformation, set by 16 control points, as in the paper.",
            parameters=32,
            control_points=4,
            degrees_of_freedom=QUADRILATERAL,
        ),
        FamilyEntry(
            "spline-5",
            "Thin plate spline, 5x5",
            "A smooth deformation, set by 25 control points.",
            parameters=50,
            control_points=5,
            degrees_of_freedom=QUADRILATERAL,
        ),
    )
}
