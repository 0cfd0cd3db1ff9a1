"""The named networks: where each comes from, its size, and how it departs from its source."""

from dataclasses import dataclass

from stnscope.models.catalog.families import FAMILIES

ALL = tuple(FAMILIES)

PAPER = "Jaderberg et al., 2015 (arXiv 1506.02025), sec. 4.1 and A.4."
WIDTHS = "Hidden widths are ours, for about 400,000 parameters: the paper names the sum only."
ADDITION = "Jaderberg et al., 2015 (arXiv 1506.02025), A.1."
ADDITION_WIDTHS = "Hidden widths are ours, for about 400,000 parameters."
SVHN = "Jaderberg et al., 2015 (arXiv 1506.02025), sec. 4.2 and A.5."
SVHN_DEPARTS = (
    "Rectifiers throughout, and three hidden layers of 3,072 units, which its eleven layers imply."
)
MOODSTOCKS = "Moodstocks/gtsrb.torch on GitHub, at 7dc296c."
MOODSTOCKS_DEPARTS = (
    "Maps are normalised over a box of 9x9, as its code does, not over the Gaussian that it names."
)
SEQUENCES = "Sonderby et al., 2015 (arXiv 1509.05329)."

PAPER_RECIPE = (
    "SGD, rate 0.01, divided by ten every 50,000 of 150,000 steps, batches of 256, no weight decay."
)
SVHN_RECIPE = (
    "SGD, rate 0.01 and a tenth of it for the localisation networks, divided by ten every 80,000 "
    "of 400,000 steps, batches of 128, weight decay 0.0005."
)
MOODSTOCKS_RECIPE = "SGD without momentum, rate 0.01, batches of 50, no weight decay."
SEQUENCES_RECIPE = (
    "RMSprop, rate 0.0005, divided by 1.5 about every ten epochs after the thirtieth, batches of "
    "100, gradients of a norm of 5 at most."
)


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
    """Trained numbers in the whole network, with affine transformers where it has any."""
    source: str
    departs: str = ""
    """How it departs from its source, and why; empty where it does not."""
    recipe: str = ""
    """How its source trains it; empty where there is none, or it does not tell."""
    transformers: int = 1
    work: float = 1.0
    """Time of a training step for each image on one core, in that of the compact ST-CNN."""
    learning_rate: float = 2e-3
    """Peak rate of the classifier that is offered first."""
    localisation_learning_rate: float = 1e-3
    """The same of the localisation networks."""
    needs_images: int = 72_000
    """Images, each distorted anew, that it is shown before one sees well that it has learnt."""
    any_classes: bool = False
    """Whether it can be built for another number of classes."""
    labels: int = 1
    """Labels of an image: more than one where it is read place by place."""


_TABLE = (
    Architecture(
        "digits",
        "Compact ST-CNN",
        "A transformer that hands a 28x28 region of the 48x48 input to a small convolutional "
        "classifier, which can read only what is brought to its middle.",
        height=48,
        width=48,
        channels=1,
        classes=10,
        families=ALL,
        parameters=163_040,
        source="After the ST-CNN of Jaderberg et al., 2015 (arXiv 1506.02025).",
        departs="Made smaller, its localisation network finds peaks: it learns within a minute.",
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
        work=1.1,
        source="The baseline for the compact ST-CNN.",
        transformers=0,
    ),
    Architecture(
        "signs",
        "Compact ST-CNN for signs",
        "A transformer that hands a 32x32 region of the 48x48 colour input to a small "
        "convolutional classifier of 43 traffic signs.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=ALL,
        parameters=236_137,
        work=2.1,
        source="After the network of Moodstocks/gtsrb.torch.",
        departs="Made forty times smaller: it learns on two cores while one watches.",
    ),
    Architecture(
        "signs-cnn",
        "Compact CNN for signs",
        "The same classifier without a transformer: it sees the whole 48x48 input.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=(),
        parameters=340_931,
        work=2.8,
        source="The baseline for the compact ST-CNN for signs.",
        transformers=0,
    ),
    Architecture(
        "paper-fcn",
        "The paper's FCN, 42x42",
        "Two hidden layers that see every pixel.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=(),
        parameters=395_210,
        work=0.13,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
        transformers=0,
    ),
    Architecture(
        "paper-cnn",
        "The paper's CNN, 42x42",
        "Two convolutions, 9x9 and 7x7, each pooled.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=(),
        parameters=398_150,
        work=7.5,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
        transformers=0,
    ),
    Architecture(
        "paper-st-fcn",
        "The paper's ST-FCN, 42x42",
        "A transformer, told where to look by three layers of 32 units, before the FCN.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=ALL,
        parameters=398_100,
        work=0.27,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "paper-st-cnn",
        "The paper's ST-CNN, 42x42",
        "A transformer, told where to look by two convolutions, before the CNN; its output is "
        "halved by averaging.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=ALL,
        parameters=399_984,
        work=1.2,
        source=PAPER,
        departs=WIDTHS + " Pooling keeps what is left over at the edge, without which a halved "
        "42x42 is too small for 7x7 filters.",
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "paper-fcn-60",
        "The paper's FCN, 60x60",
        "Two hidden layers that see every pixel.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=(),
        parameters=397_943,
        work=0.13,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
        transformers=0,
    ),
    Architecture(
        "paper-cnn-60",
        "The paper's CNN, 60x60",
        "Two convolutions, 9x9 and 7x7, each pooled.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=(),
        parameters=398_273,
        work=18,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
        transformers=0,
    ),
    Architecture(
        "paper-st-fcn-60",
        "The paper's ST-FCN, 60x60",
        "A transformer, told where to look by three layers of 32 units, before the FCN.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=ALL,
        parameters=401_605,
        work=0.3,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "paper-st-cnn-60",
        "The paper's ST-CNN, 60x60",
        "A transformer, told where to look by two convolutions, before the CNN; its output is "
        "halved by averaging.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=ALL,
        parameters=397_814,
        work=4.1,
        source=PAPER,
        departs=WIDTHS,
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "addition-fcn",
        "FCN for addition",
        "Two hidden layers that see both digits.",
        height=42,
        width=42,
        channels=2,
        classes=19,
        families=(),
        parameters=394_975,
        work=0.12,
        learning_rate=1e-3,
        localisation_learning_rate=3e-4,
        needs_images=240_000,
        source=ADDITION,
        departs=ADDITION_WIDTHS,
        transformers=0,
    ),
    Architecture(
        "addition-st",
        "ST-FCN for addition",
        "One transformer, which moves both digits alike, before the FCN.",
        height=42,
        width=42,
        channels=2,
        classes=19,
        families=ALL,
        parameters=395_097,
        work=0.22,
        learning_rate=1e-3,
        localisation_learning_rate=3e-4,
        needs_images=240_000,
        source=ADDITION,
        departs=ADDITION_WIDTHS + " Its region has 28x28 pixels, to leave the FCN some of them.",
    ),
    Architecture(
        "addition-2st",
        "2xST-FCN for addition",
        "Two transformers in parallel, each of which moves both digits; each comes to follow one.",
        height=42,
        width=42,
        channels=2,
        classes=19,
        families=ALL,
        parameters=403_889,
        work=0.27,
        learning_rate=1e-3,
        localisation_learning_rate=3e-4,
        needs_images=240_000,
        source=ADDITION,
        departs=ADDITION_WIDTHS + " Regions have 28x28 pixels, to leave the FCN some of them.",
        transformers=2,
    ),
    Architecture(
        "svhn-cnn",
        "CNN for house numbers",
        "Eleven hidden layers, and for each of five places a digit or none.",
        height=64,
        width=64,
        channels=3,
        classes=11,
        families=(),
        parameters=32_820_951,
        work=97,
        source=SVHN,
        departs=SVHN_DEPARTS,
        recipe=SVHN_RECIPE,
        transformers=0,
        labels=5,
    ),
    Architecture(
        "svhn-st",
        "ST-CNN single for house numbers",
        "One transformer, told where to look by a CNN of four layers, before the eleven layers.",
        height=64,
        width=64,
        channels=3,
        classes=11,
        families=ALL,
        parameters=33_898_877,
        work=105,
        source=SVHN,
        departs=SVHN_DEPARTS,
        recipe=SVHN_RECIPE,
        labels=5,
    ),
    Architecture(
        "svhn-4st",
        "ST-CNN multi for house numbers",
        "Four transformers, one before each of the first four convolutions.",
        height=64,
        width=64,
        channels=3,
        classes=11,
        families=ALL,
        parameters=37_937_903,
        work=98,
        source=SVHN,
        departs=SVHN_DEPARTS,
        recipe=SVHN_RECIPE,
        transformers=4,
        labels=5,
    ),
    Architecture(
        "pytorch",
        "PyTorch's tutorial",
        "A transformer of the input's size before two small convolutions.",
        height=28,
        width=28,
        channels=1,
        classes=10,
        families=ALL,
        parameters=27_360,
        work=0.66,
        source="pytorch/tutorials on GitHub, spatial_transformer_tutorial.py.",
        departs="Tones are normalised after the warp, not before it, so that the ground outside "
        "the image is the digits' own black; else zooming out draws a frame, which is avoided.",
        recipe="SGD without momentum, rate 0.01, batches of 64, 20 epochs.",
    ),
    Architecture(
        "lasagne",
        "Lasagne's recipe",
        "A transformer that hands a 20x20 region of 60x60 to two small convolutions.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=ALL,
        parameters=178_018,
        source="Lasagne/Recipes on GitHub, spatial_transformer_network.ipynb.",
        departs="Pixels are counted by their edges, as everywhere here, not by the centres of the "
        "outermost ones.",
        recipe="Adam, rate 0.001, times 0.7 every 20 epochs, batches of 256.",
    ),
    Architecture(
        "tensorflow",
        "TensorFlow's research model",
        "A transformer of the input's size, told where to look by 20 units, before two strided "
        "convolutions.",
        height=40,
        width=40,
        channels=1,
        classes=10,
        families=ALL,
        parameters=1_684_300,
        work=0.93,
        source="daviddao/spatial-transformer-tensorflow on GitHub, at 7d954f8.",
        departs="It starts at the identity and with random weights: its source bounds theta by a "
        "tanh, which starts at a scale of 0.76, and starts all weights at 0, which stalls.",
        recipe="Adam, rate 0.001, batches of about 100, 500 epochs.",
    ),
    Architecture(
        "chainer",
        "Chainer's example",
        "A transformer of the input's size, its output halved by averaging, before two "
        "convolutions.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=ALL,
        parameters=64_788,
        work=0.78,
        source="hvy/chainer-spatial-transformer-networks on GitHub.",
        recipe="Adam, batches of 128.",
    ),
    Architecture(
        "moodstocks",
        "Moodstocks, no transformer",
        "Three convolutions with local contrast normalisation.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        families=(),
        parameters=5_258_143,
        work=55,
        source=MOODSTOCKS,
        departs=MOODSTOCKS_DEPARTS,
        recipe=MOODSTOCKS_RECIPE,
        transformers=0,
    ),
    Architecture(
        "moodstocks-st",
        "Moodstocks, one transformer",
        "A transformer at the input of a wider network.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        families=ALL,
        parameters=10_964_749,
        work=114,
        source=MOODSTOCKS,
        departs=MOODSTOCKS_DEPARTS,
        recipe=MOODSTOCKS_RECIPE,
    ),
    Architecture(
        "moodstocks-2st",
        "Moodstocks, two transformers",
        "One at the input, one on the 200 maps after the second convolution.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        families=ALL,
        parameters=10_271_405,
        work=88,
        source=MOODSTOCKS,
        departs=MOODSTOCKS_DEPARTS,
        recipe=MOODSTOCKS_RECIPE,
        transformers=2,
    ),
    Architecture(
        "idsia",
        "IDSIA's network",
        "Three convolutions without padding: one of the committee of 25.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        families=(),
        parameters=1_543_443,
        work=20,
        source="Ciresan et al., Neural Networks 32, 2012.",
        departs="Activation and start are as later accounts tell them.",
        recipe="SGD, its rate annealed.",
        transformers=0,
    ),
    Architecture(
        "recurrent",
        "Recurrent ST",
        "Looks three times, one region after another, and reads a digit in each.",
        height=100,
        width=100,
        channels=1,
        classes=10,
        families=ALL,
        parameters=1_679_312,
        work=6.0,
        learning_rate=1e-3,
        needs_images=120_000,
        source=SEQUENCES,
        departs="Dropout does not grow over the first epochs.",
        recipe=SEQUENCES_RECIPE,
        transformers=3,
        labels=3,
    ),
    Architecture(
        "feed-forward",
        "Feed-forward ST for sequences",
        "Looks once, and reads three digits in that one region.",
        height=100,
        width=100,
        channels=1,
        classes=10,
        families=ALL,
        parameters=3_622_716,
        work=14,
        learning_rate=1e-3,
        needs_images=120_000,
        source=SEQUENCES,
        departs="Dropout does not grow over the first epochs.",
        recipe=SEQUENCES_RECIPE,
        labels=3,
    ),
)

ARCHITECTURES = {architecture.name: architecture for architecture in _TABLE}
