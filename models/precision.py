"""Automatic mixed precision, on devices that have it."""

from contextlib import AbstractContextManager, nullcontext

import torch


def autocast(device: torch.device, *, is_enabled: bool) -> AbstractContextManager[None]:
    """Return a context in which convolutions and linear layers compute in bfloat16, or do not.

    Within mixed precision it is entered disabled around what needs float32, such as grids: bfloat16
    resolves 256 positions, fewer than the pixels along a side of a large image.
    """
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, enabled=is_enabled)
