"""What exists, as literal tables that can be read without torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """How a transformer is parametrised."""

    name: str
    title: str
    description: str
    parameters: int
    """Numbers in theta."""


@dataclass(frozen=True)
class Architecture:
    """A named network."""

    name: str
    title: str
    description: str
    height: int
    """Height of the input image in pixels."""
    width: int
    channels: int
    classes: int
    families: tuple[str, ...]
    """Families its transformers can be built with; empty where it has no transformer."""
    parameters: int
    """Trained numbers in the whole network, with an affine transformer where it has one."""
    source: str


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

ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "digits",
            "Compact ST-CNN",
            "A transformer that hands a 28x28 region of the 48x48 input to a small convolutional "
            "classifier, which can read only what is brought to its middle.",
            height=48,
            width=48,
            channels=1,
            classes=10,
            families=tuple(FAMILIES),
            parameters=163_040,
            source="After the ST-CNN of Jaderberg et al., 2015 (arXiv 1506.02025), made smaller.",
        ),
        Architecture(
            "digits-cnn",
            "Compact CNN",
            "The same classifier without a transformer: it sees the whole 48x48 input.",
            height=48,
            width=48,
            channels=1,
            classes=10,
            families=(),
            parameters=300_602,
            source="The baseline for the compact ST-CNN.",
        ),
    )
}
