"""The bundled handwritten digits, and the data sets that are composed of them. Without torch.

`digit_images` loads them.
"""

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.digit_classes import DIGITS, NUMERALS, SUMS
from stnscope.backend.experiment.data.source import Definition

UCI = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, 1998, doi.org/10.24432/C50P49."
)

SINGLE_DIGITS = Definition(
    DatasetEntry(
        "digits",
        "Handwritten digits",
        "1,797 real handwritten digits of 8x8 pixels, enlarged to 28x28; 297 are held out.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=28,
        images=1500,
        held_out=297,
        repeats=16,
        source=UCI,
        licence="CC BY 4.0",
        architecture="digits",
        distortion="RTS",
        consistency=0.5,
    ),
    images="digits",
)

SEQUENCES = Definition(
    DatasetEntry(
        "sequences",
        "Rows of three digits",
        "Three handwritten digits in a row; each is one label.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=84,
        images=12_000,
        held_out=300,
        repeats=1,
        source=UCI,
        licence="CC BY 4.0",
        architecture="recurrent",
        distortion="slanted",
        labels=3,
    ),
    images="digits",
    composition="rows",
)

ADDITION = Definition(
    DatasetEntry(
        "addition",
        "Two digits to add",
        "Two handwritten digits, one in each channel; their sum is the class.",
        classes=SUMS,
        channels=2,
        height=28,
        width=28,
        images=12_000,
        held_out=300,
        repeats=1,
        source=UCI,
        licence="CC BY 4.0",
        architecture="addition-2st",
        distortion="RTS",
        strength=0.5,
        separate_channels=True,
    ),
    images="digits",
    composition="pairs",
)

NUMBERS = Definition(
    DatasetEntry(
        "numbers",
        "Numbers of up to five digits",
        "One to five handwritten digits in a row, like a house number; each position is one label.",
        classes=NUMERALS,
        channels=3,
        height=20,
        width=60,
        images=12_000,
        held_out=300,
        repeats=1,
        source=UCI,
        licence="CC BY 4.0",
        architecture="svhn-st",
        distortion="TC",
        labels=5,
    ),
    images="digits",
    composition="numbers",
)
