"""The choices for a run as tables, and which of them fit together. Without torch."""

from stnscope.backend.experiment.catalog.compatibility import (
    check_distortion,
    check_names,
    default_epochs,
    fits,
    picture_refusal,
    steps_per_epoch,
    validate,
    with_defaults,
)
from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.catalog.distortions import DISTORTIONS, DistortionEntry
from stnscope.backend.experiment.catalog.presets import PRESETS, Preset
from stnscope.backend.experiment.catalog.training import (
    OPTIMISERS,
    PADDINGS,
    PRECISIONS,
    SCHEDULES,
    Choice,
    Optimiser,
)
from stnscope.models.catalog import ARCHITECTURES, FAMILIES

__all__ = [
    "ARCHITECTURES",
    "DISTORTIONS",
    "FAMILIES",
    "OPTIMISERS",
    "PADDINGS",
    "PRECISIONS",
    "PRESETS",
    "SCHEDULES",
    "Choice",
    "DatasetEntry",
    "DistortionEntry",
    "Optimiser",
    "Preset",
    "check_distortion",
    "check_names",
    "default_epochs",
    "fits",
    "picture_refusal",
    "steps_per_epoch",
    "validate",
    "with_defaults",
]
