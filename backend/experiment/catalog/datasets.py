"""What can be learnt from, known before it is loaded."""

from dataclasses import dataclass
from pathlib import Path

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import Padding
from stnscope.models.catalog import Architecture

DIGITS = tuple("0123456789")
UCI = (
    "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, 1998, doi.org/10.24432/C50P49."
)
MNIST = "Y. LeCun, C. Cortes and C. Burges, The MNIST Database of Handwritten Digits."
HERE = "It is part of the program."
MNIST_FILES = tuple(
    (f"mnist/{part}*ubyte", f"mnist/{part}*ubyte.gz")
    for part in ("train-images", "train-labels", "t10k-images", "t10k-labels")
)
MNIST_HOW = (
    "Put its four idx files, gzipped or not, into the folder `mnist` of the data folder. They are "
    "the ones that start with train-images, train-labels, t10k-images and t10k-labels. "
    "`stnscope fetch mnist` downloads them."
)


@dataclass(frozen=True)
class DatasetEntry:
    """One data set."""

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    images: int
    """Images to train on."""
    held_out: int
    """Images never trained on."""
    repeats: int
    """Times that an epoch shows each image, with a new distortion each time."""
    how: str
    """How to get it."""
    source: str
    licence: str
    architecture: str
    """The network that is offered first."""
    distortion: str
    """The distortion that is offered first."""
    strength: float = 1.0
    """How strong it is at first."""
    available: bool = True
    """Whether it is at hand, and whole as far as that shows from outside."""
    fault: str = ""
    """What is wrong with it where it lies, as a sentence; empty if nothing is known."""
    needs: tuple[tuple[str, ...], ...] = ()
    """What must lie in the data folder, as patterns: of each group at least one. Empty if it is
    part of the program."""
    labels: int = 1
    """Labels of an image: more than one where it is read place by place."""
    separate_channels: bool = False
    """Whether each channel is an image that is distorted separately."""
    padding: Padding = 0.0
    """What surrounds an image."""
    subject: tuple[int, int] | None = None
    """Height and width of what is looked for in it, in pixels; None if it fills the image."""

    def at_hand(self, data: Path) -> bool:
        """Whether its files are there, whatever they hold."""
        return all(
            any(found for pattern in group for found in data.glob(pattern)) for group in self.needs
        )

    def canvas(self, architecture: Architecture) -> Canvas:
        """What a network's images are put on."""
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
"""The classes of GTSRB, by their numbers."""
GTSRB = (
    "J. Stallkamp, M. Schlipsing, J. Salmen and C. Igel, The German Traffic Sign Recognition "
    "Benchmark, IJCNN 2011."
)
GTSRB_FILES = (
    (
        "gtsrb/*.zip",
        "gtsrb/Train.csv",
        "gtsrb/*/Train.csv",
        "gtsrb/Final_Training/Images/*/GT-*.csv",
        "gtsrb/*/Final_Training/Images/*/GT-*.csv",
    ),
)
GTSRB_HOW = (
    "Put its training images into the folder `gtsrb` of the data folder: the official archive or "
    "Kaggle's, as a zip or unpacked. `stnscope fetch gtsrb` downloads the official one."
)
SUMS = tuple(str(total) for total in range(19))
NO_DIGIT = "\u2013"
NUMERALS = (*DIGITS, NO_DIGIT)
"""Ten digits, and none."""

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
        how=HERE,
        source=UCI,
        licence="CC BY 4.0",
        architecture="digits",
        distortion="scattered",
    ),
    DatasetEntry(
        "signs",
        "Drawn traffic signs",
        "34 of the 43 signs of GTSRB, drawn before grounds that look like photos, in changing "
        "light.",
        classes=SIGNS,
        channels=3,
        height=72,
        width=72,
        images=2040,
        held_out=340,
        repeats=6,
        how=HERE,
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
        "Handwritten digits, three in a row, to be read in order.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=84,
        images=12_000,
        held_out=300,
        repeats=1,
        how=HERE,
        source=UCI,
        licence="CC BY 4.0",
        architecture="recurrent",
        distortion="slanted",
        labels=3,
    ),
    DatasetEntry(
        "addition",
        "Two digits to add",
        "Two handwritten digits, each in a channel of its own; their sum is the class.",
        classes=SUMS,
        channels=2,
        height=28,
        width=28,
        images=12_000,
        held_out=300,
        repeats=1,
        how=HERE,
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
        "Handwritten digits in a row, one to five of them, to be read place by place, as house "
        "numbers are.",
        classes=NUMERALS,
        channels=3,
        height=20,
        width=60,
        images=12_000,
        held_out=300,
        repeats=1,
        how=HERE,
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
        how=MNIST_HOW,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="paper-st-cnn",
        distortion="RTS",
        needs=MNIST_FILES,
    ),
    DatasetEntry(
        "mnist-sequences",
        "Rows of three MNIST digits",
        "MNIST digits, three in a row, to be read in order.",
        classes=DIGITS,
        channels=1,
        height=28,
        width=84,
        images=60_000,
        held_out=1_000,
        repeats=1,
        how=MNIST_HOW,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="recurrent",
        distortion="slanted",
        needs=MNIST_FILES,
        labels=3,
    ),
    DatasetEntry(
        "mnist-addition",
        "Two MNIST digits to add",
        "Two MNIST digits, each in a channel of its own; their sum is the class.",
        classes=SUMS,
        channels=2,
        height=28,
        width=28,
        images=60_000,
        held_out=1_000,
        repeats=1,
        how=MNIST_HOW,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="addition-2st",
        distortion="RTS",
        strength=0.5,
        needs=MNIST_FILES,
        separate_channels=True,
    ),
    DatasetEntry(
        "mnist-numbers",
        "Numbers of up to five MNIST digits",
        "MNIST digits in a row, one to five of them, to be read place by place, as house numbers "
        "are.",
        classes=NUMERALS,
        channels=3,
        height=20,
        width=60,
        images=60_000,
        held_out=1_000,
        repeats=1,
        how=MNIST_HOW,
        source=MNIST,
        licence="CC BY-SA 3.0",
        architecture="svhn-st",
        distortion="TC",
        needs=MNIST_FILES,
        labels=5,
    ),
    DatasetEntry(
        "cluttered-40",
        "Cluttered MNIST, 40x40",
        "12,000 MNIST digits, placed anywhere among five crops of others; 1,000 are held out.",
        classes=DIGITS,
        channels=1,
        height=40,
        width=40,
        images=10_000,
        held_out=1_000,
        repeats=1,
        how="Put mnist_sequence1_sample_5distortions5x5.npz into the folder `cluttered_mnist_40` "
        "of the data folder.",
        source="daviddao/spatial-transformer-tensorflow on GitHub.",
        licence="MIT",
        architecture="tensorflow",
        distortion="centred",
        needs=(("cluttered_mnist_40/*.npz",),),
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
        how=GTSRB_HOW,
        source=GTSRB,
        licence="Free for research.",
        architecture="signs",
        distortion="centred",
        needs=GTSRB_FILES,
        padding="border",
    ),
    DatasetEntry(
        "gtsrb-regions",
        "GTSRB, cropped to the sign",
        "The same photos, each cropped to the region that its list names.",
        classes=SIGNS,
        channels=3,
        height=48,
        width=48,
        images=35_639,
        held_out=3_570,
        repeats=1,
        how=GTSRB_HOW,
        source=GTSRB,
        licence="Free for research.",
        architecture="idsia",
        distortion="RTS",
        needs=GTSRB_FILES,
        padding="border",
    ),
)

OWN = DatasetEntry(
    "own",
    "Pictures of your own",
    "",
    classes=(),
    channels=3,
    height=48,
    width=48,
    images=0,
    held_out=0,
    repeats=4,
    how="",
    source="Yours.",
    licence="Yours.",
    architecture="signs",
    distortion="centred",
    padding="border",
)
"""What folders of one's own have in common."""

DATASETS = {entry.name: entry for entry in _TABLE}
