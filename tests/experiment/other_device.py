"""Another device than the CPU, made in Python, for machines without an accelerator.

It goes by the name of `meta`, and its tensors have values, which the CPU computes: results
can be compared bit for bit. As with any accelerator, its tensors do not meet those of the CPU
in an operation, and become arrays of NumPy only by way of the CPU.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

OTHER = torch.device("meta")


class OneDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Raises where tensors of two devices meet: on `meta`, matrix products do not see to it."""

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        check_one_device(operation, args, kwargs or {})
        return operation(*args, **(kwargs or {}))


def check_one_device(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Fail if an operation has tensors of two devices, unless it copies one to the other."""
    leaves = tree_leaves((args, kwargs))
    # A tensor without dimensions is a number, which goes with any device.
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.dim()]
    devices = {tensor.device.type for tensor in tensors}
    is_copy = operation is torch.ops.aten.copy_.default
    assert len(devices) <= 1 or is_copy, f"{operation} of tensors on {devices}"


class _Valued(Tensor):
    """A tensor of the other device, with the tensor of the CPU that has its values."""

    computed: Tensor

    @staticmethod
    def __new__(cls, values: Tensor) -> Self:
        made: Self = Tensor._make_wrapper_subclass(
            cls,
            values.size(),
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            requires_grad=values.requires_grad,
            device=OTHER,
        )
        made.computed = values
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        return _compute(operation, args, kwargs or {})


class _OtherDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes tensors that are moved to the other device, or created there, have values."""

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        return _compute(operation, args, kwargs or {})


def _compute(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    check_one_device(operation, args, kwargs)
    target = kwargs.get("device")
    is_here = any(isinstance(leaf, _Valued) for leaf in tree_leaves((args, kwargs)))
    goes_there = target is not None and torch.device(target) == OTHER
    if not is_here and not goes_there:
        return operation(*args, **kwargs)
    arguments, options = tree_map(_values_of, (args, kwargs))
    if target is not None:
        options["device"] = torch.device("cpu")
    result = operation(*arguments, **options)
    if operation._schema.is_mutable:  # it changed values, and returns what it changed
        return args[0] if isinstance(result, Tensor) else result
    stays = goes_there or target is None
    return (
        tree_map(lambda x: _Valued(x) if isinstance(x, Tensor) else x, result) if stays else result
    )


def _values_of(leaf: Any) -> Any:
    return leaf.computed if isinstance(leaf, _Valued) else leaf


@contextmanager
def other_device(patch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """Offer the other device."""
    # Tensors that are made in Python cannot do without a count of their changes.
    patch.setattr(torch, "inference_mode", torch.no_grad)
    with _OtherDevice():  # type: ignore[no-untyped-call]
        yield OTHER
