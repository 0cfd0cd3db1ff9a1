"""Locate what a call of `grid_sample` reads in the network's input.

From the sampled map back to the input, operation by operation: convolutions and pooling by the
centres of their receptive fields, resizing and padding exactly, earlier calls of `grid_sample`
through their grids. Across any other operation a map is stretched from edge to edge over the one
that it was computed from, and the location records this.

All points are (x, y) in pixels, (0, 0) being the outer edge of the first pixel. B maps or calls, N
images of the input, K = B / N calls of one image, M points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stnscope.backend.experiment.frames.region_geometry import Floats
from stnscope.backend.experiment.watching.sampling_calls import (
    INPUT,
    Operand,
    SamplingCall,
    Source,
)
from stnscope.models.receptive_field import window_offset

Pair = tuple[float, float]
"""Along x and along y."""


@dataclass(frozen=True)
class PixelMap:
    """Maps pixels of a map to pixels of the one it was computed from: scale * point + offset.

    Attributes:
        scale, offset: along x and along y.
        is_exact: whether the operation's geometry is known.
        keeps_pixels: whether each pixel stays in its position, with a value of its own.
    """

    scale: Pair = (1.0, 1.0)
    offset: Pair = (0.0, 0.0)
    is_exact: bool = True
    keeps_pixels: bool = False

    def after(self, previous: "PixelMap") -> "PixelMap":
        """Return this map applied to the result of `previous`."""
        (a, b), (c, d) = self.scale, self.offset
        (e, f), (g, h) = previous.scale, previous.offset
        return PixelMap(
            (a * e, b * f),
            (a * g + c, b * h + d),
            self.is_exact and previous.is_exact,
            self.keeps_pixels and previous.keeps_pixels,
        )

    def apply(self, points: Floats) -> Floats:
        """Map points (..., 2)."""
        return np.asarray(points * self.scale + self.offset)


SAME_PIXELS = PixelMap(keeps_pixels=True)


def stretched(size: tuple[int, int], onto: tuple[int, int], *, is_exact: bool = False) -> PixelMap:
    """Return the map that lays (height, width) `size` from edge to edge over `onto`."""
    return PixelMap((onto[1] / size[1], onto[0] / size[0]), (0.0, 0.0), is_exact)


# fmt: off
POINTWISE = frozenset({
    "relu", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "hardtanh", "hardswish", "hardsigmoid", "softplus", "softsign", "clamp", "clamp_min",
    "clamp_max", "prelu", "rrelu", "threshold", "_prelu_kernel", "relu6", "native_batch_norm",
    "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "batch_norm",
    "_batch_norm_with_update", "cudnn_batch_norm", "miopen_batch_norm", "native_layer_norm",
    "native_group_norm", "native_dropout", "dropout", "add", "sub", "mul", "div", "rsub", "neg",
    "abs", "exp", "log", "log1p", "expm1", "pow", "sqrt", "rsqrt", "reciprocal", "square",
    "where", "maximum", "minimum", "round", "floor", "ceil", "sign", "nan_to_num", "lerp",
    "addcmul", "addcdiv", "clone", "detach", "_to_copy", "alias", "contiguous", "lift_fresh",
    "copy", "_conj", "positive", "_softmax", "_log_softmax", "bitwise_not", "logical_not", "eq",
    "ne", "lt", "le", "gt", "ge",
})
"""Operations that keep each pixel in its position (with `_` at the end, in place)."""
RESHAPES = frozenset({
    "view", "reshape", "_unsafe_view", "_reshape_alias", "unsqueeze", "squeeze", "expand",
    "repeat", "select", "split", "split_with_sizes", "unbind", "slice",
})
"""Operations that keep pixels in their position if height and width stay the last two."""
CONCATENATIONS = frozenset({"cat", "stack"})
CONVOLUTIONS = frozenset({
    "convolution", "_convolution", "cudnn_convolution", "mkldnn_convolution",
})
POOLINGS = frozenset({
    "max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "mkldnn_max_pool2d",
})
RESIZES = frozenset({
    "upsample_nearest2d", "_upsample_nearest_exact2d", "upsample_bilinear2d",
    "upsample_bicubic2d", "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa",
})
PADDINGS = frozenset({
    "constant_pad_nd", "reflection_pad2d", "replication_pad2d",
})
# fmt: on
WINDOWED = CONVOLUTIONS | POOLINGS | RESIZES | PADDINGS


def parent_of(source: Source) -> Source | None:
    """Return what a tensor was computed from: of several, the first of the same size.

    If the weights are computed too, only the input that they are applied to.
    """
    if source.operation in WINDOWED:
        return next(source.operands()).source
    sources = [operand.source for operand in source.operands() if operand.source is not None]
    return next((parent for parent in sources if parent.size == source.size), None) or (
        sources[0] if sources else None
    )


def _pixel_map(source: Source, parent: Source) -> PixelMap | None:
    """Return the map from a tensor to its parent; None if the operation's geometry is unknown."""
    name = source.operation.removesuffix("_")
    size, parent_size = source.size, parent.size
    if size is None or parent_size is None:
        return None
    is_kept = name in POINTWISE or name in RESHAPES or name in CONCATENATIONS
    if is_kept and size == parent_size and not _joins_along_sides(source):
        return SAME_PIXELS
    if name == "permute" and size == parent_size:
        axes = [axis % len(source.shape) for axis in source.arguments[1]]
        return SAME_PIXELS if axes[-2:] == [len(axes) - 2, len(axes) - 1] else None
    if name == "slice":
        return _through_slice(source)
    if name == "flip":
        return _through_flip(source, size)
    for operations, method in _GEOMETRIES:
        if name in operations:
            return method(source.arguments, size, parent_size)
    return None


def _joins_along_sides(source: Source) -> bool:
    """Whether a concatenation is along the height or the width."""
    if source.operation not in CONCATENATIONS:
        return False
    axis = source.arguments[1] if len(source.arguments) > 1 else 0
    return bool(axis % len(source.shape) >= len(source.shape) - 2)


def _pair(values: Any) -> tuple[int, int]:
    """Return an argument of a two-dimensional operation, (along y, along x)."""
    numbers = values if isinstance(values, tuple | list) else (values,)
    return (numbers[0], numbers[-1])


def _through_windows(
    extents: tuple[int, int], strides: tuple[int, int], paddings: tuple[int, int]
) -> PixelMap:
    offsets = [window_offset(*axis) for axis in zip(extents, strides, paddings, strict=True)]
    return PixelMap((strides[1], strides[0]), (offsets[1], offsets[0]))


def _through_convolution(
    arguments: tuple[Any, ...], size: tuple[int, int], parent_size: tuple[int, int]
) -> PixelMap | None:
    weight, _, stride, padding, dilation, is_transposed = arguments[1:7]
    assert isinstance(weight, Operand)
    strides, dilations = _pair(stride), _pair(dilation)
    extents = tuple(
        gap * (side - 1) + 1 for gap, side in zip(dilations, weight.shape[-2:], strict=True)
    )
    through = _through_windows((extents[0], extents[1]), strides, _pair(padding))
    if not is_transposed:
        return through
    # Its output lies over its input as a convolution's input lies over its output.
    scales = (1 / through.scale[0], 1 / through.scale[1])
    return PixelMap(scales, (-through.offset[0] * scales[0], -through.offset[1] * scales[1]))


def _through_pooling(
    arguments: tuple[Any, ...], size: tuple[int, int], parent_size: tuple[int, int]
) -> PixelMap | None:
    extents = _pair(arguments[1])
    strides = _pair(arguments[2]) if _has(arguments, 2) else extents
    paddings = _pair(arguments[3]) if _has(arguments, 3) else (0, 0)
    through = _through_windows(extents, strides, paddings)
    expected = tuple(
        (side + 2 * padding - extent) // stride + 1
        for side, extent, stride, padding in zip(
            parent_size, extents, strides, paddings, strict=True
        )
    )
    # With ceil_mode, windows at the edge are smaller, and their centres elsewhere.
    return through if expected == size else None


def _through_slice(source: Source) -> PixelMap | None:
    given = source.arguments[1:]
    arguments: list[Any] = [*given, *(0, 0, None, 1)[len(given) :]]
    axis, start, _, step = arguments
    if start is None or start < 0:
        return None
    scale, offset = [1.0, 1.0], [0.0, 0.0]
    index = len(source.shape) - 1 - axis % len(source.shape)  # 0 along x, 1 along y
    scale[index], offset[index] = step, start + (1 - step) / 2
    return PixelMap((scale[0], scale[1]), (offset[0], offset[1]))


def _through_flip(source: Source, size: tuple[int, int]) -> PixelMap:
    axes = {axis % len(source.shape) - len(source.shape) for axis in source.arguments[1]}
    scale = (-1.0 if -1 in axes else 1.0, -1.0 if -2 in axes else 1.0)
    return PixelMap(scale, (size[1] * (-1 in axes), size[0] * (-2 in axes)))


def _has(arguments: tuple[Any, ...], index: int) -> bool:
    """Whether an optional argument that is a list was passed and is not empty."""
    return len(arguments) > index and arguments[index] not in ((), None)


def _through_adaptive_pooling(
    arguments: tuple[Any, ...], size: tuple[int, int], parent_size: tuple[int, int]
) -> PixelMap:
    is_regular = all(side % part == 0 for side, part in zip(parent_size, size, strict=True))
    return stretched(size, parent_size, is_exact=is_regular)


def _through_resize(
    arguments: tuple[Any, ...], size: tuple[int, int], parent_size: tuple[int, int]
) -> PixelMap:
    if True not in arguments[2:3]:  # align_corners, which nearest has not
        return stretched(size, parent_size, is_exact=True)
    scales = [
        (old - 1) / (new - 1) if new > 1 else 0.0
        for old, new in zip(parent_size, size, strict=True)
    ]
    return PixelMap(
        (scales[1], scales[0]), (0.5 - scales[1] / 2, 0.5 - scales[0] / 2), is_exact=True
    )


def _through_padding(
    arguments: tuple[Any, ...], size: tuple[int, int], parent_size: tuple[int, int]
) -> PixelMap:
    widths = [*arguments[1], 0, 0, 0, 0]
    return PixelMap(offset=(float(-widths[0]), float(-widths[2])))


_GEOMETRIES: tuple[tuple[frozenset[str], Callable[..., PixelMap | None]], ...] = (
    (CONVOLUTIONS, _through_convolution),
    (POOLINGS, _through_pooling),
    (frozenset({"_adaptive_avg_pool2d", "adaptive_max_pool2d"}), _through_adaptive_pooling),
    (RESIZES, _through_resize),
    (PADDINGS, _through_padding),
)


@dataclass(frozen=True)
class MapLocation:
    """Where a sampled map lies.

    Attributes:
        call: the earlier call whose output it was computed from; None if from the input.
        pixels: from the map's pixels to those of that output, or of the input.
    """

    call: SamplingCall | None
    pixels: PixelMap


def locate(image: Source | None, size: tuple[int, int], input_size: tuple[int, int]) -> MapLocation:
    """Find what a sampled map was computed from.

    Args:
        image: the map's source; None if it does not depend on the input.
        size: its height and width.
        input_size: of the network's input.
    """
    pixels, source = SAME_PIXELS, image
    while source is not None and source.call is None and source.operation != INPUT:
        parent = parent_of(source)
        step = _pixel_map(source, parent) if parent else None
        if step is None:
            # The next map that it was computed from, past vectors and sequences.
            while parent and parent.size is None and parent.call is None:
                parent = parent_of(parent) if parent.operation != INPUT else None
            if parent is None or parent.size is None:
                return MapLocation(None, stretched(size, input_size))
            step = stretched(source.size or size, parent.size)
        pixels, source = step.after(pixels), parent
    if source is None:
        return MapLocation(None, stretched(size, input_size))
    return MapLocation(source.call, pixels)
