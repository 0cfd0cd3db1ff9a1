"""Validate the bytes of an untrusted frame: everything that its readers rely on.

N probes, (H, W) input size, C channels (1 or 3), K classes, T labels of an image.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stnscope.backend.experiment.frames.frame import (
    LATTICE_SIDE,
    Array,
    Frame,
    FrameError,
    Label,
    defined_predictions,
)
from stnscope.backend.experiment.limits import (
    MAX_CLASSES,
    MAX_PROBES,
    MAX_STEPS,
    MAX_TRANSFORMERS,
)

MAX_IMAGE_SIDE = 512
"""Pixels along a side of an image; no network here has a larger input or output."""

StepCount = Annotated[int, Field(ge=0, le=MAX_STEPS)]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
ShortText = Annotated[str, Field(max_length=200)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Reasons = list[ShortText | None]


class _Model(BaseModel):
    # Entries of a later version are ignored, here and by readers.
    model_config = ConfigDict(strict=True, extra="ignore")


class _Transformer(_Model):
    name: Identifier
    family: ShortText
    at: ShortText
    time_step: StepCount | None = None
    theta: Literal["read", "fitted"] = "read"
    residual: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    placement: Literal["exact", "stretched"] = "exact"


class _Info(_Model):
    """Those entries of a frame's `info` that its readers use."""

    step: StepCount
    epoch: Annotated[int, Field(ge=1, le=MAX_STEPS)] | None
    progress: Annotated[int, Field(ge=0, le=10)] | None
    loss: FiniteFloat | None
    accuracy: FiniteFloat | None
    time: FiniteFloat
    lap: StepCount | None = None
    moving: bool = False
    stillness: FiniteFloat | None = None
    classes: Annotated[list[ShortText], Field(max_length=MAX_CLASSES)]
    labels: list[Label]
    predicted: list[int | list[int] | None]
    joined: list[int] = []
    transformers: Annotated[list[_Transformer], Field(max_length=MAX_TRANSFORMERS)]
    collapsed: dict[str, Reasons] = {}


def validate_frame(data: bytes, images: Array) -> Frame:
    """Decode and validate an untrusted frame.

    Args:
        data: the encoded frame without its input, as in a recording.
        images: its input, which `check_images` has accepted.

    Raises:
        FrameError: the bytes are not a frame, or its parts are inconsistent.
    """
    try:
        frame = Frame.decode(data)
        info = _Info.model_validate(frame.info)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise FrameError(f"Its info is invalid: {field}: {first['msg']}") from None
    except RecursionError:
        raise FrameError("Its info is nested too deeply.") from None
    count = len(images)
    _check_probes(info, count)
    _check_tensors(frame.tensors, info, count)
    try:
        frame.encode()
    except ValueError as error:
        raise FrameError(f"Its info cannot be encoded: {error}.") from None
    return frame.with_input(images)


def check_images(images: Array) -> None:
    """Check that an array is a frame's input, (N, H, W, C) uint8.

    Raises:
        FrameError: it is not.
    """
    if not (images.ndim == 4 and 1 <= len(images) <= MAX_PROBES and _are_images(images)):
        raise FrameError(f"Its input is {images.dtype} {list(images.shape)}, which are not images.")


def _check_probes(info: _Info, count: int) -> None:
    names = [transformer.name for transformer in info.transformers]
    per_probe: dict[str, Sequence[object]] = {
        "labels": info.labels,
        "predicted": info.predicted,
        **{f"collapsed.{name}": reasons for name, reasons in info.collapsed.items()},
    }
    for name, values in per_probe.items():
        if len(values) != count:
            raise FrameError(f"It has {count} probes, but {name} of {len(values)}.")
    if len(set(names)) != len(names) or not set(info.collapsed) <= set(names):
        raise FrameError("Names of transformers are duplicate, or unknown in `collapsed`.")
    classes = range(len(info.classes))
    for label in [*info.labels, *info.predicted]:
        for index in label if isinstance(label, list) else [label]:
            if index is not None and index not in classes:
                raise FrameError(f"It refers to class {index} of {len(classes)}.")
    if info.joined != list(range(count - len(info.joined), count)):
        raise FrameError("Its added pictures are not the last of its probes.")


def _check_tensors(tensors: Mapping[str, Array], info: _Info, count: int) -> None:
    expected: dict[str, tuple[str, tuple[int | None, ...]]] = {}
    for transformer in info.transformers:
        name = transformer.name
        expected |= {
            f"output.{name}": ("uint8", (count, None, None, None)),
            f"theta.{name}": ("float32", (count, None)),
            f"corners.{name}": ("float32", (count, 4, 2)),
            f"grid.{name}": ("float32", (count, LATTICE_SIDE, LATTICE_SIDE, 2)),
        }
    if "probabilities" in tensors or info.predicted.count(None) < count:
        expected["probabilities"] = ("float32", _probabilities_shape(tensors, info))
    if tensors.keys() != expected.keys():
        names = ", ".join(sorted(tensors.keys() ^ expected.keys()))
        raise FrameError(f"It lacks tensors, or has unknown ones: {names}.")
    for name, (dtype, sides) in expected.items():
        tensor = tensors[name]
        has_shape = tensor.ndim == len(sides) and all(
            side in (None, size) for side, size in zip(sides, tensor.shape, strict=True)
        )
        if tensor.dtype != np.dtype(dtype) or not has_shape or not math.prod(tensor.shape):
            raise FrameError(
                f"Its {name} is {tensor.dtype} {list(tensor.shape)}, which is invalid."
            )
        if name.startswith("output.") and not _are_images(tensor):
            raise FrameError(f"Its {name} is {list(tensor.shape)}, which are not images.")
    if "probabilities" in tensors:
        defined = defined_predictions(range(count), tensors["probabilities"])
        if any(
            label is None and index is not None
            for label, index in zip(info.predicted, defined, strict=True)
        ):
            raise FrameError("It lacks a prediction whose probabilities are known.")


def _probabilities_shape(tensors: Mapping[str, Array], info: _Info) -> tuple[int | None, ...]:
    """Return the shape that the probabilities must have: (N, K), or (N, T, K) for rows."""
    lengths = {
        len(label) if isinstance(label, list) else None
        for label in info.predicted
        if label is not None
    }
    if len(lengths) > 1:
        raise FrameError("Its predictions are of different lengths.")
    if lengths:
        rows = [length for length in lengths if length is not None]
    else:  # nothing else indicates whether they are of rows
        rows = [*tensors["probabilities"].shape[1:-1]][:1]
    return (len(info.predicted), *rows, len(info.classes))


def _are_images(images: Array) -> bool:
    """Whether an array contains images (N, H, W, C) uint8."""
    *sides, channels = images.shape[1:]
    have_valid_sides = all(1 <= side <= MAX_IMAGE_SIDE for side in sides)
    return images.dtype == np.uint8 and have_valid_sides and channels in (1, 3)
