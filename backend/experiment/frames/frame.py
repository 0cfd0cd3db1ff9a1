"""The Frame: the input and output of a network for all probes at one step, and its encoding.

A frame is a set of named tensors and one JSON object, in the safetensors layout: 8 bytes of
little-endian header length, a JSON header, raw tensors. The header's `__metadata__` has the
JSON object under a single key, `"frame"`, so that equal frames have equal bytes.

N probes, (H, W) input size, (h, w) output size, C channels (1 or 3), P parameters, K classes.

    input           U8  (N, H, W, C)
    output.<t>      U8  (N, h, w, C)
    theta.<t>       F32 (N, P)
    corners.<t>     F32 (N, 4, 2)      pixels of input, clockwise from the output's top left
    grid.<t>        F32 (N, 7, 7, 2)   pixels of input, over the output's edges
    probabilities   F32 (N, K)
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as _load
from safetensors.numpy import save as _save

PROTOCOL = 1
MEDIA_TYPE = "application/octet-stream"
LATTICE_SIDE = 7
"""Points along each side of a `grid`."""

Array = NDArray[Any]


Label = int | list[int] | None
"""The index of a probe's class, a list of them for a sequence, None if unknown."""


class FrameError(ValueError):
    """Bytes that are not a frame of a known protocol."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The tensors of a frame by name, and `info`, the JSON object under `"frame"`."""

    info: Mapping[str, Any]
    tensors: Mapping[str, Array]

    @property
    def transformers(self) -> list[str]:
        """The names of the transformers, in the order of the network."""
        return [transformer["name"] for transformer in self.info["transformers"]]

    @property
    def initial_probes(self) -> int:
        """The number of probes that the run started with; added pictures follow them."""
        count = len(next(iter(self.tensors.values())))
        return count - len(self.info.get("joined", ()))

    def with_info(self, **info: Any) -> "Frame":
        """Return the frame with additional or changed entries of `info`."""
        return Frame({**self.info, **info}, self.tensors)

    def with_input(self, images: Array) -> "Frame":
        """Return the frame with `images` (N, H, W, C) uint8 as its input."""
        return Frame(self.info, {**self.tensors, "input": images})

    def without_input(self) -> "Frame":
        """Return the frame without its input, as in a recording and on a socket."""
        return Frame(self.info, {k: v for k, v in self.tensors.items() if k != "input"})

    def encode(self) -> bytes:
        """Encode the frame: 4-byte types first, the header padded to a multiple of 8 bytes."""
        text = json.dumps(self.info, separators=(",", ":"), allow_nan=False)
        arrays = {name: np.ascontiguousarray(array) for name, array in self.tensors.items()}
        return _save(arrays, metadata={"frame": text})

    @classmethod
    def decode(cls, data: bytes) -> "Frame":
        """Decode a frame.

        Raises:
            FrameError: the bytes are not safetensors, have no frame, or are of a later protocol.
        """
        try:
            loaded = _load(data)
            length = int.from_bytes(data[:8], "little")
            header = json.loads(data[8 : 8 + length])
            info = json.loads(header["__metadata__"]["frame"])
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise FrameError(f"These bytes are not a frame: {error}.") from error
        if not isinstance(info, dict) or info.get("protocol") != PROTOCOL:
            raise FrameError(f"This frame is not of protocol {PROTOCOL}, the only supported one.")
        # In the order of the header; the library has an order by chance.
        return cls(info, {name: loaded[name] for name in header if name in loaded})


def defined_predictions(classes: Sequence[Label], probabilities: Array) -> list[Label]:
    """Return predicted classes (N), None for probes whose probabilities (N, ...) are not finite."""
    rows = probabilities.reshape(len(classes), -1)
    return [
        label if np.isfinite(row).all() else None for label, row in zip(classes, rows, strict=True)
    ]


def content_key(images: Array) -> str:
    """Return a hash of images (N, H, W, C): equal images have equal keys."""
    shape = "x".join(str(side) for side in images.shape)
    return f"{shape}-{hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()[:32]}"
