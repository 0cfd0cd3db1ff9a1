"""Training, as a generator: whoever iterates it decides what to draw, record or stop.

What a step does depends on the configuration and the step's number alone: its batch, its learning
rates and its chances all come from (seed, step). A run that goes on from a checkpoint therefore
does exactly what it would have done, and a checkpoint holds no state of any random generator.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DatasetEntry,
    steps_per_epoch,
    validate,
)
from stnscope.backend.experiment.config import LiveSettings, RunConfig
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.progress import epoch_of
from stnscope.backend.experiment.training.input_pipeline import InputPipeline
from stnscope.backend.experiment.training.optimisers import (
    PEAK,
    load_optimiser_state,
    optimiser_of,
    optimiser_state,
)
from stnscope.backend.experiment.training.schedules import SCHEDULES
from stnscope.models.architectures import build
from stnscope.models.network import Network

GRADIENT_NORM = 5.0
VALIDATE_EVERY = 75
VALIDATION_DRAWS = 4
"""Fixed distortions of each held-out image, where they are few enough."""
MOST_VALIDATED = 1200
"""Images in a validation; of more that are held out it takes some, the same ones always."""
VALIDATION_SEED = 297
"""The same for every run, so that accuracies compare."""

Checkpoint = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Step:
    """Where training stands after an optimiser step. Good until the next one is asked for."""

    step: int
    """Optimiser steps done; 0 is the untrained network."""
    epoch: int
    steps_per_epoch: int
    loss: float | None
    """Of this step's batch, its labels smoothed; None at step 0. As they usually are, it stays
    above 0.5."""
    accuracy: float | None
    """The latest on held-out images; None before the first."""
    validated_step: int | None
    """When that was."""
    learning_rate: float | None
    """The classifier's, in this step."""
    model: Network
    state: Callable[[], dict[str, Tensor]]
    """Copies of everything that `train(..., start=)` needs to go on from here."""


def draw_generator(seed: int, purpose: str, number: int) -> Generator:
    """A generator that depends on these three alone, on every platform."""
    return Generator().manual_seed(_mixed(seed, purpose, number))


def _mixed(seed: int, purpose: str, number: int) -> int:
    digest = hashlib.blake2b(f"{purpose} {seed} {number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class Batches:
    """The training batches of a run; each is a function of (seed, step)."""

    def __init__(self, config: RunConfig, dataset: Dataset) -> None:
        self.config = config
        self.dataset = dataset
        self.per_epoch = steps_per_epoch(config, dataset.entry)
        self.scene = build_input_pipeline(config, dataset.entry, dataset.train)
        self._epoch = 0
        self._order = torch.empty(0, dtype=torch.long)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Images (N, C, H, W) and labels (N,) that step 1, 2, ... trains on."""
        seed, count = self.config.seed, self.config.batch_size
        first = (step - 1) % self.per_epoch * count
        chosen = self._shuffled(epoch_of(step, self.per_epoch))[first : first + count]
        train = self.dataset.train
        draws = draw_generator(seed, "distortion", step)
        return self.scene.shown(train.take(chosen), draws), train.labels[chosen]

    def _shuffled(self, epoch: int) -> Tensor:
        """Indices of an epoch's images, each as often as an epoch shows it."""
        if epoch != self._epoch:
            count = len(self.dataset.train)
            shown = count * self.dataset.entry.repeats
            generator = draw_generator(self.config.seed, "order", epoch)
            self._order = torch.randperm(shown, generator=generator) % count
            self._epoch = epoch
        return self._order


@dataclass(frozen=True, eq=False)
class Validation:
    """Held-out images (M, C, H, W), distorted once and for all, and their labels (M,) or (M, T)."""

    images: Tensor
    labels: Tensor

    @classmethod
    def of(cls, config: RunConfig, dataset: Dataset) -> "Validation":
        """The same images for every run on that data set, distortion and image size."""
        held_out = dataset.held_out
        chosen = torch.arange(len(held_out))
        if len(chosen) * VALIDATION_DRAWS <= MOST_VALIDATED:
            chosen = chosen.repeat(VALIDATION_DRAWS)
        else:
            choice = draw_generator(VALIDATION_SEED, "choice", 0)
            chosen = torch.randperm(len(chosen), generator=choice)[:MOST_VALIDATED]
        draws = draw_generator(VALIDATION_SEED, "validation", 0)
        shown = build_input_pipeline(config, dataset.entry, held_out).shown(
            held_out.take(chosen), draws
        )
        return cls(shown, held_out.labels[chosen])

    def logits(self, model: Network) -> Tensor:
        """What the network says of the images, (M, K) or (M, T, K)."""
        with torch.inference_mode():
            model.eval()
            return torch.cat([model(images).logits for images in torch.split(self.images, 99)])

    def accuracy_of(self, said: Tensor) -> float:
        """Share of the labels that are named, by logits or probabilities (M, K) or (M, T, K)."""
        return (said.argmax(dim=-1) == self.labels).double().mean().item()

    def accuracy(self, model: Network) -> float:
        """Share of the labels that the network gets right."""
        return self.accuracy_of(self.logits(model))


def train(
    config: RunConfig,
    dataset: Dataset,
    start: Checkpoint | None = None,
    settings: Callable[[int], LiveSettings] | None = None,
) -> Iterator[Step]:
    """Trains a network, yielding step 0 and then every optimiser step.

    Args:
        config: the run; `threads` is left to the process, which has only one setting for it.
        dataset: the loaded `config.dataset`.
        start: what `Step.state` gave in a run of the same configuration. Training goes on from
            there and first yields that step again, without its loss.
        settings: what is in effect in a step, asked for just before it; those of `config` always
            unless given.

    Raises:
        InvalidInput: the configuration's parts do not fit, or the checkpoint is of another run.
    """
    validate(config, dataset.entry)
    unchanged = LiveSettings.of(config)
    settings = settings or (lambda _: unchanged)
    batches, validation = Batches(config, dataset), Validation.of(config, dataset)
    model = _untrained(config, len(dataset.entry.classes))
    optimiser = optimiser_of(config, model)
    share, steps = SCHEDULES[config.schedule], config.epochs * batches.per_epoch
    done, accuracy, validated = 0, None, None
    if start is not None:
        done, accuracy, validated = _restore(start, config.optimiser, model, optimiser)
    loss: float | None = None
    while True:
        now = (done, accuracy, validated)
        yield Step(
            done,
            epoch_of(done, batches.per_epoch),
            batches.per_epoch,
            loss,
            accuracy,
            validated,
            optimiser.param_groups[0]["lr"] if loss is not None else None,
            model,
            lambda now=now: _state(model, optimiser, *now),  # type: ignore[misc]
        )
        if done >= steps:
            return
        done += 1
        peaks = settings(done)
        for group in optimiser.param_groups:
            group["lr"] = getattr(peaks, group[PEAK]) * share(done, steps)
        images, labels = batches.batch(done)
        # Dropout draws from torch's own generator: seeded for this step, and put back after it.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_mixed(config.seed, "dropout", done))
            loss = _take(model, optimiser, images, labels, config.label_smoothing)
        if done % VALIDATE_EVERY == 0 or done == steps:
            accuracy, validated = validation.accuracy(model), done


def _take(
    model: Network,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    smoothing: float,
) -> float:
    """One optimiser step; answers with the batch's loss before it."""
    model.train()
    logits = model(images).logits.flatten(0, -2)  # of all places, where there are several
    loss = functional.cross_entropy(logits, labels.flatten(), label_smoothing=smoothing)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
    optimiser.step()
    return loss.item()


def build_input_pipeline(config: RunConfig, entry: DatasetEntry, others: Images) -> InputPipeline:
    """How the run's images are put before its network; clutter is cut from `others`."""
    architecture = ARCHITECTURES[config.architecture]
    return InputPipeline.of(entry, config.distortion, architecture, others)


def _untrained(config: RunConfig, classes: int) -> Network:
    """A network whose start depends on the seed alone, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return build_network(config, classes)


def build_network(config: RunConfig, classes: int) -> Network:
    """The run's network, its start drawn from torch's global generator."""
    return build(
        config.architecture,
        config.family,
        classes,
        padding=config.sampler.padding_value,
        supersampling=config.sampler.supersampling,
    )


def _state(
    model: Network,
    optimiser: torch.optim.Optimizer,
    step: int,
    accuracy: float | None,
    validated: int | None,
) -> dict[str, Tensor]:
    state = {f"model.{name}": tensor.clone() for name, tensor in model.state_dict().items()}
    state |= optimiser_state(model, optimiser)
    numbers = [step, math.nan if accuracy is None else accuracy, validated or 0]
    state["training"] = torch.tensor(numbers, dtype=torch.float64)
    return state


def weights_of(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The network's own tensors in what `Step.state` gave."""
    prefix = "model."
    return {k.removeprefix(prefix): v for k, v in checkpoint.items() if k.startswith(prefix)}


def _restore(
    start: Checkpoint, kind: str, model: Network, optimiser: torch.optim.Optimizer
) -> tuple[int, float | None, int | None]:
    """Puts a checkpoint back; answers with its step, accuracy and validated step."""
    try:
        model.load_state_dict(weights_of(start))
        step, accuracy, validated = start["training"].tolist()
        if step:
            load_optimiser_state(kind, model, optimiser, start)
    except (KeyError, RuntimeError) as error:
        raise InvalidInput(f"This checkpoint is not of such a run: {error}") from error
    return int(step), None if math.isnan(accuracy) else accuracy, int(validated) or None
