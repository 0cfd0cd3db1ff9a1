"""What this process computes on, as result files and checkpoints have it."""

import os

import torch

from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.devices.choice import find_device, processor
from stnscope.backend.experiment.devices.cores import processor_name
from stnscope.backend.experiment.devices.torch_devices import list_devices
from stnscope.backend.experiment.reproduction.results import Machine
from stnscope.backend.version import VERSION


def describe_machine(threads: int, device: str = CPU) -> Machine:
    """Return what this process computes on.

    Args:
        threads: CPU threads that are used.
        device: name of the one that networks are applied on.
    """
    entry = find_device(device, [processor()] if device == CPU else list_devices())
    return Machine(
        processor=processor_name(),
        cores=os.cpu_count() or 1,
        device=entry.name if entry.name == CPU else f"{entry.name}, {entry.title}",
        threads=threads,
        torch=torch.__version__,
        version=VERSION,
    )
