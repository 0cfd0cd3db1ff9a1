"""Data sets, as they are described before they are loaded.

`data.registry` lists what those are read from that are not part of the program.
"""

from dataclasses import dataclass

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import Padding
from stnscope.models.catalog import Architecture

DIGITS = tuple("0123456789")
UCI = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, 1998, doi.org/10.24432/C50P49."
)
MNIST = "Y. LeCun, C. Cortes and C. Burges, The MNIST Database of Handwritten Digits."


@dataclass(frozen=True)
class DatasetEntry:
    """A data set's description, and settings that suit it."""

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    images: int
    """Number of training images."""
    held_out: int
    """Number of held-out images."""
    repeats: int
    """Times that an epoch shows each image, with a new distortion each time."""
    source: str
    """Where it was published."""
    licence: str
    architecture: str
    """Default network."""
    distortion: str
    """Default distortion."""
    strength: float = 1.0
    """Default strength of the distortion."""
    consistency: float = 0.0
    """Default weight of the consistency loss for networks with transformers."""
    instructions: str = "It is part of the program."
    """How to get it. `data.availability` fills it in for data sets that are read from files."""
    available: bool = True
    """Whether its files exist and have passed inspection."""
    fault: str = ""
    """What is wrong with its files, as a sentence; empty if nothing is known."""
    labels: int = 1
    """Labels per image; more than one if an image is a sequence."""
    separate_channels: bool = False
    """Whether each channel is an image that is distorted separately."""
    padding: Padding = 0.0
    """Padding around an image on its canvas."""
    subject: tuple[int, int] | None = None
    """(height, width) of the object in the middle of an image, in pixels; None if it fills it."""

    def canvas(self, architecture: Architecture) -> Canvas:
        """Return the canvas on which a network's input images are drawn."""
        return Canvas(architecture.height, architecture.width, self.padding, self.subject)


SIGNS = (
    "limit 20",
    "limit 30",
    "limit 50",
    "limit 60",
    "limit 70",
    "limit 80",
    "end of limit 80",
    "limit 100",
    "limit 120",
    "no passing",
    "no passing, lorries",
    "right of way",
    "priority road",
    "give way",
    "stop",
    "no vehicles",
    "no lorries",
    "no entry",
    "caution",
    "curve left",
    "curve right",
    "double curve",
    "bumps",
    "slippery road",
    "road narrows",
    "road works",
    "traffic lights",
    "pedestrians",
    "children",
    "bicycles",
    "snow",
    "wild animals",
    "end of all limits",
    "right only",
    "left only",
    "ahead only",
    "ahead or right",
    "ahead or left",
    "keep right",
    "keep left",
    "roundabout",
    "end of no passing",
    "end of no passing, lorries",
)
"""Classes of GTSRB, by class number."""
GTSRB = (
    "J. Stallkamp, M. Schlipsing, J. Salmen and C. Igel, The German Traffic Sign Recognition "
    "Benchmark, IJCNN 2011."
)
SUMS = tuple(str(total) for total in range(19))
NO_DIGIT = "\u2013"
NUMERALS = (*DIGITS, NO_DIGIT)
"""Ten digits, and no digit."""

_TABLE = (
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
        padding="border",
        subject=(34, 34),
    ),
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
    DatasetEntry(
        "mnist",
        "MNIST",
        "70,000 handwritten digits of 28x28 pixels; 10,000 are held out.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=28,
        images=60_000,
        held_out=10_000,
        repeats=1,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="paper-st-cnn",
        distortion="RTS",
    ),
    DatasetEntry(
        "mnist-sequences",
        "Rows of three MNIST digits",
        "Three MNIST digits in a row; each is one label.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=84,
        images=60_000,
        held_out=1_000,
        repeats=1,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="recurrent",
        distortion="slanted",
        labels=3,
    ),
    DatasetEntry(
        "mnist-addition",
        "Two MNIST digits to add",
        "Two MNIST digits, one in each channel; their sum is the class.",
        classes=SUMS,
        channels=2,
        height=28,
        width=28,
        images=60_000,
        held_out=1_000,
        repeats=1,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="addition-2st",
        distortion="RTS",
        strength=0.5,
        separate_channels=True,
    ),
    DatasetEntry(
        "mnist-numbers",
        "Numbers of up to five MNIST digits",
        "One to five MNIST digits in a row, like a house number; each position is one label.",
        classes=NUMERALS,
        channels=3,
        height=20,
        width=60,
        images=60_000,
        held_out=1_000,
        repeats=1,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="svhn-st",
        distortion="TC",
        labels=5,
    ),
    DatasetEntry(
        "cluttered-40",
        "Cluttered MNIST, 40x40",
        "MNIST digits at random positions among five crops of others; 1,000 are held out.",
        classes=DIGITS,
        channels=1,
        height=40,
        width=40,
        images=10_000,
        held_out=1_000,
        repeats=1,
        source="daviddao/spatial-transformer-tensorflow on GitHub.",
        licence="MIT",
        architecture="tensorflow",
        distortion="centred",
    ),
    DatasetEntry(
        "gtsrb",
        "GTSRB",
        "Photos of German traffic signs at 48x48; one track in ten is held out.",
        classes=SIGNS,
        channels=3,
        height=48,
        width=48,
        images=35_639,
        held_out=3_570,
        repeats=1,
        source=GTSRB,
        licence="Free for research.",
        architecture="signs",
        distortion="centred",
        padding="border",
    ),
    DatasetEntry(
        "gtsrb-regions",
        "GTSRB, cropped to the sign",
        "Photos of German traffic signs, cropped to the sign; one track in ten is held out.",
        classes=SIGNS,
        channels=3,
        height=48,
        width=48,
        images=35_639,
        held_out=3_570,
        repeats=1,
        source=GTSRB,
        licence="Free for research.",
        architecture="idsia",
        distortion="RTS",
        padding="border",
    ),
)

IMAGE_FOLDER = DatasetEntry(
    "image-folder",
    "Image folder",
    "",
    classes=(),
    channels=3,
    height=48,
    width=48,
    images=0,
    held_out=0,
    repeats=4,
    source="Provided by the user.",
    licence="Set by the user.",
    architecture="signs",
    distortion="centred",
    padding="border",
)
"""What all image folders have in common; `data.image_folder` fills in the rest."""

DATASETS = {entry.name: entry for entry in _TABLE}
