"""Apply a network to the probes without a trace: training goes on as if it had not happened."""

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from stnscope.backend.experiment.devices.torch_devices import preserving_generators

REDUCED = (torch.float16, torch.bfloat16)


@contextmanager
def preserving_random_state(*devices: torch.device) -> Iterator[None]:
    """Restore the state of all global random number generators afterwards.

    Args:
        devices: those besides the CPU whose generators are restored.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    with ExitStack() as stack:
        stack.enter_context(preserving_generators(*devices))
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Set a network to evaluation mode, without gradients, and restore all of its state afterwards.

    The state is the mode of each module, the buffers, and the random numbers.
    """
    # Not with `eval` and `train`: some networks override them, and freeze or merge weights there.
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer._version, buffer.detach().clone()) for buffer in model.buffers()]
    devices = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    with ExitStack() as stack:
        stack.enter_context(preserving_random_state(*devices))
        stack.enter_context(torch.no_grad())
        if "torch._dynamo" in sys.modules:  # else nothing was compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for buffer, version, value in buffers:
                if buffer._version != version:
                    buffer.copy_(value)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the network inside a wrapper for several devices.

    The wrapper's own forward pass exchanges data with all processes, but only one observes probes.

    Raises:
        TypeError: its weights are distributed, so that no process can apply it alone.
    """
    while isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        model = model.module
    if type(model).__name__ in ("FullyShardedDataParallel", "DeepSpeedEngine"):
        raise TypeError(
            f"The weights of a {type(model).__name__} are distributed over processes, and a probe "
            "pass runs in one of them. Use DistributedDataParallel, or watch on one device."
        )
    return model


def check_is_initialised(model: nn.Module) -> None:
    """Check that all weights of a network exist.

    Raises:
        ValueError: some are lazy: the probe pass would draw them, and training would not be as
            without it.
    """
    if any(is_lazy(parameter) for parameter in model.parameters()):
        raise ValueError(
            "Some weights of this network are lazy and do not exist yet. Apply it to a batch once, "
            "then watch it."
        )


def as_input_of(model: nn.Module, images: Tensor) -> Tensor:
    """Return a copy of images on a network's device, in its precision if that is reduced.

    A copy, so that a network that changes its input in place does not change the probes.
    """
    weight = next(model.parameters(), None)
    dtype = images.dtype
    if weight is not None and images.is_floating_point() and weight.dtype in REDUCED:
        dtype = weight.dtype
    return images.to(device_of(model), dtype, copy=True)


def device_of(model: nn.Module) -> torch.device:
    """Return the device that a network's first weights are on; the CPU if it has none."""
    tensor: Tensor | None = next(model.parameters(), next(model.buffers(), None))
    return torch.device("cpu") if tensor is None else tensor.device
