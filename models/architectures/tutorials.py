"""The networks of the frameworks' tutorials and examples. Comments give shapes."""

from torch import nn

from stnscope.models import families
from stnscope.models.layers import GlobalContrast, convolution, init_he
from stnscope.models.network import Chain, Network
from stnscope.models.transformer import SpatialTransformer

MNIST_MEAN, MNIST_DEVIATION = 0.1307, 0.3081


def pytorch(family: str) -> Network:
    """Build the network of PyTorch's tutorial, 1x28x28 -> 10."""
    localisation = nn.Sequential(
        nn.Conv2d(1, 8, 7),  # 8x22x22
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(8, 10, 5),  # 10x7x7
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),  # 90
        nn.Linear(90, 32),
        nn.ReLU(),
    )
    return Chain(
        (28, 28),
        SpatialTransformer("st", families.get(family), localisation, 32, (28, 28)),
        GlobalContrast(MNIST_MEAN, MNIST_DEVIATION),
        nn.Conv2d(1, 10, 5),  # 10x24x24
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(10, 20, 5),  # 20x8x8
        nn.Dropout2d(),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),  # 320
        nn.Linear(320, 50),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(50, 10),
    )


def lasagne(family: str) -> Network:
    """Build the network of Lasagne's recipes, 1x60x60 -> an output of 20x20 -> 10."""
    localisation = nn.Sequential(
        nn.MaxPool2d(2),  # 1x30x30
        convolution(1, 20, 5),  # 20x13x13
        nn.Conv2d(20, 20, 5),  # 20x9x9
        nn.ReLU(),
        nn.Flatten(),  # 1620
        nn.Linear(1620, 50),
        nn.ReLU(),
    )
    transformer = SpatialTransformer(
        "st", families.get(family), init_he(localisation), 50, (20, 20), padding="border"
    )
    classifier = nn.Sequential(
        convolution(1, 32, 3),  # 32x9x9
        convolution(32, 32, 3),  # 32x3x3
        nn.Flatten(),
        nn.Linear(288, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )
    return Chain((60, 60), transformer, init_he(classifier))


def tensorflow(family: str) -> Network:
    """Build the network of TensorFlow's research models, 1x40x40 -> 10."""
    localisation = nn.Sequential(
        nn.Flatten(),
        nn.Linear(1600, 20),
        nn.Tanh(),
        nn.Dropout(0.2),
    )
    classifier = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1),  # 16x20x20
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2, padding=1),  # 16x10x10
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1600, 1024),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(1024, 10),
    )
    transformer = SpatialTransformer("st", families.get(family), localisation, 20, (40, 40))
    return Chain((40, 40), transformer, classifier)


def chainer(family: str) -> Network:
    """Build hvy's Chainer example, 1x42x42 -> an output of 42x42, halved -> 10."""
    localisation = nn.Sequential(
        nn.MaxPool2d(2),  # 1x21x21
        nn.Conv2d(1, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),  # 20x9x9
        nn.Conv2d(20, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),  # 20x3x3
        nn.Flatten(),
    )
    classifier = nn.Sequential(
        nn.AvgPool2d(2),  # 1x21x21
        nn.Conv2d(1, 32, 9),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),  # 32x7x7
        nn.Conv2d(32, 32, 7),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    transformer = SpatialTransformer("st", families.get(family), localisation, 180, (42, 42))
    return Chain((42, 42), transformer, classifier)
