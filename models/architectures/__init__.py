"""The named networks and how to build them. Images are (N, C, H, W) in [0, 1]."""

from collections.abc import Callable, Mapping
from functools import partial

from stnscope.models.architectures import compact, paper, sequences, signs, tutorials
from stnscope.models.catalog import ARCHITECTURES
from stnscope.models.grid import Padding
from stnscope.models.network import Network

BUILDERS: Mapping[str, Callable[..., Network]] = {
    "digits": compact.digits,
    "digits-cnn": compact.digits_cnn,
    "signs": compact.signs,
    "signs-2st": compact.signs_2st,
    "signs-cnn": compact.signs_cnn,
    "paper-fcn": partial(paper.fcn, side=42, hidden=200),
    "paper-cnn": partial(paper.cnn, side=42, second=116, flat=25),
    "paper-st-fcn": partial(paper.st_fcn, side=42, hidden=174),
    "paper-st-cnn": partial(
        paper.st_cnn, side=42, second=120, localised=16, flat=1, ceil_mode=True
    ),
    "paper-fcn-60": partial(paper.fcn, side=60, hidden=107),
    "paper-cnn-60": partial(paper.cnn, side=60, second=95, flat=100),
    "paper-st-fcn-60": partial(paper.st_fcn, side=60, hidden=77),
    "paper-st-cnn-60": partial(
        paper.st_cnn, side=60, second=110, localised=81, flat=4, ceil_mode=False
    ),
    "addition-fcn": partial(paper.addition, transformers=0, hidden=108),
    "addition-st": partial(paper.addition, transformers=1, hidden=160),
    "addition-2st": partial(paper.addition, transformers=2, hidden=54),
    "svhn-cnn": partial(paper.svhn, transformers=0),
    "svhn-st": partial(paper.svhn, transformers=1),
    "svhn-4st": partial(paper.svhn, transformers=4),
    "pytorch": tutorials.pytorch,
    "lasagne": tutorials.lasagne,
    "tensorflow": tutorials.tensorflow,
    "chainer": tutorials.chainer,
    "moodstocks": partial(signs.moodstocks, widths=(150, 200, 300, 350)),
    "moodstocks-st": partial(
        signs.moodstocks, widths=(200, 250, 350, 400), at_input=(200, 300, 200)
    ),
    "moodstocks-2st": partial(
        signs.moodstocks,
        widths=(150, 200, 300, 350),
        at_input=(200, 300, 200),
        after_second=(150, 150, 150),
    ),
    "idsia": signs.idsia,
    "vgg": signs.vgg,
    "vgg-2st": signs.vgg_2st,
    "recurrent": sequences.Recurrent,
    "feed-forward": sequences.feed_forward,
}


def build(
    name: str,
    family: str = "affine",
    classes: int | None = None,
    *,
    padding: Padding | None = None,
    supersampling: int | None = None,
) -> Network:
    """Build an untrained network, initialised from torch's global generator.

    Args:
        name: of the architecture.
        family: of its transformers.
        classes: number of classes, where the catalog allows any; None for the network's own.
        padding, supersampling: as for `Network.configure_sampling`.

    Raises:
        KeyError: there is no such architecture or family; the message lists the names.
        ValueError: it cannot be built for this number of classes.
    """
    if name not in BUILDERS:
        raise KeyError(f"There is no architecture {name!r}; there are {', '.join(BUILDERS)}.")
    default = ARCHITECTURES[name].classes
    if classes in (None, default):
        network = BUILDERS[name](family)
    elif ARCHITECTURES[name].any_classes:
        network = BUILDERS[name](family, classes=classes)
    else:
        raise ValueError(f"{name} has {default} classes and cannot be built for {classes}.")
    network.configure_sampling(padding=padding, supersampling=supersampling)
    return network
