"""The devices as torch has them: which there are, their random state, their memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch

from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.devices.choice import Device, find_device, processor
from stnscope.backend.experiment.devices.cores import processor_name
from stnscope.backend.experiment.devices.machine import Machine
from stnscope.backend.experiment.errors import OutOfMemory
from stnscope.backend.version import VERSION

NOT_EXACT = "Runs on it do not repeat bit for bit."
WITHOUT_GENERATOR = (CPU, "meta")
"""Kinds of devices without a random generator besides the CPU's."""
FULL_MEMORY = ("mps backend out of memory", "cpuallocator")
"""Parts of the texts of errors that have no class of their own, in lower case."""


def list_devices() -> list[Device]:
    """Return the devices of this machine, the CPU first."""
    return [processor(), *_cuda_devices(), *_mps_devices()]


def _cuda_devices() -> Iterator[Device]:
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory = properties.total_memory
        text = f"A GPU with {memory / 1e9:.0f} GB. {NOT_EXACT}"
        yield Device(f"cuda:{index}", properties.name, text, memory, exact=False)


def _mps_devices() -> Iterator[Device]:
    if torch.backends.mps.is_available():
        text = f"The graphics part of the processor, by Metal. {NOT_EXACT}"
        yield Device("mps", "Apple graphics", text, memory=None, exact=False)


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


def torch_device(name: str, devices: Sequence[Device] | None = None) -> torch.device:
    """Return the device that a name means.

    Args:
        name: as `RunConfig.device`.
        devices: of this machine; by default they are listed.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
    """
    if name == CPU:  # without a search for others
        return torch.device(name)
    return torch.device(find_device(name, devices or list_devices()).name)


@contextmanager
def preserving_generators(*devices: torch.device) -> Iterator[None]:
    """Restore torch's random generators afterwards: the CPU's, and those of devices."""
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        for device in devices:
            if device.type not in WITHOUT_GENERATOR:
                stack.enter_context(
                    torch.random.fork_rng(devices=[device], device_type=device.type)
                )
        yield


def seed_generators(seed: int, device: torch.device) -> None:
    """Seed torch's random generators: the CPU's, and that of a device."""
    if device.type in WITHOUT_GENERATOR:
        # `torch.manual_seed` records the call stack for each device that is not yet in use.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


@contextmanager
def naming_full_memory(device: str, remedy: str) -> Iterator[None]:
    """Replace the error of a device whose memory is full by one with a remedy.

    Args:
        device: its name.
        remedy: what to do, as a sentence.

    Raises:
        OutOfMemory: its memory is full.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error).lower()
        is_full = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not (is_full or any(part in text for part in FULL_MEMORY)):
            raise
        if isinstance(error, MemoryError) or FULL_MEMORY[1] in text:
            device = "This machine"
        raise OutOfMemory(f"{device} has too little memory for this. {remedy}") from error
