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
            families=("affine", "attention"),
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
