"""Apply a trained network to a picture, or fit a picture to a run's network as a probe."""

from collections.abc import Mapping
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

import torch
from PIL import Image
from pydantic import Field, ValidationError
from torch import Tensor

from stnscope.backend.experiment.catalog import DatasetEntry, check_distortion
from stnscope.backend.experiment.config import CPU, DistortionConfig, PictureInput
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.layouts.stored_images import COLOUR, GREY
from stnscope.backend.experiment.data.load import load as load_dataset
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.devices.torch_devices import naming_full_memory, torch_device
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.inputs.pipeline import InputPipeline
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.pictures.cache import PictureCache
from stnscope.backend.experiment.pictures.decode import decode
from stnscope.backend.experiment.pictures.fit import Fitted, Target, fit
from stnscope.backend.experiment.probes.observe import observe
from stnscope.backend.experiment.probes.theta_override import resolve_thetas
from stnscope.backend.experiment.weights.load import load as load_weights
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights, shipped
from stnscope.models.cards import Card, cards
from stnscope.models.catalog import ARCHITECTURES, Architecture
from stnscope.models.network import Network

BUNDLED_DATASETS = {1: "digits", 3: "signs"}
"""A data set that needs no download, by number of channels."""
DETAIL_SPACINGS = {"digits": 28 / 8}
"""Enlargement of the original images, in data sets of enlarged images."""
EMPTY_OUTPUT = (
    "The network samples a region in which nothing is to be seen, so its classes mean nothing."
)
MIN_LEVELS = 4
"""Of 256: an image whose levels differ by less shows nothing."""
CACHED_NETWORKS = 8
CACHE_SIZE = 64
"""Cached network inputs, each of a picture, network and distortion."""


class PictureDistortion(DistortionConfig):
    """The distortion of a picture, with the seed of its draws."""

    seed: int = Field(default=0, ge=0, le=2**31 - 1)


_pictures = PictureCache()
_device = torch.device(CPU)
"""Where networks are applied."""


def transform(
    data: bytes,
    weights: TrainedWeights,
    distortion: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
) -> Frame:
    """Apply a trained network to a picture.

    Args:
        data: the bytes of a picture file, as for `pictures.decode.decode`.
        weights: of a network whose input a single picture can be.
        distortion: the fields of `PictureDistortion`; None for no distortion.
        theta: overrides by the transformer's name, see `probes.theta_override`; the others
            predict theta.

    Returns:
        A frame of one probe with an unknown label. Its `info` also has `weights`, `notes` and
        `inverted` from the fitting, `given`, the names of the overridden transformers, and
        `picture`, the key for `transform_cached`.

    Raises:
        PictureError, TooLarge: the picture cannot be used.
        InvalidInput: the distortion or theta is invalid, which names the field; or the weights do
            not fit their network.
    """
    config = _validate(distortion)
    key, fitted = _pictures.fit_file(data, _target(weights.card, on_canvas=config is None))
    return _transform(key, fitted, weights, config, theta)


def transform_cached(
    picture: str,
    weights: TrainedWeights,
    distortion: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
    corners: Mapping[str, Any] | None = None,
) -> Frame:
    """Apply a trained network to a picture in the cache of `transform`.

    Args:
        picture: its key.
        weights, distortion, theta: as for `transform`.
        corners: overrides by the region's corners, for transformers not in `theta`.

    Returns:
        A frame as from `transform`.

    Raises:
        NotFound: the picture is no longer in the cache.
        InvalidInput: the distortion, theta or corners are invalid, which names the field; or the
            weights do not fit their network.
    """
    config = _validate(distortion)
    fitted = _pictures.fit(picture, _target(weights.card, on_canvas=config is None))
    return _transform(picture, fitted, weights, config, theta, corners)


def _transform(
    key: str,
    fitted: Fitted,
    weights: TrainedWeights,
    config: PictureDistortion | None,
    theta: Mapping[str, Any] | None,
    corners: Mapping[str, Any] | None = None,
) -> Frame:
    with naming_full_memory(str(_device), "Try again in a moment, or serve on another device."):
        return _observe(key, fitted, weights, config, theta, corners)


def _observe(
    key: str,
    fitted: Fitted,
    weights: TrainedWeights,
    config: PictureDistortion | None,
    theta: Mapping[str, Any] | None,
    corners: Mapping[str, Any] | None,
) -> Frame:
    network, card = _load_network(weights), weights.card
    image = _network_input(fitted, card, config)
    thetas = resolve_thetas(network, image, theta, corners)
    info = {
        "run": "",
        "step": 0,
        "epoch": 0,
        "progress": 0,
        "loss": None,
        "accuracy": None,
        "weights": card.name,
        "notes": list(fitted.notes),
        "inverted": fitted.inverted,
        "picture": key,
        "given": list(thetas),
    }
    frame = observe(network, Probes(image, (None,), card.classes), info, thetas)
    if not _is_uniform(frame.tensors["input"]):
        for name in frame.transformers:
            if name not in thetas and _is_uniform(frame.tensors[f"output.{name}"]):
                return frame.with_info(notes=[*fitted.notes, EMPTY_OUTPUT])
    return frame


def _is_uniform(image: Array) -> bool:
    return int(image.max()) - int(image.min()) < MIN_LEVELS


@lru_cache(maxsize=CACHE_SIZE)
def _network_input(fitted: Fitted, card: Card, config: PictureDistortion | None) -> Tensor:
    """Return the network's input (1, C, H, W) that is made from a fitted picture."""
    image = torch.from_numpy(fitted.image).permute(2, 0, 1)[None]
    return image if config is None else _distort(image, card, config)


def _target(card: Card, *, on_canvas: bool) -> Target:
    dataset = _find_entry(card.dataset, ARCHITECTURES[card.architecture])
    return _target_of(ARCHITECTURES[card.architecture], dataset, on_canvas=on_canvas)


def warm_up(threads: int, device: str = CPU) -> None:
    """Set torch's number of threads and the device of networks, and transform a blank picture.

    So the first request waits for no import and no file.

    Raises:
        InvalidInput: there is no such device.
    """
    global _device
    torch.set_num_threads(threads)
    _device = torch_device(device)
    blank = BytesIO()
    Image.new("L", (8, 8)).save(blank, "PNG")
    for card in list(cards().values())[:1]:
        transform(blank.getvalue(), shipped(card))


def _validate(distortion: Mapping[str, Any] | None) -> PictureDistortion | None:
    if distortion is None:
        return None
    try:
        config = PictureDistortion.model_validate(distortion)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["distortion", *(str(part) for part in first["loc"])])
        message = format_error(first, first["loc"], PictureDistortion)
        raise InvalidInput(f"distortion: {message}", field) from None
    check_distortion(config.name, "distortion.name")
    return config


def fit_probe(data: bytes, architecture: str, dataset: str) -> Fitted:
    """Fit a picture to a run's network, as an added probe.

    Args:
        data: the bytes of a picture file, as for `pictures.decode.decode`.
        architecture: the run's, with one input channel or three.
        dataset: the run's; an unknown name is that of a data set in the data folder.

    Raises:
        PictureError, TooLarge: the picture cannot be used.
    """
    network = ARCHITECTURES[architecture]
    entry = _find_entry(dataset, network)
    return fit(decode(data), *_target_of(network, entry, on_canvas=True))


def fit_input(data: bytes, network_input: PictureInput) -> Fitted:
    """Fit a picture to a network of which no more is known than its input.

    Raises:
        PictureError, TooLarge: the picture cannot be used.
    """
    size = (network_input.height, network_input.width)
    return fit(decode(data), size, network_input.channels, network_input.light_on_dark)


def _find_entry(dataset: str, network: Architecture) -> DatasetEntry:
    """Return a data set's entry; of one in the data folder what all of its kind have in common."""
    return DATASETS.get(dataset, GREY if network.channels == 1 else COLOUR)


def _target_of(network: Architecture, dataset: DatasetEntry, *, on_canvas: bool) -> Target:
    """Return the network's size as a target, or that of the data set before distortion."""
    # All grey data sets have light strokes on black.
    light_on_dark = network.channels == 1
    target = network if on_canvas else dataset
    return Target(
        (target.height, target.width),
        network.channels,
        light_on_dark,
        subject=max(dataset.height, dataset.width) if on_canvas else None,
        detail_spacing=DETAIL_SPACINGS.get(dataset.name, 0.0),
    )


def _distort(image: Tensor, card: Card, config: PictureDistortion) -> Tensor:
    """Distort the image (1, C, h, w) onto a canvas (1, C, H, W), as in training."""
    entry = _find_entry(card.dataset, ARCHITECTURES[card.architecture])
    # Clutter comes from a bundled data set: the weights' own may not be on this machine.
    is_bundled = entry.name in DATASETS and entry.name not in SOURCES
    name = entry.name if is_bundled else BUNDLED_DATASETS[entry.channels]
    clutter_source = _load_dataset(name).held_out
    pipeline = InputPipeline.for_dataset(
        entry, config, ARCHITECTURES[card.architecture], clutter_source
    )
    return pipeline.apply_random(image, torch.Generator().manual_seed(config.seed))


@lru_cache(maxsize=CACHED_NETWORKS)
def _load_network(weights: TrainedWeights) -> Network:
    return load_weights(weights).to(_device)


@cache
def _load_dataset(name: str) -> Dataset:
    return load_dataset(name)
