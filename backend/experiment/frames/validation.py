"""Whether a stranger's bytes are a frame in every respect that its readers rely on.

N probes, (H, W) input size, C channels (1 or 3), K classes, T labels of an image.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stnscope.backend.experiment.frames.frame import LATTICE, Array, Frame, FrameError, Label
from stnscope.backend.experiment.limits import MAX_PROBES

MOST_SIDE = 512
"""Of an image, in pixels; more than any network here takes in or hands on."""
MOST_CLASSES = 1000
MOST_TRANSFORMERS = 16

Whole = Annotated[int, Field(ge=0, le=10**12)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Reasons = list[Text | None]


class _Model(BaseModel):
    # What a later program says more is not looked at here, nor by those that read it.
    model_config = ConfigDict(strict=True, extra="ignore")


class _Transformer(_Model):
    name: Name
    family: Text
    at: Text
    time_step: Whole | None = None


class _Info(_Model):
    """What is said of a frame, as far as anyone asks for it."""

    step: Whole
    epoch: Annotated[int, Field(ge=1, le=10**12)]
    progress: Annotated[int, Field(ge=0, le=10)]
    loss: Finite | None
    accuracy: Finite | None
    time: Finite
    lap: Whole | None = None
    moving: bool = False
    stillness: Finite | None = None
    classes: Annotated[list[Text], Field(min_length=1, max_length=MOST_CLASSES)]
    labels: list[Label]
    predicted: list[int | list[int]]
    joined: list[int] = []
    transformers: Annotated[list[_Transformer], Field(max_length=MOST_TRANSFORMERS)]
    collapsed: dict[str, Reasons] = {}


def checked(data: bytes, images: Array) -> Frame:
    """Reads a stranger's frame.

    Args:
        data: the frame without its input, as a recording holds it.
        images: its input, that `check_images` has seen.

    Raises:
        FrameError: it is no frame, or one that does not fit its input or itself.
    """
    try:
        frame = Frame.decode(data)
        info = _Info.model_validate(frame.info)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise FrameError(f"What it says of itself is no frame's: {place}: {wrong['msg']}") from None
    except RecursionError:
        raise FrameError("What it says of itself is nested too deeply.") from None
    count = len(images)
    _check_probes(info, count)
    _check_tensors(frame.tensors, info, count)
    try:
        frame.encode()
    except ValueError as error:
        raise FrameError(f"What it says of itself cannot be written down: {error}.") from None
    return frame.with_input(images)


def check_images(images: Array) -> None:
    """Sees that an array is a frame's input, (N, H, W, C) uint8.

    Raises:
        FrameError: it is not.
    """
    if not (images.ndim == 4 and 1 <= len(images) <= MAX_PROBES and _are_images(images)):
        raise FrameError(f"Its input is {images.dtype} {list(images.shape)}, which are no images.")


def _check_probes(info: _Info, count: int) -> None:
    names = [transformer.name for transformer in info.transformers]
    several: dict[str, Sequence[object]] = {
        "labels": info.labels,
        "predicted": info.predicted,
        **{f"collapsed.{name}": reasons for name, reasons in info.collapsed.items()},
    }
    for name, told in several.items():
        if len(told) != count:
            raise FrameError(f"It has {count} probes, and {name} of {len(told)}.")
    if len(set(names)) != len(names) or not set(info.collapsed) <= set(names):
        raise FrameError("Its transformers are named twice, or others than it has have collapsed.")
    classes = range(len(info.classes))
    for label in [*info.labels, *info.predicted]:
        for each in label if isinstance(label, list) else [label]:
            if each is not None and each not in classes:
                raise FrameError(f"It names class {each} of {len(classes)}.")
    if info.joined != list(range(count - len(info.joined), count)):
        raise FrameError("Those of its probes that joined are not the last ones.")


def _check_tensors(tensors: Mapping[str, Array], info: _Info, count: int) -> None:
    wanted: dict[str, tuple[str, tuple[int | None, ...]]] = {}
    for each in info.transformers:
        wanted |= {
            f"output.{each.name}": ("uint8", (count, None, None, None)),
            f"theta.{each.name}": ("float32", (count, None)),
            f"corners.{each.name}": ("float32", (count, 4, 2)),
            f"grid.{each.name}": ("float32", (count, LATTICE, LATTICE, 2)),
        }
    places = [len(each) for each in info.predicted if isinstance(each, list)]
    if places and (len(places), len(set(places))) != (count, 1):
        raise FrameError("Some of its probes are read place by place, others are not.")
    shape = (count, *places[:1], len(info.classes))
    wanted["probabilities"] = ("float32", shape)
    if tensors.keys() != wanted.keys():
        odd = ", ".join(sorted(tensors.keys() ^ wanted.keys()))
        raise FrameError(f"It lacks tensors, or has some that are no frame's: {odd}.")
    for name, (dtype, sides) in wanted.items():
        found = tensors[name]
        fits = found.ndim == len(sides) and all(
            side in (None, real) for side, real in zip(sides, found.shape, strict=True)
        )
        if found.dtype != np.dtype(dtype) or not fits or not math.prod(found.shape):
            raise FrameError(f"Its {name} is {found.dtype} {list(found.shape)}, which is none.")
        if name.startswith("output.") and not _are_images(found):
            raise FrameError(f"Its {name} is {list(found.shape)}, which are no images.")


def _are_images(images: Array) -> bool:
    """Whether an array's sides but for the first are those of images; (N, H, W, C)."""
    *sides, channels = images.shape[1:]
    bounded = all(1 <= side <= MOST_SIDE for side in sides)
    return images.dtype == np.uint8 and bounded and channels in (1, 3)
