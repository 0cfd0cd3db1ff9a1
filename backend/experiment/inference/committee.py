"""A committee of trained runs: what their averaged probabilities are worth together.

As IDSIA's of 25 networks (Ciresan et al., 2012): five starts by five ways to see the images, the
outputs averaged. It is an evaluation of runs that were recorded; nothing is trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.training.loop import Validation, build_network, weights_of
from stnscope.models.network import Network

FEWEST = 2


@dataclass(frozen=True)
class Member:
    """One run, and how it does alone."""

    run: str
    step: int
    accuracy: float


@dataclass(frozen=True)
class Verdict:
    """How a committee does on images that none of its members was trained on."""

    members: tuple[Member, ...]
    accuracy: float
    labels: int
    """How many labels that was counted over."""


def evaluate(recordings: Sequence[Path], data: Path | None = None) -> Verdict:
    """Shows the same held-out images to all runs, each in its own way, and averages.

    Args:
        recordings: of the runs; each takes part with its newest checkpoint.
        data: the folder that data sets are read from.

    Raises:
        InvalidInput: they are fewer than two, or one twice, or they do not see the same images.
        Conflict: a run has no checkpoint yet.
        DatasetError: the data set is not at hand, or damaged.
    """
    if len(recordings) < FEWEST:
        raise InvalidInput(f"A committee has at least {FEWEST} members.", "runs")
    if len(set(recordings)) < len(recordings):
        raise InvalidInput("Each run is a member once.", "runs")
    read = [_read(path) for path in recordings]
    first = read[0].config
    for each in read[1:]:
        if _images_of(each.config) != _images_of(first):
            raise InvalidInput(
                f"{each.run} and {read[0].run} are shown different images: data set, distortion "
                "and its strength must be the same, but for how the images are seen.",
                "runs",
            )
    dataset = load(first.dataset, data)
    total: Tensor | None = None
    members = []
    for each in read:
        validation = Validation.of(each.config, dataset)
        chances = validation.logits(each.model(dataset)).softmax(dim=-1)
        members.append(Member(each.run, each.step, validation.accuracy_of(chances)))
        total = chances if total is None else total + chances
    assert total is not None
    return Verdict(tuple(members), validation.accuracy_of(total), validation.labels.numel())


@dataclass(frozen=True, eq=False)
class _Trained:
    run: str
    step: int
    config: RunConfig
    tensors: dict[str, Tensor]

    def model(self, dataset: Dataset) -> Network:
        model = build_network(self.config, len(dataset.entry.classes))
        model.load_state_dict(self.tensors)
        return model


def _read(path: Path) -> _Trained:
    with Recording.open(path) as recording:
        checkpoint = recording.checkpoint()
        if checkpoint is None:
            raise Conflict(f"Run {path.stem} has no checkpoint yet.")
        tensors = {
            name: torch.from_numpy(array.copy()) for name, array in checkpoint.tensors.items()
        }
        return _Trained(path.stem, checkpoint.step, recording.config(), weights_of(tensors))


def _images_of(config: RunConfig) -> tuple[str, list[str], float]:
    """What of a configuration decides which images are validated, however they are seen."""
    names = [name for name in config.distortion.name.split("+") if name not in PREPROCESSINGS]
    return config.dataset, names, config.distortion.strength
