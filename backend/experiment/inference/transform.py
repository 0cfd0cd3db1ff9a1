"""A picture of one's own through a trained network: one frame. Or fitted for one that trains."""

from collections.abc import Mapping
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

import torch
from PIL import Image
from pydantic import Field, ValidationError
from torch import Tensor

from stnscope.backend.experiment.catalog import DATASETS, DatasetEntry, check_distortion
from stnscope.backend.experiment.catalog.datasets import IMAGE_FOLDER
from stnscope.backend.experiment.config import DistortionConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load as load_dataset
from stnscope.backend.experiment.data.registry import SOURCES
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput, NotFound
from stnscope.backend.experiment.frames import region_geometry
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inference.theta_override import thetas_of
from stnscope.backend.experiment.pictures.cache import PictureCache
from stnscope.backend.experiment.pictures.decode import Picture, decode
from stnscope.backend.experiment.pictures.fit import Fitted, fit
from stnscope.backend.experiment.probes.observe import Probes, look
from stnscope.backend.experiment.training.input_pipeline import InputPipeline
from stnscope.models.cards import Card, cards
from stnscope.models.catalog import ARCHITECTURES, Architecture
from stnscope.models.network import Network
from stnscope.models.weights import load as load_weights

OWN_WITH = {1: "digits", 3: "signs"}
"""A data set of the program for each number of channels."""
DETAIL_SPACINGS = {"digits": 28 / 8}
"""How many pixels one original pixel became, in data sets that are enlarged."""
MOST_SHOWN = 64
"""Fitted pictures that are kept, each for a network and a distortion."""


class PictureDistortion(DistortionConfig):
    """What is done to the picture before the network sees it, by one draw of the seed."""

    seed: int = Field(default=0, ge=0, le=2**31 - 1)


_held = PictureCache()


def transform(
    data: bytes,
    weights: str,
    distortion: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
) -> Frame:
    """Shows a picture to a trained network.

    Args:
        data: the picture's file, as `pictures.decode.decode` takes it.
        weights: a name of `models.cards`.
        distortion: the fields of `PictureDistortion`; none leaves the picture alone.
        theta: where transformers are to look, as told in `inference.theta_override`; those that
            it does not name choose for themselves.

    Returns:
        A frame of one probe with an unknown label. Its `info` also has `weights`, `notes` and
        `inverted` of the fitting, `given`, the names of the transformers that were told where to
        look, `picture`, the key for `transform_again`, and `readings`: for each transformer the
        numbers of `region_geometry.Reading` and `words`.

    Raises:
        PictureError, TooLarge: the picture cannot be used.
        NotFound: no such weights.
        InvalidInput: the distortion or theta is none; names the field.
    """
    card, wanted = _card(weights), _checked(distortion)
    return _transformed(_held.add(data), card, wanted, theta)


def transform_again(
    picture: str,
    weights: str,
    distortion: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
    corners: Mapping[str, Any] | None = None,
) -> Frame:
    """The same of a picture that `transform` was given lately.

    Args:
        picture: its key.
        corners: of regions, for transformers that are not told their theta.

    Raises:
        NotFound: no such weights, or the picture is not at hand any more.
        InvalidInput: the distortion, theta or corners are none; names the field.
    """
    return _transformed(picture, _card(weights), _checked(distortion), theta, corners)


def _transformed(
    key: str,
    card: Card,
    wanted: PictureDistortion | None,
    theta: Mapping[str, Any] | None,
    corners: Mapping[str, Any] | None = None,
) -> Frame:
    network, (image, fitted) = _network(card.name), _shown(_held.get(key), card, wanted)
    thetas = thetas_of(network, image, theta, corners)
    about = {
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
    return _read(look(network, Probes(image, (None,), card.classes), about, thetas))


def _card(weights: str) -> Card:
    if weights not in cards():
        raise NotFound(f"There are no weights {weights!r}; there are {', '.join(cards())}.")
    return cards()[weights]


@lru_cache(maxsize=MOST_SHOWN)
def _shown(picture: Picture, card: Card, wanted: PictureDistortion | None) -> tuple[Tensor, Fitted]:
    """The picture as the network is shown it, (1, C, H, W), and how it was fitted."""
    network, dataset = ARCHITECTURES[card.architecture], DATASETS[card.dataset]
    fitted = _fitted(picture, network, dataset, on_canvas=wanted is None)
    image = torch.from_numpy(fitted.image).permute(2, 0, 1)[None]
    return image if wanted is None else _distorted(image, card, wanted), fitted


def prepare(threads: int) -> None:
    """Settles how many threads torch uses, and shows a network a blank picture.

    So the first picture that matters waits for no import and no file.
    """
    torch.set_num_threads(threads)
    blank = BytesIO()
    Image.new("L", (8, 8)).save(blank, "PNG")
    for name in list(cards())[:1]:
        transform(blank.getvalue(), name)


def _checked(distortion: Mapping[str, Any] | None) -> PictureDistortion | None:
    if distortion is None:
        return None
    try:
        checked = PictureDistortion.model_validate(distortion)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(["distortion", *(str(part) for part in wrong["loc"])])
        said = format_error(wrong, wrong["loc"], PictureDistortion)
        raise InvalidInput(f"distortion: {said}", field) from None
    check_distortion(checked.name, "distortion.name")
    return checked


def fit_probe(data: bytes, architecture: str, dataset: str) -> Fitted:
    """A picture as it joins the probes of a run: fitted whole into the network's input.

    Args:
        data: the picture's file, as `pictures.decode.decode` takes it.
        architecture: the run's, of one channel or three.
        dataset: the run's; one that is no part of the program is a folder of one's own.

    Raises:
        PictureError, TooLarge: the picture cannot be used.
    """
    entry = DATASETS.get(dataset, IMAGE_FOLDER)
    return _fitted(decode(data), ARCHITECTURES[architecture], entry, on_canvas=True)


def _fitted(
    picture: Picture, network: Architecture, dataset: DatasetEntry, on_canvas: bool
) -> Fitted:
    """The picture at the network's size, or at the size that is distorted onto its canvas."""
    # What is grey here is light strokes on black.
    light_on_dark = network.channels == 1
    sized = network if on_canvas else dataset
    return fit(
        picture,
        (sized.height, sized.width),
        network.channels,
        light_on_dark,
        subject=max(dataset.height, dataset.width) if on_canvas else None,
        detail_spacing=DETAIL_SPACINGS.get(dataset.name, 0.0),
    )


def _distorted(image: Tensor, card: Card, wanted: PictureDistortion) -> Tensor:
    """The image (1, C, h, w) on a canvas (1, C, H, W), as in training."""
    entry = DATASETS[card.dataset]
    # Clutter is cut from what is part of the program: the rest need not be at hand any more.
    own = card.dataset if card.dataset not in SOURCES else OWN_WITH[entry.channels]
    others = _dataset(own).held_out
    scene = InputPipeline.of(entry, wanted, ARCHITECTURES[card.architecture], others)
    return scene.shown(image, torch.Generator().manual_seed(wanted.seed))


def _read(frame: Frame) -> Frame:
    """The frame with each transformer's theta in numbers and words."""
    height, width = frame.tensors["input"].shape[1:3]
    readings = {
        name: [
            reading.numbers() | {"words": region_geometry.words(reading)}
            for reading in region_geometry.readings(frame.tensors[f"grid.{name}"], height, width)
        ]
        for name in frame.transformers
    }
    return Frame({**frame.info, "readings": readings}, frame.tensors)


@cache
def _network(weights: str) -> Network:
    return load_weights(weights)


@cache
def _dataset(name: str) -> Dataset:
    return load_dataset(name)
