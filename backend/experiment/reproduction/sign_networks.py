"""The published figures on traffic signs: IDSIA's committee against Moodstocks. Without torch.

They are on the official test set of the GTSRB.
"""

from dataclasses import dataclass

from stnscope.models.catalog import ARCHITECTURES

COMMITTEE = 25
"""Networks of IDSIA's committee."""


@dataclass(frozen=True)
class PublishedNetwork:
    """A network or committee with its accuracy on the test set, as it was published."""

    title: str
    source: str
    networks: int
    """0 for people."""
    augmentation: bool | None
    jitter: bool | None
    weights: str
    """Number of weights, as published; empty if it was not."""
    parameters: int | None
    """Number of parameters, counted in the networks here."""
    multiply_adds: int | None
    """Multiply-adds of convolutions and linear layers for one image, counted here."""
    accuracy: str
    """Accuracy in percent, as published."""


IDSIA = "Ciresan et al., Neural Networks 32, 2012"
MOODSTOCKS = "Moodstocks/gtsrb.torch, README"

NETWORKS = (
    PublishedNetwork(
        title="IDSIA, committee",
        source=IDSIA,
        networks=COMMITTEE,
        augmentation=True,
        jitter=True,
        weights="about 90 M",
        parameters=COMMITTEE * ARCHITECTURES["idsia"].parameters,
        multiply_adds=COMMITTEE * 125_978_700,
        accuracy="99.46",
    ),
    PublishedNetwork(
        title="Moodstocks, two transformers",
        source=f"{MOODSTOCKS}; 99.61 in its first version and on torch.ch",
        networks=1,
        augmentation=False,
        jitter=False,
        weights="about 20 M",
        parameters=ARCHITECTURES["moodstocks-2st"].parameters,
        multiply_adds=748_580_717,
        accuracy="99.61 to 99.67",
    ),
    PublishedNetwork(
        title="Moodstocks, one transformer",
        source=MOODSTOCKS,
        networks=1,
        augmentation=False,
        jitter=False,
        weights="",
        parameters=ARCHITECTURES["moodstocks-st"].parameters,
        multiply_adds=991_988_991,
        accuracy="99.46",
    ),
    PublishedNetwork(
        title="Moodstocks, no transformer",
        source=MOODSTOCKS,
        networks=1,
        augmentation=False,
        jitter=False,
        weights="",
        parameters=ARCHITECTURES["moodstocks"].parameters,
        multiply_adds=489_683_825,
        accuracy="98.85",
    ),
    PublishedNetwork(
        title="People",
        source="Stallkamp et al., Neural Networks 32, 2012",
        networks=0,
        augmentation=None,
        jitter=None,
        weights="",
        parameters=None,
        multiply_adds=None,
        accuracy="98.84",
    ),
)
