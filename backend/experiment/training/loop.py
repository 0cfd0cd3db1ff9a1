"""The training loop, as a generator: the caller decides what to record and when to stop.

A step depends only on the configuration and its number: batch, learning rates and all random
numbers come from (seed, step). A resumed run therefore computes exactly what an uninterrupted one
would, and a checkpoint needs no state of a random generator.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from stnscope.backend.experiment.catalog import (
    steps_per_epoch,
    validate,
)
from stnscope.backend.experiment.config import LiveSettings, RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.devices.choice import BFLOAT16, has_channels_last
from stnscope.backend.experiment.devices.torch_devices import (
    preserving_generators,
    seed_generators,
    torch_device,
)
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array
from stnscope.backend.experiment.inputs.pipeline import build_input_pipeline
from stnscope.backend.experiment.inputs.random_generators import hash_seed, make_generator
from stnscope.backend.experiment.progress import epoch_of
from stnscope.backend.experiment.recording.records import AVERAGE, MODEL, evaluated_weights
from stnscope.backend.experiment.training import schedules
from stnscope.backend.experiment.training.averaging import WeightAverage
from stnscope.backend.experiment.training.consistency import consistency_loss
from stnscope.backend.experiment.training.optimisers import (
    PEAK,
    build_optimiser,
    copy_to_cpu,
    load_optimiser_state,
    optimiser_state,
)
from stnscope.models.architectures import build
from stnscope.models.network import Network
from stnscope.models.precision import autocast

GRADIENT_NORM = 5.0
VALIDATE_EVERY = 75
VALIDATION_DRAWS = 4
"""Fixed distortions of each held-out image, if that makes at most `MAX_VALIDATION_IMAGES`."""
MAX_VALIDATION_IMAGES = 1200
"""If there are more held-out images, a fixed random subset is used."""
VALIDATION_SEED = 297
"""The same for every run, so that accuracies are comparable."""

TrainingState = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Step:
    """The state of training after an optimiser step; valid until the next step begins."""

    step: int
    """Number of optimiser steps so far; 0 is the untrained network."""
    epoch: int
    steps_per_epoch: int
    loss: float | None
    """Loss of this step's batch, with label smoothing, which usually keeps it above 0.5; None at
    step 0."""
    accuracy: float | None
    """The latest on held-out images; None before the first validation."""
    validated_step: int | None
    """The step of that validation."""
    learning_rate: float | None
    """The classifier's in this step; None at step 0."""
    model: Network
    """What is evaluated: the network, or the moving average of its weights if the run has one."""
    trained: Network
    """The network that is trained."""
    state: Callable[[], dict[str, Tensor]]
    """Return copies of all tensors that `train(..., checkpoint=)` needs to resume here."""


class Batches:
    """The training batches of a run, each a function of (seed, step)."""

    def __init__(self, config: RunConfig, dataset: Dataset) -> None:
        self.config = config
        self.dataset = dataset
        self.per_epoch = steps_per_epoch(config, dataset.entry)
        self.pipeline = build_input_pipeline(config, dataset.entry, dataset.train)
        self._epoch = 0
        self._order = torch.empty(0, dtype=torch.long)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the images (N, C, H, W) and labels (N,) of step 1, 2, ...

        For the consistency loss the second half has the images of the first, distorted otherwise.
        """
        seed, copies = self.config.seed, 2 if self.config.consistency else 1
        count = self.config.batch_size // copies
        first = (step - 1) % self.per_epoch * count
        order = self._shuffle(epoch_of(step, self.per_epoch))
        indices = order[first : first + count].repeat(copies)
        train = self.dataset.train
        generator = make_generator(seed, "distortion", step)
        images = self.pipeline.apply_random(train.take(indices), generator)
        return images, train.labels[indices]

    def _shuffle(self, epoch: int) -> Tensor:
        """Return the indices of an epoch's images, each as often as the data set repeats it."""
        if epoch != self._epoch:
            count = len(self.dataset.train)
            total = count * self.dataset.entry.repeats
            generator = make_generator(self.config.seed, "order", epoch)
            self._order = torch.randperm(total, generator=generator) % count
            self._epoch = epoch
        return self._order


@dataclass(frozen=True, eq=False)
class Validation:
    """Held-out images (M, C, H, W) with a fixed distortion, and their labels (M,) or (M, T)."""

    images: Tensor
    labels: Tensor

    @classmethod
    def build(cls, config: RunConfig, dataset: Dataset, *, complete: bool = False) -> "Validation":
        """Return the same images for every run with this data set, distortion and image size.

        Args:
            config: of the run.
            dataset: the loaded `config.dataset`.
            complete: whether to have each held-out image once, however many there are.
        """
        held_out = dataset.held_out
        indices = torch.arange(len(held_out))
        if complete:
            pass
        elif len(indices) * VALIDATION_DRAWS <= MAX_VALIDATION_IMAGES:
            indices = indices.repeat(VALIDATION_DRAWS)
        else:
            generator = make_generator(VALIDATION_SEED, "choice", 0)
            indices = torch.randperm(len(indices), generator=generator)[:MAX_VALIDATION_IMAGES]
        pipeline = build_input_pipeline(config, dataset.entry, held_out)
        generator = make_generator(VALIDATION_SEED, "validation", 0)
        images = pipeline.apply_random(held_out.take(indices), generator)
        return cls(images, held_out.labels[indices])

    def logits(self, model: Network) -> Tensor:
        """Return the network's logits for the images, (M, K) or (M, T, K), on the CPU."""
        with torch.inference_mode():
            model.eval()
            batches = torch.split(self.images, 99)
            return torch.cat([model(images.to(model.device)).logits.cpu() for images in batches])

    def accuracy_of(self, scores: Tensor) -> float:
        """Return the accuracy of logits or probabilities (M, K) or (M, T, K)."""
        return (scores.argmax(dim=-1) == self.labels).double().mean().item()

    def accuracy(self, model: Network) -> float:
        """Return the network's accuracy on the images."""
        return self.accuracy_of(self.logits(model))


def train(
    config: RunConfig,
    dataset: Dataset,
    checkpoint: TrainingState | None = None,
    settings: Callable[[int], LiveSettings] | None = None,
    validate_every: int = VALIDATE_EVERY,
) -> Iterator[Step]:
    """Train a network, yielding step 0 and then every optimiser step.

    Images are made on the CPU, and the network is initialised there: these are the same on every
    device.

    Args:
        config: the run; `threads` is ignored, since it is a setting of the process.
        dataset: the loaded `config.dataset`.
        checkpoint: from `Step.state` in a run of the same configuration. Training resumes there and
            first yields that step again, without its loss.
        settings: returns the live settings of a step, called just before it; by default those of
            `config` always.
        validate_every: steps from one validation to the next.

    Raises:
        InvalidInput: the configuration is inconsistent, there is no such device, or the checkpoint
            is of another run.
    """
    validate(config, dataset.entry)
    device = torch_device(config.device)
    defaults = LiveSettings.of(config)
    settings = settings or (lambda _: defaults)
    batches, validation = Batches(config, dataset), Validation.build(config, dataset)
    model = build_untrained(config, len(dataset.entry.classes)).to(device)
    optimiser = build_optimiser(config, model)
    schedule, steps = schedules.IMPLEMENTATIONS[config.schedule], config.epochs * batches.per_epoch
    done, accuracy, validated = 0, None, None
    if checkpoint is not None:
        done, accuracy, validated = _restore(checkpoint, config.optimiser, model, optimiser)
    average = WeightAverage(model, config.ema_decay, done) if config.ema_decay else None
    if average and checkpoint is not None:
        _load_weights(average.model, checkpoint, AVERAGE)
    evaluated = average.model if average else model
    loss: float | None = None
    while True:
        progress = (done, accuracy, validated)
        yield Step(
            done,
            epoch_of(done, batches.per_epoch),
            batches.per_epoch,
            loss,
            accuracy,
            validated,
            optimiser.param_groups[0]["lr"] if loss is not None else None,
            evaluated,
            model,
            lambda progress=progress: _state(model, optimiser, average, *progress),  # type: ignore[misc]
        )
        if done >= steps:
            return
        done += 1
        peaks = settings(done)
        for group in optimiser.param_groups:
            group["lr"] = getattr(peaks, group[PEAK]) * schedule(done, steps)
        images, labels = batches.batch(done)
        # Dropout draws from torch's global generator: seeded for this step, then restored.
        with preserving_generators(device):
            seed_generators(hash_seed(config.seed, "dropout", done), device)
            loss = optimise(model, optimiser, images.to(device), labels.to(device), config).item()
        if average:
            average.update(model)
        if done % validate_every == 0 or done == steps:
            accuracy, validated = validation.accuracy(evaluated), done


def optimise(
    model: Network,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    config: RunConfig,
) -> Tensor:
    """Do one optimiser step; return the batch's loss before it, on the network's device."""
    model.train()
    with autocast(images.device, is_enabled=config.precision == BFLOAT16):
        logits, warps = model(images)
    loss = functional.cross_entropy(
        logits.float().flatten(0, -2),  # (N, K) or (N T, K)
        labels.flatten(),
        label_smoothing=config.label_smoothing,
    )
    if config.consistency and warps:
        loss = loss + config.consistency * consistency_loss(warps)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
    optimiser.step()
    return loss.detach()


def build_untrained(config: RunConfig, classes: int) -> Network:
    """Build the run's network, initialised from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = build_network(config, classes)
    if has_channels_last(config):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def build_network(config: RunConfig, classes: int) -> Network:
    """Build the run's network, initialised from torch's global generator."""
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
    average: WeightAverage | None,
    step: int,
    accuracy: float | None,
    validated: int | None,
) -> dict[str, Tensor]:
    state = _weights(model, MODEL) | optimiser_state(model, optimiser)
    if average:
        state |= _weights(average.model, AVERAGE)
    numbers = [step, math.nan if accuracy is None else accuracy, validated or 0]
    state["training"] = torch.tensor(numbers, dtype=torch.float64)
    return state


def _weights(model: Network, prefix: str) -> dict[str, Tensor]:
    """Return copies of a network's weights, as they are named in a checkpoint."""
    return {prefix + name: copy_to_cpu(tensor) for name, tensor in model.state_dict().items()}


def _load_weights(model: Network, checkpoint: TrainingState, prefix: str) -> None:
    state = {k.removeprefix(prefix): v for k, v in checkpoint.items() if k.startswith(prefix)}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InvalidInput(f"The checkpoint does not fit this run: {error}") from error


def to_tensors(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    """Copy the arrays of a recorded checkpoint: those that are read from a file are read-only."""
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def model_state(checkpoint: TrainingState) -> dict[str, Tensor]:
    """Return the `state_dict` in a checkpoint of the network that was evaluated."""
    return evaluated_weights(checkpoint)


def _restore(
    checkpoint: TrainingState, optimiser_name: str, model: Network, optimiser: torch.optim.Optimizer
) -> tuple[int, float | None, int | None]:
    """Load a checkpoint; return its step, accuracy and validated step."""
    _load_weights(model, checkpoint, MODEL)
    try:
        step, accuracy, validated = checkpoint["training"].tolist()
        if step:
            load_optimiser_state(optimiser_name, model, optimiser, checkpoint)
    except KeyError as error:
        raise InvalidInput(f"The checkpoint does not fit this run: {error}") from error
    return int(step), None if math.isnan(accuracy) else accuracy, int(validated) or None
