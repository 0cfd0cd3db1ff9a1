"""Find the calls of `grid_sample` in a forward pass of any network, and what they sample.

A dispatch mode intercepts every ATen operation, of eager, compiled, scripted and exported networks
alike. Each tensor that an operation returns gets a `Source`: the operation, its arguments, and the
sources of the tensors it was computed from. Sources hold no tensors but thetas, so that the pass
needs no more memory than without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

INPUT = "input"
"""The operation of a source that is the network's input."""
SAMPLERS = frozenset({"grid_sampler_2d", "cudnn_grid_sampler", "_grid_sampler_2d_cpu_fallback"})
SAMPLERS_3D = frozenset({"grid_sampler_3d"})
AFFINE_GRIDS = frozenset({"affine_grid_generator"})
PADDING_MODES = ("zeros", "border", "reflection")
INTERPOLATIONS = ("bilinear", "nearest", "bicubic")


@dataclass(frozen=True, eq=False)
class Operand:
    """A tensor among an operation's arguments: its shape, and its source if it has one."""

    shape: tuple[int, ...]
    source: "Source | None"


@dataclass(frozen=True, eq=False)
class Source:
    """How a tensor was computed.

    Attributes:
        operation: name of the ATen operation, without overload; or `INPUT`.
        shape: of the tensor.
        arguments: of the operation; tensors are replaced by `Operand`.
        theta: (B, 2, 3), if the tensor is a grid made by `affine_grid`.
        call: the call that sampled the tensor, if it is the output of one.
    """

    operation: str
    shape: tuple[int, ...]
    arguments: tuple[Any, ...] = ()
    theta: Tensor | None = None
    call: "SamplingCall | None" = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, of a map; None of a tensor that has fewer than three dimensions."""
        return (self.shape[-2], self.shape[-1]) if len(self.shape) >= 3 else None

    def operands(self) -> Iterator[Operand]:
        """Iterate over the tensors among the arguments, also those in lists."""
        for argument in self.arguments:
            if isinstance(argument, Operand):
                yield argument
            elif isinstance(argument, tuple):
                yield from (part for part in argument if isinstance(part, Operand))


@dataclass(frozen=True, eq=False)
class SamplingCall:
    """A call of `grid_sample` on maps: B of them, C channels.

    Attributes:
        image: the sampled maps' source.
        size: their height and width.
        grid: (B, h, w, 2), as passed to the call.
        grid_source: how the grid was computed.
        output: (B, C, h, w).
        interpolation, padding, align_corners: of the call.
    """

    image: Source | None
    size: tuple[int, int]
    grid: Tensor
    grid_source: Source | None
    output: Tensor
    interpolation: str
    padding: str
    align_corners: bool


@dataclass
class SamplingTrace:
    """The calls of one forward pass, in order.

    Attributes:
        calls: on maps.
        volumes: number of calls on volumes, which have no picture.
    """

    calls: list[SamplingCall] = field(default_factory=list)
    volumes: int = 0


class SamplingObserver(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the sampling calls of what runs in its context.

    Args:
        images: the network's input.
    """

    def __init__(self, images: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.trace = SamplingTrace()
        self._sources = WeakTensorKeyDictionary()
        self._sources[images] = Source(INPUT, tuple(images.shape))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Whether torch keeps its compiler out of this mode; to do so it imports it."""
        return False  # that takes seconds, and nothing is compiled during a probe pass

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and note how its results were computed."""
        # Before the operation: one in place replaces the source of its own argument.
        arguments = tuple(self._describe(argument) for argument in args)
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        for tensor in _tensors(result):
            source = self._source(name, args, arguments, tensor)
            self._sources[tensor] = source
            if source.call is not None:
                self.trace.calls.append(source.call)
        self.trace.volumes += name in SAMPLERS_3D
        return result

    def _describe(self, argument: Any) -> Any:
        """Replace a tensor, or those in a list, by an `Operand`."""
        if isinstance(argument, Tensor):
            source = self._sources.get(argument)  # type: ignore[no-untyped-call]
            return Operand(tuple(argument.shape), source)
        if isinstance(argument, list | tuple):
            return tuple(self._describe(part) for part in argument)
        return argument

    def _source(
        self, name: str, args: Sequence[Any], arguments: tuple[Any, ...], result: Tensor
    ) -> Source:
        shape = tuple(result.shape)
        if name in SAMPLERS:
            return Source(name, shape, arguments, call=_call(args, arguments, result))
        if name in AFFINE_GRIDS:
            return Source(name, shape, arguments, theta=args[0].detach())
        return Source(name, shape, arguments)


def _call(args: Sequence[Any], arguments: Sequence[Any], output: Tensor) -> SamplingCall:
    """Return a call of `grid_sampler_2d`, or of the version of cuDNN, which has two arguments."""
    images, grid = args[:2]
    interpolation, padding, align_corners = args[2:5] if len(args) > 2 else (0, 0, True)
    return SamplingCall(
        image=arguments[0].source,
        size=(images.shape[-2], images.shape[-1]),
        grid=grid.detach(),
        grid_source=arguments[1].source,
        output=output.detach(),
        interpolation=INTERPOLATIONS[interpolation],
        padding=PADDING_MODES[padding],
        align_corners=bool(align_corners),
    )


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _tensors(part)


def observe_sampling(images: Tensor) -> SamplingObserver:
    """Return a context that records the sampling calls of a network applied to `images`."""
    return SamplingObserver(images)


def is_scripted(model: torch.nn.Module) -> bool:
    """Whether any part of a network is TorchScript."""
    return any(isinstance(module, torch.jit.ScriptModule) for module in model.modules())
