"""The bundled, drawn traffic signs. Without torch; `sign_images` draws them."""

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.sign_classes import SIGNS
from stnscope.backend.experiment.data.source import Definition

DRAWN_SIGNS = Definition(
    DatasetEntry(
        "signs",
        "Drawn traffic signs",
        "34 of the 43 signs of GTSRB, drawn on backgrounds that look like photos, in varying "
        "light.",
        classes=SIGNS,
        channels=3,
        height=72,
        width=72,
        images=2040,
        held_out=340,
        repeats=6,
        source="Drawn by the program.",
        licence="MIT",
        architecture="signs",
        distortion="RTS",
        consistency=4.0,
        padding="border",
        subject=(34, 34),
    ),
    images="signs",
)
