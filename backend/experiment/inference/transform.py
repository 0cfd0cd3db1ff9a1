"""Apply a trained network to a picture, or fit a picture to a run's network as a probe."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from io import BytesIO
from typing import Any, Self, TypeVar

import torch
from PIL import Image
from pydantic import Field, ValidationError
from torch import Tensor

from stnscope.backend.experiment.catalog import DatasetEntry, check_distortion
from stnscope.backend.experiment.config import (
    CPU,
    DistortionConfig,
    FrozenModel,
    PictureInput,
    PictureVariation,
)
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.layouts.stored_images import COLOUR, GREY
from stnscope.backend.experiment.data.load import load as load_dataset
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.devices.torch_devices import naming_full_memory, torch_device
from stnscope.backend.experiment.distortions.picture_variation import vary
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.inference.localisation_maps import localisation_maps
from stnscope.backend.experiment.inference.theta_gradient import (
    Gradient,
    ThetaSteps,
    gradient_tensors,
    take_steps,
)
from stnscope.backend.experiment.inputs.pipeline import InputPipeline
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.limits import MAX_SEED
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
DEFAULT_WEIGHTS = "digits"
"""The network that a request for none in particular means."""
EMPTY_OUTPUT = (
    "The network samples a region in which nothing is to be seen, so its classes mean nothing."
)
MIN_LEVELS = 4
"""Minimum range of levels, of 256: an image with less counts as empty."""
CACHED_NETWORKS = 8
CACHE_SIZE = 64
"""Cached network inputs, each of a picture, network and distortion."""


class PictureDistortion(DistortionConfig):
    """The distortion of a picture, with the seed of its draws."""

    seed: int = Field(default=0, ge=0, le=MAX_SEED)


_pictures = PictureCache()
_device = torch.device(CPU)
"""Device on which networks are applied."""


def transform(
    data: bytes,
    weights: TrainedWeights,
    distortion: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
    *,
    variation: Mapping[str, Any] | None = None,
) -> Frame:
    """Apply a trained network to a picture.

    Args:
        data: the bytes of a picture file, as for `pictures.decode.decode`.
        weights: of a network whose input a single picture can be.
        distortion: the fields of `PictureDistortion`; None for no distortion.
        theta: overrides by the transformer's name, see `probes.theta_override`; the others
            predict theta.
        variation: the fields of `PictureVariation`; not together with a distortion.

    Returns:
        A frame of one probe with an unknown label. Its `info` also has `weights`, `notes` and
        `inverted` from the fitting, `given`, the names of the overridden transformers, and
        `picture`, the key for `transform_cached`.

    Raises:
        PictureError, TooLarge: the picture cannot be used.
        InvalidInput: the distortion, variation or theta is invalid, which names the field; or the
            weights do not fit their network.
    """
    request = _Request.validate(distortion, variation, theta=theta)
    key, fitted = _pictures.fit_file(data, _target(weights.card, fills_input=request.fills_input))
    return _transform(key, fitted, weights, request)


def transform_cached(
    picture: str,
    weights: TrainedWeights,
    distortion: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
    corners: Mapping[str, Any] | None = None,
    *,
    variation: Mapping[str, Any] | None = None,
    gradient: Mapping[str, Any] | None = None,
    steps: Mapping[str, Any] | None = None,
    maps: bool = False,
) -> Frame:
    """Apply a trained network to a picture in the cache of `transform`.

    Args:
        picture: its key.
        weights, distortion, theta, variation: as for `transform`.
        corners: overrides by the region's corners, for transformers not in `theta`.
        gradient: the fields of `Gradient`; its tensors are added to the frame.
        steps: the fields of `ThetaSteps`; its tensors are added, and the frame is that of the last
            theta.
        maps: whether the localisation networks' maps are added.

    Returns:
        A frame as from `transform`.

    Raises:
        PictureNotFound: the picture is no longer in the cache.
        InvalidInput: an argument is invalid, which names the field; or the weights do not fit their
            network.
    """
    request = _Request.validate(
        distortion, variation, gradient, steps, theta=theta, corners=corners, maps=maps
    )
    fitted = _pictures.fit(picture, _target(weights.card, fills_input=request.fills_input))
    return _transform(picture, fitted, weights, request)


@dataclass(frozen=True)
class _Request:
    """What is done with a picture; theta and corners are validated with the network."""

    distortion: PictureDistortion | None
    variation: PictureVariation | None
    gradient: Gradient | None
    steps: ThetaSteps | None
    theta: Mapping[str, Any] | None
    corners: Mapping[str, Any] | None
    maps: bool

    @classmethod
    def validate(
        cls,
        distortion: Mapping[str, Any] | None,
        variation: Mapping[str, Any] | None,
        gradient: Mapping[str, Any] | None = None,
        steps: Mapping[str, Any] | None = None,
        *,
        theta: Mapping[str, Any] | None,
        corners: Mapping[str, Any] | None = None,
        maps: bool = False,
    ) -> Self:
        """Check the arguments and return the request.

        Raises:
            InvalidInput: a field is invalid, which is named.
        """
        config = _validate(PictureDistortion, distortion, "distortion")
        if config is not None:
            check_distortion(config.name, "distortion.name")
        varied = _validate(PictureVariation, variation, "variation")
        if config and varied:
            raise InvalidInput(
                "variation: Give a distortion or a variation, not both.", "variation"
            )
        return cls(
            config,
            varied,
            _validate(Gradient, gradient, "gradient"),
            _validate(ThetaSteps, steps, "steps"),
            theta,
            corners,
            maps,
        )

    @property
    def fills_input(self) -> bool:
        """Whether the picture fills the network's input, instead of being placed on it."""
        return self.distortion is None


def _transform(key: str, fitted: Fitted, weights: TrainedWeights, request: _Request) -> Frame:
    with naming_full_memory(str(_device), "Try again in a moment, or serve on another device."):
        return _observe(key, fitted, weights, request)


def _observe(key: str, fitted: Fitted, weights: TrainedWeights, request: _Request) -> Frame:
    network, card = _load_network(weights), weights.card
    image = _network_input(fitted, card, request.distortion, request.variation)
    thetas = resolve_thetas(network, image, request.theta, request.corners)
    tensors: dict[str, Array] = {}
    info: dict[str, Any] = {}
    if request.steps is not None:
        thetas, tensors = take_steps(network, image, thetas, request.steps)
    further = []
    if request.gradient is not None:
        further.append(gradient_tensors(network, image, thetas, request.gradient))
    if request.maps:
        further.append(localisation_maps(network, image, thetas))
    for further_tensors, further_info in further:
        tensors |= further_tensors
        info |= further_info
    info |= {
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
                frame = frame.with_info(notes=[*fitted.notes, EMPTY_OUTPUT])
                break
    return replace(frame, tensors={**frame.tensors, **tensors})


def _is_uniform(image: Array) -> bool:
    return int(image.max()) - int(image.min()) < MIN_LEVELS


@lru_cache(maxsize=CACHE_SIZE)
def _network_input(
    fitted: Fitted,
    card: Card,
    config: PictureDistortion | None,
    variation: PictureVariation | None,
) -> Tensor:
    """Return the network's input (1, C, H, W) that is made from a fitted picture."""
    image = torch.from_numpy(fitted.image).permute(2, 0, 1)[None]
    if config is not None:
        return _distort(image, card, config)
    if variation is not None:
        architecture = ARCHITECTURES[card.architecture]
        entry = _find_entry(card.dataset, architecture)
        # Signs are drawn to be cropped, which takes seconds.
        clutter = _clutter_source(entry).pixels if variation.clutter else None
        return vary(image, variation, entry.canvas(architecture), clutter)
    return image


def _target(card: Card, *, fills_input: bool) -> Target:
    dataset = _find_entry(card.dataset, ARCHITECTURES[card.architecture])
    return _target_of(ARCHITECTURES[card.architecture], dataset, fills_input=fills_input)


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
    transform(blank.getvalue(), shipped(cards()[DEFAULT_WEIGHTS]))


Model = TypeVar("Model", bound=FrozenModel)


def _validate(model: type[Model], fields: Any, name: str) -> Model | None:
    """Return the model of an argument's fields; None for none.

    Raises:
        InvalidInput: a field is invalid, which is named.
    """
    if fields is None:
        return None
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join([name, *(str(part) for part in first["loc"])])
        message = format_error(first, first["loc"], model)
        raise InvalidInput(f"{name}: {message}", field) from None


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
    return fit(decode(data), *_target_of(network, entry, fills_input=True))


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


def _target_of(network: Architecture, dataset: DatasetEntry, *, fills_input: bool) -> Target:
    """Return the network's size as a target, or that of the data set before distortion."""
    # All grey data sets have light strokes on black.
    light_on_dark = network.channels == 1
    target = network if fills_input else dataset
    return Target(
        (target.height, target.width),
        network.channels,
        light_on_dark,
        subject=max(dataset.height, dataset.width) if fills_input else None,
        detail_spacing=DETAIL_SPACINGS.get(dataset.name, 0.0),
    )


def _distort(image: Tensor, card: Card, config: PictureDistortion) -> Tensor:
    """Distort the image (1, C, h, w) onto a canvas (1, C, H, W), as in training."""
    architecture = ARCHITECTURES[card.architecture]
    entry = _find_entry(card.dataset, architecture)
    pipeline = InputPipeline.for_dataset(entry, config, architecture, _clutter_source(entry))
    return pipeline.apply_random(image, torch.Generator().manual_seed(config.seed))


def _clutter_source(entry: DatasetEntry) -> Images:
    """Return images that clutter is cropped from.

    Those of a bundled data set: the weights' own may not be on this machine.
    """
    is_bundled = entry.name in DATASETS and entry.name not in SOURCES
    name = entry.name if is_bundled else BUNDLED_DATASETS[entry.channels]
    return _load_dataset(name).held_out


@lru_cache(maxsize=CACHED_NETWORKS)
def _load_network(weights: TrainedWeights) -> Network:
    return load_weights(weights).to(_device)


@cache
def _load_dataset(name: str) -> Dataset:
    return load_dataset(name)
