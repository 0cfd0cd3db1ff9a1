"""Pack frames for pages without a server: groups of successive frames, each compressed on its own.

A group is a zlib stream of a header's length (4 bytes, little-endian), the header (JSON) and the
numbers of its tensors. The header has the frames' `info`, `input` (the number of an input that is
stored once for all groups, or null), and of each tensor its name, type, shape over the frames
(F, N, ...), filter and bytes. A filter turns numbers into others that compress better; it loses
nothing:

    delta    the difference from the frame before; of the first one from 0
    plane    of a grid: what a plane through three of its corners does not predict
    theta    of a grid: the difference from that of its affine theta, computed as PyTorch does
    corners  of a region: the difference from the corners of its grid
    median   of images: what the median edge detector of JPEG-LS (ITU-T T.87) does not predict; in
             colour, red and blue less what it does not predict of green
    zeros    of an output: what sampling the input at its grid does not predict, with zeros outside
    border   the same, with the input's border outside

`dashboard/assets/offline/frame-groups.js` reverses them, with the same arithmetic. The differences
of 4-byte numbers are those of their bits, in an order in which close numbers are close; their bytes
are stored plane by plane. What sampling does not predict is mostly 0, 1 or -1, by rounding: 2 bits
each, from the lowest on, 3 for other numbers, which follow.
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.frames.frame import Array, Frame, content_key

FilterName = Literal["delta", "plane", "theta", "corners", "median", "zeros", "border"]
Ints = NDArray[np.int32]
Ints64 = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUP_FRAMES: Final = 16
"""Frames of a group at most: fewer compress worse, more take longer until one of them is drawn."""
LEVEL = 6
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY)
"""With and without matches: in noise, matches cost more bytes than they save."""
ZLIB_HEADER = b"\x78\x9c"
OTHER = 3
"""The code of what is not 0, 1 or -1."""
AFFINE = (6,)
"""Shape of affine parameters."""
FIRST = ("theta", "input", "grid")
"""The kinds of tensors that filters of later ones need, in order."""
RGB = 3
"""Channels of images in colour."""
PADDINGS: Final = ("zeros", "border")


class Inputs:
    """The inputs that groups share, each once, in the order of their numbers."""

    def __init__(self) -> None:
        self.images: list[Array] = []
        self._numbers: dict[str, int] = {}

    def number(self, images: Array) -> int:
        """Return the number of an input (N, H, W, C), which is added if it is new."""
        number = self._numbers.setdefault(content_key(images), len(self.images))
        if number == len(self.images):
            self.images.append(images)
        return number

    @staticmethod
    def pack(images: Array) -> bytes:
        """Return the bytes of an input, as those of a group of one frame without `info`."""
        return _pack([{}], None, {"input": images[None]})


def group_frames(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    """Divide frames into groups: tensors of the same shapes, and all one input or each its own."""
    group: list[Frame] = []
    for frame in frames:
        if group and (len(group) == GROUP_FRAMES or not _fit(group, frame)):
            yield group
            group = []
        group.append(frame)
    if group:
        yield group


def _fit(group: Sequence[Frame], frame: Frame) -> bool:
    """Whether a frame can follow the others of a group."""
    last = group[-1]
    if _layout(last) != _layout(frame):
        return False
    if len(group) == 1:
        return True
    shares_input = _have_equal_inputs(group[:2])
    return _have_equal_inputs([last, frame]) == shares_input


def _layout(frame: Frame) -> dict[str, tuple[Any, ...]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in frame.tensors.items()}


def _have_equal_inputs(frames: Sequence[Frame]) -> bool:
    first = frames[0].tensors["input"]
    return all(np.array_equal(first, frame.tensors["input"]) for frame in frames[1:])


def pack_group(frames: Sequence[Frame], inputs: Inputs) -> bytes:
    """Pack frames of one of the groups of `group_frames`.

    Args:
        frames: with their inputs.
        inputs: to which an input is added that all frames share.
    """
    tensors = {
        name: np.stack([frame.tensors[name] for frame in frames]) for name in frames[0].tensors
    }
    infos = [frame.info for frame in frames]
    if len(frames) > 1 and not _have_equal_inputs(frames[:2]):
        return _pack(infos, None, tensors)
    images = tensors.pop("input")
    number = inputs.number(images[0])
    return _pack(infos, number, tensors, images=images[:1])


def _pack(
    infos: Sequence[Mapping[str, Any]],
    number: int | None,
    tensors: Mapping[str, Array],
    images: Array | None = None,
) -> bytes:
    entries, parts = [], []
    images = tensors.get("input") if images is None else images
    # Those come first that the filters of others need; a frame's own order is by chance.
    for name in sorted(tensors, key=lambda name: (_rank(name), name)):
        tensor = tensors[name]
        filter_name, part = _best(name, tensor, tensors, images)
        entries.append(
            {
                "name": name,
                "type": "U8" if tensor.dtype == np.uint8 else "F32",
                "shape": tensor.shape,
                "filter": filter_name,
                "bytes": len(part),
            }
        )
        parts.append(part)
    # Frames keep the order of their tensors, but it is that of this list.
    header = {"infos": infos, "input": number, "tensors": entries}
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return _compress([struct.pack("<I", len(text)) + text, *parts])


def _rank(name: str) -> int:
    kind = name.partition(".")[0]
    return FIRST.index(kind) if kind in FIRST else len(FIRST)


def _compress(parts: Sequence[bytes]) -> bytes:
    """Return a zlib stream (RFC 1950) of parts, each in blocks of the strategy that suits it."""
    ends = [zlib.Z_FULL_FLUSH] * (len(parts) - 1) + [zlib.Z_FINISH]
    blocks = [
        min((_deflate(part, strategy, end) for strategy in STRATEGIES), key=len)
        for part, end in zip(parts, ends, strict=True)
    ]
    checksum = 1
    for part in parts:
        checksum = zlib.adler32(part, checksum)
    return b"".join([ZLIB_HEADER, *blocks, struct.pack(">I", checksum)])


def _deflate(data: bytes, strategy: int, end: int) -> bytes:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, strategy=strategy)
    compressed: bytes = compressor.compress(data) + compressor.flush(end)
    return compressed


def _best(
    name: str, tensor: Array, tensors: Mapping[str, Array], images: Array | None
) -> tuple[FilterName, bytes]:
    """Return the filter of a tensor whose result is the smallest, and that result."""
    kind, _, transformer = name.partition(".")
    grid = tensors.get(f"grid.{transformer}")
    candidates: dict[FilterName, Callable[[], bytes]] = {"delta": lambda: _delta(tensor)}
    if kind == "grid":
        candidates["plane"] = lambda: _shuffle(_plane(tensor))
        theta = tensors.get(f"theta.{transformer}")
        if theta is not None and theta.shape[2:] == AFFINE and images is not None:
            candidates["theta"] = lambda: _shuffle(
                _ordered(tensor) - _ordered(affine_grid(theta, tensor.shape[2:4], images.shape))
            )
    elif kind == "corners" and grid is not None:
        candidates["corners"] = lambda: _shuffle(_ordered(tensor) - _ordered(corner_cells(grid)))
    elif kind == "input":
        candidates["median"] = lambda: _median(tensor).tobytes()
    elif (
        kind == "output"
        and grid is not None
        and images is not None
        and images.shape[-1] == tensor.shape[-1]
    ):
        padding = _padding(tensor, images, grid)
        candidates[padding] = lambda: _codes(_unsampled(tensor, images, grid, padding))
    if len(candidates) == 1:
        return "delta", candidates["delta"]()
    parts = {name: apply() for name, apply in candidates.items()}
    best = min(parts, key=lambda name: len(zlib.compress(parts[name], 1)))
    return best, parts[best]


def _padding(output: Array, images: Array, grid: Array) -> Literal["zeros", "border"]:
    """Return the padding with which sampling predicts more of the first frame's output."""
    wrong = {
        padding: np.count_nonzero(_unsampled(output[:1], images[:1], grid[:1], padding))
        for padding in PADDINGS
    }
    return min(PADDINGS, key=lambda padding: wrong[padding])


def _unsampled(output: Array, images: Array, grid: Array, padding: FilterName) -> Array:
    return output - sample(images, grid, output.shape[2:4], zeros=padding == "zeros")


def _codes(differences: Array) -> bytes:
    """Return differences modulo 256 as codes of 2 bits, 4 a byte, and those that have none."""
    numbers = differences.reshape(-1)
    codes = np.full(-(-numbers.size // 4) * 4, OTHER, np.uint8)
    codes[numbers.size :] = 0
    for code, number in enumerate((0, 1, 255)):
        codes[: numbers.size][numbers == number] = code
    first, second, third, fourth = codes.reshape(-1, 4).T
    packed: Array = first | second << 2 | third << 4 | fourth << 6
    return packed.tobytes() + bytes(numbers[codes[: numbers.size] == OTHER])


def _median(images: Array) -> Array:
    """Return what the median of left, above and left + above - above left does not predict."""
    ring = ((0, 0), (0, 0), (1, 0), (1, 0), (0, 0))
    padded = np.pad(images, ring).astype(np.int16)
    left, above = padded[:, :, 1:, :-1], padded[:, :, :-1, 1:]
    low, high = np.minimum(left, above), np.maximum(left, above)
    predicted = (left + above - padded[:, :, :-1, :-1]).clip(low, high)
    result = images - predicted.astype(np.uint8)
    if result.shape[-1] == RGB:
        result[..., 0] -= result[..., 1]
        result[..., 2] -= result[..., 1]
    return result


def _delta(tensor: Array) -> bytes:
    """Return the differences from the frame before; those of floats as of their bits."""
    if tensor.dtype == np.uint8:
        return np.diff(tensor, axis=0, prepend=np.zeros_like(tensor[:1])).tobytes()
    ordered = _ordered(tensor)
    return _shuffle(np.diff(ordered, axis=0, prepend=np.zeros_like(ordered[:1])))


def _ordered(tensor: Array) -> Ints:
    """Return the bits of float32 numbers as integers in the same order; its own inverse."""
    bits = np.ascontiguousarray(tensor, dtype=np.float32).view(np.int32)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def _shuffle(differences: Ints) -> bytes:
    """Return signed differences as bytes: small codes for small ones, all first bytes first."""
    codes = (differences << 1) ^ (differences >> 31)
    return np.ascontiguousarray(codes.reshape(-1).view(np.uint8).reshape(-1, 4).T).tobytes()


def _plane(grid: Array) -> Ints:
    """Return what a plane does not predict of a grid (F, N, rows, columns, 2).

    The three corners that it goes through are differences from the frame before. What is not finite
    counts as 0: the bits of a computed NaN are those of the CPU.
    """
    rows, columns = grid.shape[2:4]
    points = _finite(grid)
    origin, across, down = points[:, :, :1, :1], points[:, :, :1, -1:], points[:, :, -1:, :1]
    x = (np.arange(columns) / (columns - 1))[:, None]
    y = (np.arange(rows) / (rows - 1))[:, None, None]
    predicted = (origin + (across - origin) * x) + (down - origin) * y
    with np.errstate(over="ignore"):  # infinite as float32, here and there
        predictions = predicted.astype(np.float32)
    ordered = _ordered(grid)
    result = ordered - _ordered(predictions)
    before = np.concatenate([np.zeros_like(ordered[:1]), ordered[:-1]])
    for row, column in ((0, 0), (0, -1), (-1, 0)):
        result[:, :, row, column] = (ordered - before)[:, :, row, column]
    return result


def affine_grid(theta: Array, points: Sequence[int], images: Sequence[int]) -> Array:
    """Return the grids of affine parameters, with the roundings of `models/grid.py` in float32.

    Args:
        theta: (F, N, 6).
        points: rows and columns of a grid.
        images: shape of the images (F or 1, N, H, W, C).

    Returns:
        (F, N, rows, columns, 2) in pixels of the images; 0 where it is not finite.
    """
    y, x = _ticks(points[0])[:, None], _ticks(points[1])
    a, b, c, d, e, f = np.moveaxis(theta, -1, 0)[..., None, None]
    with np.errstate(all="ignore"):
        normalised = np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)
        size = np.array([images[3], images[2]], np.float32)
        grid: Array = (normalised + np.float32(1)) / np.float32(2) * size
    grid[~np.isfinite(grid)] = 0
    return grid


def _ticks(count: int) -> NDArray[np.float32]:
    """Return -1 to 1 as `torch.linspace` does: from both ends, with a step of float32."""
    step = np.float64(np.float32(2 / (count - 1)))
    index = np.arange(count)
    ticks = np.where(index < count // 2, -1 + step * index, 1 - step * (count - 1 - index))
    return ticks.astype(np.float32)


def corner_cells(grid: Array) -> Array:
    """Return the corners (F, N, 4, 2) of a grid, clockwise from the output's top left."""
    return np.stack(
        [grid[:, :, 0, 0], grid[:, :, 0, -1], grid[:, :, -1, -1], grid[:, :, -1, 0]], axis=2
    )


def sample(images: Array, grid: Array, size: Sequence[int], zeros: bool) -> Array:
    """Sample images at a grid, between whose points lines are straight.

    The order of the operations is that of the module that reverses the filter: both round alike.

    Args:
        images: (F or 1, N, H, W, C) uint8.
        grid: (F, N, rows, columns, 2) in pixels of the images.
        size: height and width of the result.
        zeros: whether images are 0 outside; else as at their border.

    Returns:
        (F, N, height, width, C) uint8
    """
    count, rows, columns = grid.shape[1:4]
    down, across = _intervals(size[0], rows), _intervals(size[1], columns)
    ring = ((0, 0), (0, 0), (OUTSIDE, OUTSIDE), (OUTSIDE, OUTSIDE), (0, 0))
    padded = np.pad(images, ring, "constant" if zeros else "edge")
    height, width, channels = padded.shape[2:]
    first = np.arange(count).reshape(-1, 1, 1) * (height * width) + OUTSIDE * (width + 1)
    result = np.empty((len(grid), count, *size, channels), np.uint8)
    # A frame at a time, in arrays that are made once: new memory would take most of the time.
    right, below, upper, lower, spare = np.empty((5, count, *size))
    index, column = np.empty((2, count, *size), np.int64)
    for number, points in enumerate(_finite(grid)):
        _places(points[..., 0], down, across, out=right, spare=spare)
        _places(points[..., 1], down, across, out=below, spare=spare)
        _split(right, images.shape[3], before=column, spare=spare)
        _split(below, images.shape[2], before=index, spare=spare)
        index *= width
        index += column
        index += first
        if number < len(images):
            planes = np.moveaxis(padded[number], -1, 0).astype(np.float64).reshape(channels, -1)
        for channel, pixels in enumerate(planes):
            pixels.take(index, out=spare, mode="wrap")
            pixels[1:].take(index, out=upper, mode="wrap")
            _interpolate(spare, upper, right, out=upper)
            pixels[width:].take(index, out=spare, mode="wrap")
            pixels[width + 1 :].take(index, out=lower, mode="wrap")
            _interpolate(spare, lower, right, out=lower)
            _interpolate(upper, lower, below, out=lower)
            lower += 0.5
            result[number, ..., channel] = np.floor(lower, out=lower)
    return result


OUTSIDE = 2
"""Pixels of a ring around the images, so that a point far outside has two of them beside it."""
MAX_PIXELS = 1e6
"""Distance to which sampling points are clamped; beyond it all are equally far outside."""


def _intervals(pixels: int, points: int) -> tuple[Ints64, Floats]:
    """Return the grid's point before each pixel's centre on a side, and the fraction beyond."""
    positions = (np.arange(pixels) + 0.5) / pixels * (points - 1)
    before = np.floor(positions).astype(np.int64)
    return before, positions - before


def _finite(grid: Array) -> Floats:
    return np.nan_to_num(grid.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _places(
    points: Floats,
    down: tuple[Ints64, Floats],
    across: tuple[Ints64, Floats],
    *,
    out: Floats,
    spare: Floats,
) -> None:
    """Compute one coordinate at each pixel's centre (N, height, width), from that of the grid."""
    (row, v), (column, u) = down, across
    lines = _interpolate(points[..., column], points[..., column + 1], u)
    lines.take(row, axis=1, out=spare, mode="wrap")
    lines.take(row + 1, axis=1, out=out, mode="wrap")
    _interpolate(spare, out, v[:, None], out=out)
    np.clip(out, -MAX_PIXELS, MAX_PIXELS, out=out)
    out -= 0.5


def _split(positions: Floats, pixels: int, *, before: Ints64, spare: Floats) -> None:
    """Divide coordinates into the index of the last pixel `before`, and the fraction beyond."""
    np.floor(positions, out=spare)
    positions -= spare
    np.clip(spare, -OUTSIDE, pixels, out=spare)
    before[...] = spare


def _interpolate(low: Floats, high: Floats, fraction: Floats, out: Floats | None = None) -> Floats:
    result = np.subtract(high, low, out=out)
    result *= fraction
    result += low
    return result
