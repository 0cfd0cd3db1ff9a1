"""The named networks: source, size, and how each differs from its source."""

from dataclasses import dataclass

from stnscope.models.catalog.families import FAMILIES

ALL = tuple(FAMILIES)

PAPER = "Jaderberg et al., 2015 (arXiv 1506.02025), sec. 4.1 and A.4."
WIDTHS = "Hidden widths are ours, for about 400,000 parameters; the paper gives only that total."
ADDITION = "Jaderberg et al., 2015 (arXiv 1506.02025), A.1."
ADDITION_WIDTHS = "Hidden widths are ours, for about 400,000 parameters."
SVHN = "Jaderberg et al., 2015 (arXiv 1506.02025), sec. 4.2 and A.5."
SVHN_DIFFERENCES = (
    "ReLU throughout, and three hidden layers of 3,072 units, as its eleven layers imply."
)
MOODSTOCKS = "Moodstocks/gtsrb.torch on GitHub, at 7dc296c."
MOODSTOCKS_DIFFERENCES = (
    "Maps are normalised over a 9x9 box, as in its code, not over the Gaussian in its description."
)
VGG = "After Simonyan and Zisserman, 2015 (arXiv 1409.1556)."
VGG_DIFFERENCES = (
    "Six convolutions of at most 160 filters and a hidden layer of 200 units, with batch "
    "normalisation and dropout, for below two million parameters."
)
VGG_RECIPE = (
    "Ours: AdamW, one cycle, rate 0.003 and 0.001 for the localisation networks, batches of 128, "
    "label smoothing 0.05, averaged weights, no augmentation."
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
    "100, gradient norm at most 5."
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
    """Families its transformers can be built with; empty without transformers."""
    parameters: int
    """Trainable parameters of the whole network, with affine transformers if it has any."""
    source: str
    differences: str = ""
    """How it differs from its source, and why; empty if it does not."""
    recipe: str = ""
    """How its source trains it; empty if unknown."""
    transformers: int = 1
    relative_cost: float = 1.0
    """Training time per image on one core, relative to the compact ST-CNN."""
    learning_rate: float = 2e-3
    """Default peak learning rate of the classifier."""
    localisation_learning_rate: float = 1e-3
    """Default peak learning rate of the localisation networks."""
    needs_images: int = 72_000
    """Training images, each newly distorted, until it has clearly learnt; sets default epochs."""
    any_classes: bool = False
    """Whether it can be built for any number of classes."""
    labels: int = 1
    """Labels per image; more than one where it reads a sequence."""


_TABLE = (
    Architecture(
        "digits",
        "Compact ST-CNN",
        "A transformer that samples a 28x28 region of the 48x48 input for a small convolutional "
        "classifier, which recognises only digits that are centred.",
        height=48,
        width=48,
        channels=1,
        classes=10,
        families=ALL,
        parameters=163_040,
        source="After the ST-CNN of Jaderberg et al., 2015 (arXiv 1506.02025).",
        differences="Smaller, with a spatial soft-argmax for localisation: it learns in a minute.",
    ),
    Architecture(
        "digits-cnn",
        "Compact CNN",
        "The same classifier without a transformer: its input is the whole 48x48 image.",
        height=48,
        width=48,
        channels=1,
        classes=10,
        families=(),
        parameters=300_602,
        relative_cost=1.1,
        source="The baseline for the compact ST-CNN.",
        transformers=0,
    ),
    Architecture(
        "signs",
        "Compact ST-CNN for signs",
        "A transformer that samples a 32x32 region of the 48x48 colour input for a small "
        "convolutional classifier of 43 traffic signs.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=ALL,
        parameters=236_137,
        relative_cost=2.1,
        localisation_learning_rate=3e-3,
        source="After the network of Moodstocks/gtsrb.torch.",
        differences="Forty times smaller, to train on two cores in minutes.",
    ),
    Architecture(
        "signs-2st",
        "Compact ST-CNN for signs, two transformers",
        "Two transformers in series: the second samples a 32x32 region of the 40x40 output of the "
        "first, and corrects what is left.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=ALL,
        parameters=283_919,
        relative_cost=2.6,
        localisation_learning_rate=3e-3,
        source="After Lin and Lucey, 2017 (arXiv 1612.03897).",
        differences="Each transformer has a localisation network of its own and samples the output "
        "of the one before, not the input again.",
        transformers=2,
    ),
    Architecture(
        "signs-cnn",
        "Compact CNN for signs",
        "The same classifier without a transformer: its input is the whole 48x48 image.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=(),
        parameters=340_931,
        relative_cost=2.8,
        source="The baseline for the compact ST-CNN for signs.",
        transformers=0,
    ),
    Architecture(
        "paper-fcn",
        "The paper's FCN, 42x42",
        "Two fully connected hidden layers on all pixels.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=(),
        parameters=395_210,
        relative_cost=0.13,
        source=PAPER,
        differences=WIDTHS,
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
        relative_cost=7.5,
        source=PAPER,
        differences=WIDTHS,
        recipe=PAPER_RECIPE,
        transformers=0,
    ),
    Architecture(
        "paper-st-fcn",
        "The paper's ST-FCN, 42x42",
        "A transformer, with a localisation network of three layers of 32 units, before the FCN.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=ALL,
        parameters=398_100,
        relative_cost=0.27,
        source=PAPER,
        differences=WIDTHS,
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "paper-st-cnn",
        "The paper's ST-CNN, 42x42",
        "A transformer, with a localisation network of two convolutions, before the CNN; its "
        "output is average-pooled to half its size.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=ALL,
        parameters=399_984,
        relative_cost=1.2,
        source=PAPER,
        differences=WIDTHS + " Pooling uses ceil_mode, without which a halved 42x42 image is too "
        "small for 7x7 filters.",
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "paper-fcn-60",
        "The paper's FCN, 60x60",
        "Two fully connected hidden layers on all pixels.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=(),
        parameters=397_943,
        relative_cost=0.13,
        source=PAPER,
        differences=WIDTHS,
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
        relative_cost=18,
        source=PAPER,
        differences=WIDTHS,
        recipe=PAPER_RECIPE,
        transformers=0,
    ),
    Architecture(
        "paper-st-fcn-60",
        "The paper's ST-FCN, 60x60",
        "A transformer, with a localisation network of three layers of 32 units, before the FCN.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=ALL,
        parameters=401_605,
        relative_cost=0.3,
        source=PAPER,
        differences=WIDTHS,
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "paper-st-cnn-60",
        "The paper's ST-CNN, 60x60",
        "A transformer, with a localisation network of two convolutions, before the CNN; its "
        "output is average-pooled to half its size.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=ALL,
        parameters=397_814,
        relative_cost=4.1,
        source=PAPER,
        differences=WIDTHS,
        recipe=PAPER_RECIPE,
    ),
    Architecture(
        "addition-fcn",
        "FCN for addition",
        "Two fully connected hidden layers on both digits.",
        height=42,
        width=42,
        channels=2,
        classes=19,
        families=(),
        parameters=394_975,
        relative_cost=0.12,
        learning_rate=1e-3,
        localisation_learning_rate=3e-4,
        needs_images=240_000,
        source=ADDITION,
        differences=ADDITION_WIDTHS,
        transformers=0,
    ),
    Architecture(
        "addition-st",
        "ST-FCN for addition",
        "One transformer, which warps both digits alike, before the FCN.",
        height=42,
        width=42,
        channels=2,
        classes=19,
        families=ALL,
        parameters=395_097,
        relative_cost=0.22,
        learning_rate=1e-3,
        localisation_learning_rate=3e-4,
        needs_images=240_000,
        source=ADDITION,
        differences=ADDITION_WIDTHS
        + " Its output has 28x28 pixels, to leave parameters for the FCN.",
    ),
    Architecture(
        "addition-2st",
        "2xST-FCN for addition",
        "Two transformers in parallel, each of which warps both digits and learns to follow one.",
        height=42,
        width=42,
        channels=2,
        classes=19,
        families=ALL,
        parameters=403_889,
        relative_cost=0.27,
        learning_rate=1e-3,
        localisation_learning_rate=3e-4,
        needs_images=240_000,
        source=ADDITION,
        differences=ADDITION_WIDTHS
        + " Outputs have 28x28 pixels, to leave parameters for the FCN.",
        transformers=2,
    ),
    Architecture(
        "svhn-cnn",
        "CNN for house numbers",
        "Eleven hidden layers, and for each of five positions a digit or none.",
        height=64,
        width=64,
        channels=3,
        classes=11,
        families=(),
        parameters=32_820_951,
        relative_cost=97,
        source=SVHN,
        differences=SVHN_DIFFERENCES,
        recipe=SVHN_RECIPE,
        transformers=0,
        labels=5,
    ),
    Architecture(
        "svhn-st",
        "ST-CNN single for house numbers",
        "One transformer, with a localisation network of four layers, before the eleven layers.",
        height=64,
        width=64,
        channels=3,
        classes=11,
        families=ALL,
        parameters=33_898_877,
        relative_cost=105,
        source=SVHN,
        differences=SVHN_DIFFERENCES,
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
        relative_cost=98,
        source=SVHN,
        differences=SVHN_DIFFERENCES,
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
        relative_cost=0.66,
        source="pytorch/tutorials on GitHub, spatial_transformer_tutorial.py.",
        differences="Values are normalised after the warp, not before it, so that the padding is "
        "as black as the background; otherwise zooming out shows a frame, which training avoids.",
        recipe="SGD without momentum, rate 0.01, batches of 64, 20 epochs.",
    ),
    Architecture(
        "lasagne",
        "Lasagne's recipe",
        "A transformer with a 20x20 output from a 60x60 input, before two small convolutions.",
        height=60,
        width=60,
        channels=1,
        classes=10,
        families=ALL,
        parameters=178_018,
        source="Lasagne/Recipes on GitHub, spatial_transformer_network.ipynb.",
        differences="Coordinates -1 and 1 are the image's edges, as everywhere here, not the "
        "centres of the outermost pixels.",
        recipe="Adam, rate 0.001, times 0.7 every 20 epochs, batches of 256.",
    ),
    Architecture(
        "tensorflow",
        "TensorFlow's research model",
        "A transformer of the input's size, with a localisation network of 20 units, before two "
        "strided convolutions.",
        height=40,
        width=40,
        channels=1,
        classes=10,
        families=ALL,
        parameters=1_684_300,
        relative_cost=0.93,
        source="daviddao/spatial-transformer-tensorflow on GitHub, at 7d954f8.",
        differences="It starts at the identity and with random weights. Its source bounds theta "
        "by a tanh, starting at a scale of 0.76, and initialises all weights to 0, which stalls.",
        recipe="Adam, rate 0.001, batches of about 100, 500 epochs.",
    ),
    Architecture(
        "chainer",
        "Chainer's example",
        "A transformer of the input's size, its output average-pooled to half, before two "
        "convolutions.",
        height=42,
        width=42,
        channels=1,
        classes=10,
        families=ALL,
        parameters=64_788,
        relative_cost=0.78,
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
        relative_cost=55,
        source=MOODSTOCKS,
        differences=MOODSTOCKS_DIFFERENCES,
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
        relative_cost=114,
        source=MOODSTOCKS,
        differences=MOODSTOCKS_DIFFERENCES,
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
        relative_cost=88,
        source=MOODSTOCKS,
        differences=MOODSTOCKS_DIFFERENCES,
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
        relative_cost=20,
        source="Ciresan et al., Neural Networks 32, 2012.",
        differences="Activation and initialisation follow later publications.",
        recipe="SGD, its rate annealed.",
        transformers=0,
    ),
    Architecture(
        "vgg",
        "3x3 CNN for signs",
        "Three pairs of 3x3 convolutions with batch normalisation, on colours normalised by local "
        "contrast.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=(),
        parameters=1_677_347,
        relative_cost=22,
        source=VGG,
        differences=VGG_DIFFERENCES,
        recipe=VGG_RECIPE,
        transformers=0,
        learning_rate=3e-3,
    ),
    Architecture(
        "vgg-2st",
        "3x3 ST-CNN for signs, two transformers",
        "The same with a transformer at the input, which samples a 40x40 region, and one on the 48 "
        "maps after the first pair.",
        height=48,
        width=48,
        channels=3,
        classes=43,
        any_classes=True,
        families=ALL,
        parameters=1_459_215,
        relative_cost=15,
        source=VGG,
        differences=VGG_DIFFERENCES,
        recipe=VGG_RECIPE,
        transformers=2,
        learning_rate=3e-3,
    ),
    Architecture(
        "recurrent",
        "Recurrent ST",
        "Samples three regions, one after another, and reads a digit in each.",
        height=100,
        width=100,
        channels=1,
        classes=10,
        families=ALL,
        parameters=1_679_312,
        relative_cost=6.0,
        learning_rate=1e-3,
        needs_images=120_000,
        source=SEQUENCES,
        differences="Dropout does not increase over the first epochs.",
        recipe=SEQUENCES_RECIPE,
        transformers=3,
        labels=3,
    ),
    Architecture(
        "feed-forward",
        "Feed-forward ST for sequences",
        "Samples one region and reads three digits in it.",
        height=100,
        width=100,
        channels=1,
        classes=10,
        families=ALL,
        parameters=3_622_716,
        relative_cost=14,
        learning_rate=1e-3,
        needs_images=120_000,
        source=SEQUENCES,
        differences="Dropout does not increase over the first epochs.",
        recipe=SEQUENCES_RECIPE,
        labels=3,
    ),
)

ARCHITECTURES = {architecture.name: architecture for architecture in _TABLE}
