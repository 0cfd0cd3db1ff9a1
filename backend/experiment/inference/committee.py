"""A committee of trained runs: the accuracy of their averaged probabilities.

Like IDSIA's committee of 25 networks (Ciresan et al., 2012): five initialisations times five
preprocessings, outputs averaged. It evaluates recorded runs; nothing is trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.training.loop import (
    Validation,
    build_network,
    model_state,
    to_tensors,
)
from stnscope.models.network import Network

MIN_MEMBERS = 2


@dataclass(frozen=True)
class Member:
    """One run and its accuracy alone."""

    run: str
    step: int
    accuracy: float


@dataclass(frozen=True)
class CommitteeResult:
    """A committee's accuracy on held-out images."""

    members: tuple[Member, ...]
    accuracy: float
    labels: int
    """Number of labels evaluated."""


def evaluate(recordings: Sequence[Path], data: Path | None = None) -> CommitteeResult:
    """Evaluate all runs on the same held-out images, each with its own preprocessing, and average.

    Args:
        recordings: of the runs, each evaluated at its latest checkpoint.
        data: the folder of data sets.

    Raises:
        InvalidInput: fewer than two runs, one given twice, or runs with different images.
        Conflict: a run has no checkpoint yet.
        DatasetError: the data set is not available, or damaged.
    """
    if len(recordings) < MIN_MEMBERS:
        raise InvalidInput(f"A committee has at least {MIN_MEMBERS} members.", "runs")
    if len(set(recordings)) < len(recordings):
        raise InvalidInput("Each run can be a member only once.", "runs")
    runs = [_load_run(path) for path in recordings]
    first = runs[0].config
    for run in runs[1:]:
        if _images_of(run.config) != _images_of(first):
            raise InvalidInput(
                f"{run.run} and {runs[0].run} have different images: data set, distortion and "
                "strength must be the same, apart from preprocessing.",
                "runs",
            )
    dataset = load(first.dataset, data)
    total: Tensor | None = None
    members = []
    for run in runs:
        validation = Validation.build(run.config, dataset)
        probabilities = validation.logits(run.build_model(dataset)).softmax(dim=-1)
        members.append(Member(run.run, run.step, validation.accuracy_of(probabilities)))
        total = probabilities if total is None else total + probabilities
    assert total is not None
    return CommitteeResult(tuple(members), validation.accuracy_of(total), validation.labels.numel())


@dataclass(frozen=True, eq=False)
class _TrainedRun:
    run: str
    step: int
    config: RunConfig
    tensors: dict[str, Tensor]

    def build_model(self, dataset: Dataset) -> Network:
        model = build_network(self.config, len(dataset.entry.classes))
        model.load_state_dict(self.tensors)
        return model


def _load_run(path: Path) -> _TrainedRun:
    with Recording.open(path) as recording:
        checkpoint = recording.checkpoint()
        if checkpoint is None:
            raise Conflict(f"Run {path.stem} has no checkpoint yet.")
        tensors = model_state(to_tensors(checkpoint.tensors))
        return _TrainedRun(path.stem, checkpoint.step, recording.config(), tensors)


def _images_of(config: RunConfig) -> tuple[str, list[str], float]:
    """Return the settings that determine the validation images before preprocessing."""
    names = [name for name in config.distortion.name.split("+") if name not in PREPROCESSINGS]
    return config.dataset, names, config.distortion.strength
