"""Evaluate trained weights on the held-out images of a data set, once each."""

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from stnscope.backend.experiment.catalog import DatasetEntry, check_distortion, validate
from stnscope.backend.experiment.config import CPU, DistortionConfig, ProbesConfig, RunConfig
from stnscope.backend.experiment.data import gtsrb_test
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.load import load as load_dataset
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.devices.torch_devices import torch_device
from stnscope.backend.experiment.errors import InvalidInput, NotFound
from stnscope.backend.experiment.reproduction.results import Training
from stnscope.backend.experiment.reproduction.segment import CHECKPOINT
from stnscope.backend.experiment.training.loop import Validation, build_network, model_state
from stnscope.backend.experiment.weights.load import load as load_weights
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights
from stnscope.backend.experiment.weights.weights_folder import check_is_no_pickle
from stnscope.models.cards import FOLDER, SUFFIX, Card, cards
from stnscope.models.network import Network

CROPPED = {"gtsrb": False, "gtsrb-regions": True}
"""Data sets of photos that may have a test set, and whether they are cropped to the sign."""


@dataclass(frozen=True)
class Evaluation:
    """What a network's predictions for some images are worth."""

    weights: str
    digest: str
    """SHA-256 of their file; empty for a network in memory."""
    architecture: str
    family: str
    dataset: str
    distortion: str
    """The distortion of the images."""
    images: int
    kind: str
    """Kind of images, such as `test images`."""
    note: str
    """A note about them, as a sentence; may be empty."""
    parameters: int
    multiply_adds: int
    """Multiply-adds of convolutions and fully connected layers for one image."""
    seconds: float
    """Duration of all predictions, without reading weights or images."""
    labels: int
    """Number of labels: images, or more where an image has several."""
    errors: int
    """Number of labels whose prediction is wrong."""
    accuracy: float
    classes: tuple[str, ...]
    confusion: list[list[int]]
    """Number of labels of each class (rows) that were predicted as each class (columns)."""
    training: Training | None
    """How the weights were trained; None for a network in memory."""


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network with its weights, and what they were trained on."""

    name: str
    model: Network
    config: RunConfig
    """Configuration; only what determines the network and its images is that of the training."""
    digest: str = ""
    """SHA-256 of the file of the weights; empty for a network in memory."""
    training: Training | None = None


def evaluate(
    weights: str,
    dataset: str | None = None,
    data: Path | None = None,
    distortion: str | None = None,
    *,
    every_image: bool = False,
    device: str = CPU,
) -> Evaluation:
    """Evaluate weights on a data set.

    Args:
        weights: a name in `models.cards`, the path of a safetensors file with its card beside it,
            or of a checkpoint or its folder.
        dataset: its name; by default the one that the weights were trained on.
        data: the data folder, or the folder of the data set itself.
        distortion: of the images; by default that of the training.
        every_image: whether to use the training images too, where there is no test set.
        device: name of the one that the network is applied on.

    Raises:
        NotFound: there are no such weights.
        InvalidInput: they are damaged, or do not fit the data set; or there is no such device.
        DatasetError: the data set is not available, or damaged.
    """
    trained = load_trained(weights)
    trained.model.to(torch_device(device))
    name = dataset or trained.config.dataset
    changed: dict[str, Any] = {"dataset": name, "probes": ProbesConfig(count=1), "batch_size": 2}
    if distortion is not None:
        check_distortion(distortion)
        changed["distortion"] = DistortionConfig(name=distortion)
    config = trained.config.model_copy(update=changed)
    if name in DATASETS:  # before its images are read, which may take seconds
        validate(config, DATASETS[name])
    loaded, kind, note = load_images(name, data, every_image=every_image)
    validate(config, loaded.entry)
    images = Validation.build(config, loaded, complete=True)
    evaluation = evaluate_images(trained, images, loaded.entry, kind, note)
    return replace(evaluation, distortion=config.distortion.name)


def evaluate_images(
    trained: TrainedNetwork,
    validation: Validation,
    entry: DatasetEntry,
    kind: str = "held-out images",
    note: str = "",
) -> Evaluation:
    """Evaluate a network on images that are distorted already.

    Args:
        trained: the network.
        validation: the images and their labels.
        entry: of their data set.
        kind, note: as in `Evaluation`.
    """
    multiply_adds = count_multiply_adds(
        trained.model, validation.images[:1].to(trained.model.device)
    )
    start = time.perf_counter()
    predicted = validation.logits(trained.model).argmax(dim=-1)
    seconds = time.perf_counter() - start
    confusion = _confusion(validation.labels, predicted, len(entry.classes))
    labels, correct = validation.labels.numel(), int(confusion.diagonal().sum())
    return Evaluation(
        weights=trained.name,
        digest=trained.digest,
        architecture=trained.config.architecture,
        family=trained.config.family,
        dataset=entry.name,
        distortion=trained.config.distortion.name,
        images=len(validation.labels),
        kind=kind,
        note=note,
        parameters=sum(parameter.numel() for parameter in trained.model.parameters()),
        multiply_adds=multiply_adds,
        seconds=seconds,
        labels=labels,
        errors=labels - correct,
        accuracy=correct / labels,
        classes=entry.classes,
        confusion=confusion.tolist(),
        training=trained.training,
    )


def count_multiply_adds(model: Network, images: Tensor) -> int:
    """Count the multiply-adds of convolutions and linear layers in one forward pass.

    Args:
        model: the network.
        images: (N, C, H, W), on its device.
    """
    model.eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(images)
    return counter.get_total_flops() // 2


def load_trained(weights: str) -> TrainedNetwork:
    """Load weights by name or path, as for `evaluate`.

    Raises:
        NotFound: there are none.
        InvalidInput: the file is damaged, has no card, or does not fit its network.
    """
    if weights in cards():
        return _load_with_card(FOLDER / f"{weights}{SUFFIX}", cards()[weights])
    path = Path(weights).expanduser()
    if path.is_dir() and (path / CHECKPOINT).is_file():
        path = path / CHECKPOINT
    if not path.is_file():
        raise NotFound(
            f"There are no weights {weights!r}; there are {', '.join(cards())}, or name a "
            f"{SUFFIX} file."
        )
    check_is_no_pickle(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            is_checkpoint = "config" in metadata
            tensors = {n: file.get_tensor(n) for n in file.keys()} if is_checkpoint else {}  # noqa: SIM118
    except SafetensorError as error:
        raise InvalidInput(f"{path} is not a complete safetensors file: {error}.") from error
    if is_checkpoint:
        return _load_checkpoint(path, metadata, tensors)
    card = path.with_suffix(".json")
    if not card.is_file():
        raise InvalidInput(f"{path} needs its card, {card.name}, beside it.")
    try:
        return _load_with_card(path, Card.read(card))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{card} is not the card of weights: {error}.") from error


def _load_with_card(path: Path, card: Card) -> TrainedNetwork:
    strength = DATASETS[card.dataset].strength if card.dataset in DATASETS else 1.0
    config = RunConfig(
        architecture=card.architecture,
        family=card.family,
        dataset=card.dataset,
        distortion=DistortionConfig(name=card.distortion, strength=strength),
    )
    model = load_weights(TrainedWeights(card, path))
    training = Training(
        distortion=card.distortion,
        seed=card.seed,
        steps=card.steps,
        seconds=None,
        machine=card.machine,
        command=card.command,
        date=card.date,
    )
    return TrainedNetwork(card.name, model, config, _digest(path), training)


def _load_checkpoint(
    path: Path, metadata: dict[str, str], tensors: dict[str, Tensor]
) -> TrainedNetwork:
    config = RunConfig.model_validate_json(metadata["config"])
    count = metadata.get("classes") or len(DATASETS[config.dataset].classes)
    model = build_network(config, int(count))
    try:
        model.load_state_dict(model_state(tensors))
    except RuntimeError as error:
        raise InvalidInput(f"{path} does not fit {config.architecture}: {error}") from error
    training = Training(
        distortion=config.distortion.name,
        seed=config.seed,
        steps=None,
        seconds=float(metadata["seconds"]) if "seconds" in metadata else None,
        machine=None,
        command=None,
        date=None,
    )
    return TrainedNetwork(path.parent.name, model.eval(), config, _digest(path), training)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_images(
    name: str, data: Path | None, *, every_image: bool = False
) -> tuple[Dataset, str, str]:
    """Return a data set whose held-out images are to be evaluated, their kind, and a note."""
    if name in CROPPED and data is not None:
        photos = gtsrb_test.load(
            gtsrb_test.find_folder(data), cropped=CROPPED[name], every_image=every_image
        )
        images = Images(
            torch.from_numpy(photos.arrays.pixels), torch.from_numpy(photos.arrays.labels)
        )
        entry = replace(DATASETS[name], images=len(images), held_out=len(images))
        return Dataset(entry, images, images), photos.kind, photos.note
    if name in SOURCES and data is not None and not SOURCES[name].is_present(data):
        is_itself = data.name.lower() == SOURCES[name].folder
        data = data.parent if is_itself else data
    dataset = load_dataset(name, data)
    if every_image:
        raise InvalidInput(f"{dataset.entry.title} is evaluated on its held-out images alone.")
    return dataset, "held-out images", ""


def _confusion(labels: Tensor, predicted: Tensor, classes: int) -> Tensor:
    pairs = labels.flatten() * classes + predicted.flatten()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)
