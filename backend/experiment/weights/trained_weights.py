"""Trained weights and what they are of: those that ship, those of the user, those of runs.

Without torch; `weights.load` loads them. Weights are named in one way everywhere: `digits` for
those that ship or that were added, `run:ID` for the newest checkpoint of a run, `run:ID:STEP` for
one of its checkpoints.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from stnscope.backend.experiment.catalog import ARCHITECTURES, picture_refusal
from stnscope.backend.experiment.config import RunConfig, SamplerConfig
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import Conflict, NotFound
from stnscope.backend.experiment.limits import MAX_NAME_LENGTH
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.weights.weights_folder import WeightsFolder
from stnscope.models.cards import FOLDER, SUFFIX, Card, cards

RUN_PREFIX = "run:"
MAX_DIGITS = 16
"""Maximum number of digits of a step: at most 2^53 - 1, as everywhere."""
OBJECT = "object"
"""What a picture should show for a network whose data set does not define it."""

FindRecording = Callable[[str], Path]
"""Returns the recording of a run by its id; raises NotFound."""


@dataclass(frozen=True)
class TrainedWeights:
    """Weights in a file, and what they are of."""

    card: Card
    path: Path
    """A safetensors file, or a recording."""
    step: int | None = None
    """Step of the checkpoint in a recording; None for a safetensors file."""
    attempt: int = 0
    """Attempt that wrote the checkpoint."""
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    modified_ns: int = 0
    """When a safetensors file was modified: it may be replaced."""

    def encode(self) -> dict[str, Any]:
        """Return it as a JSON object, for another process."""
        return {
            "card": asdict(self.card),
            "path": str(self.path),
            "step": self.step,
            "attempt": self.attempt,
            "sampler": self.sampler.model_dump(),
            "modified_ns": self.modified_ns,
        }

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return what `encode` made the object of."""
        return cls(
            card=Card.of(fields["card"]),
            path=Path(fields["path"]),
            step=fields["step"],
            attempt=fields["attempt"],
            sampler=SamplerConfig.model_validate(fields["sampler"]),
            modified_ns=fields["modified_ns"],
        )


def shipped(card: Card) -> TrainedWeights:
    """Return weights that ship with the program, by their card."""
    return TrainedWeights(card, FOLDER / f"{card.name}{SUFFIX}")


def find(name: str, folder: WeightsFolder, find_recording: FindRecording) -> TrainedWeights:
    """Return weights by name.

    Args:
        name: as the module describes it.
        folder: of the user's own weights.
        find_recording: for names of runs.

    Raises:
        NotFound: there are none of that name; the text lists those that exist.
        Conflict: the run has no checkpoint yet, or is only watched.
        RecordingError, InvalidInput: the file cannot be read.
    """
    if name.startswith(RUN_PREFIX):
        run_id, _, step = name.removeprefix(RUN_PREFIX).partition(":")
        if step and not (step.isascii() and step.isdecimal() and len(step) <= MAX_DIGITS):
            raise NotFound(
                f"A checkpoint is named {RUN_PREFIX}ID:STEP, not {name[:MAX_NAME_LENGTH]!r}."
            )
        return of_run(find_recording(run_id), int(step) if step else None, name)
    if name in cards():
        return shipped(cards()[name])
    path = folder.path(name)
    if not path.is_file():
        names = [*cards(), *folder.cards()]
        nearest = get_close_matches(name, names, 1)
        hint = f" Did you mean {nearest[0]}?" if nearest else ""
        raise NotFound(
            f"There are no weights {name!r}; there are {', '.join(names)}, or {RUN_PREFIX}ID.{hint}"
        )
    return TrainedWeights(folder.card(name), path, modified_ns=path.stat().st_mtime_ns)


def find_for_picture(
    name: str, folder: WeightsFolder, find_recording: FindRecording
) -> TrainedWeights:
    """Return weights by name, of a network that can transform a picture.

    Args, raises: as `find`; Conflict too if its network cannot.
    """
    weights = find(name, folder, find_recording)
    if refusal := transform_refusal(weights.card):
        raise Conflict(refusal)
    return weights


def of_run(path: Path, step: int | None, name: str) -> TrainedWeights:
    """Return the weights of a checkpoint in a recording.

    Args:
        path: the recording.
        step: of the checkpoint; None for the newest.
        name: the name to give them.

    Raises:
        NotFound: it has no checkpoint of that step; the text lists the steps.
        Conflict: it has no checkpoint yet, or is only watched.
        RecordingError: it cannot be read.
    """
    with Recording.open(path) as recording:
        summary = recording.summary(check_writer=False)
        if summary["watched"]:
            raise Conflict(
                f"Run {path.stem} has no checkpoints, because a program of its own trains it. "
                f"While that trains, {RUN_PREFIX}{path.stem} is its network."
            )
        config = recording.config()
        checkpoints = recording.checkpoints()
        if not checkpoints:
            raise Conflict(f"Run {path.stem} has no checkpoint; one is written while it trains.")
        step = checkpoints[-1].step if step is None else step
        attempts = {each.step: each.attempt for each in checkpoints}
        if step not in attempts:
            steps = ", ".join(str(each) for each in attempts)
            raise NotFound(f"Run {path.stem} has no checkpoint of step {step}, but of {steps}.")
        classes = recording.frame(step).info["classes"]
    card = _card_of_run(name, config, summary, tuple(classes), step)
    return TrainedWeights(card, path, step, attempts[step], config.sampler)


def cards_of_run(path: Path, name: str) -> list[Card]:
    """Return the cards of all checkpoints in a recording, the newest first; it may have none.

    Args:
        path: the recording.
        name: of the newest one; that of an earlier one ends with its step.

    Raises:
        RecordingError: it cannot be read.
    """
    with Recording.open(path) as recording:
        summary, config = recording.summary(check_writer=False), recording.config()
        steps = [each.step for each in reversed(recording.checkpoints())]
        classes = [tuple(recording.frame(step).info["classes"]) for step in steps]
    names = [name if step == steps[0] else f"{name}:{step}" for step in steps]
    return [
        _card_of_run(each, config, summary, labels, step)
        for each, labels, step in zip(names, classes, steps, strict=True)
    ]


def transform_refusal(card: Card) -> str | None:
    """Return why a network cannot be applied to a single picture; None if it can."""
    return picture_refusal(card.architecture)


def transformer_count(card: Card) -> int | None:
    """Return the number of a network's transformers; None if the network is not one of ours."""
    architecture = ARCHITECTURES.get(card.architecture)
    return architecture.transformers if architecture else None


def name_without_transformer(card: Card) -> str | None:
    """Return the name of weights that ship, of the same data, without a transformer."""
    for other in cards().values():
        has_same_data = (other.dataset, other.distortion) == (card.dataset, card.distortion)
        if has_same_data and transformer_count(other) == 0 and transformer_count(card) != 0:
            return other.name
    return None


def subject_of(dataset: str) -> str:
    """Return what a picture should show for a network that was trained on a data set."""
    for card in cards().values():
        if card.dataset == dataset:
            return card.subject
    if dataset not in DATASETS:
        return OBJECT
    return "traffic sign" if DATASETS[dataset].channels == 3 else "digit"


def _card_of_run(
    name: str, config: RunConfig, run: Mapping[str, Any], classes: tuple[str, ...], step: int
) -> Card:
    title = ARCHITECTURES[config.architecture].title
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(run["created"]))
    return Card(
        name=name,
        title=f"{run['name'] or f'Run of {begun}'}: {title}, step {step:,}",
        description=f"The checkpoint of step {step} of the run of {begun}.",
        subject=subject_of(config.dataset),
        architecture=config.architecture,
        family=config.family,
        dataset=config.dataset,
        distortion=config.distortion.name,
        classes=classes,
        parameters=0,
        command=None,
        seed=config.seed,
        steps=step,
        accuracy=run["accuracy"],
        date=begun[:10],
        machine=None,
    )
