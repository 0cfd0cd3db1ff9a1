"""The devices that a network can be computed on, and which one a configuration means.

Without torch: what a machine has is passed in; `torch_devices` reads it from torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stnscope.backend.experiment.catalog import Choice
from stnscope.backend.experiment.config import AUTO, CPU, RunConfig
from stnscope.backend.experiment.devices.cores import (
    automatic_threads,
    count_cores,
    processor_name,
)
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.limits import MAX_THREADS

BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Device(Choice):
    """A device of a machine."""

    memory: int | None
    """Bytes of its own; None if it uses the machine's."""
    exact: bool
    """Whether equal steps give equal bits, so that a resumed run is as one without interruption."""


def processor() -> Device:
    """Return the CPU, which every machine has."""
    cores = count_cores()
    text = f"It has {cores} core{'s' if cores > 1 else ''}. Runs on it repeat bit for bit."
    return Device(CPU, f"Processor: {processor_name()}", text, memory=None, exact=True)


def automatic(devices: Sequence[Device]) -> Device:
    """Return the catalog's entry for the device that is chosen automatically.

    Args:
        devices: of the machine, the CPU first.
    """
    chosen = find_device(AUTO, devices)
    text = f"The accelerator if there is one, else the CPU; here {chosen.title}."
    return Device(AUTO, "Automatic", text, chosen.memory, chosen.exact)


def find_device(name: str, devices: Sequence[Device], location: str = "here") -> Device:
    """Return the device that a name means.

    Args:
        name: `auto`, or that of a device; one without a number means the first of its kind.
        devices: of the machine, the CPU first.
        location: where they are.

    Raises:
        InvalidInput: there is none; the text lists those that exist.
    """
    if name == AUTO:
        return devices[min(1, len(devices) - 1)]
    for device in devices:
        if name in (device.name, device.name.removesuffix(":0")):
            return device
    raise InvalidInput(
        f"There is no device {name!r} {location}; there are {_names(devices)}.", "device"
    )


def _names(devices: Sequence[Device]) -> str:
    return ", ".join([AUTO, *(device.name for device in devices)])


def resolve(
    config: RunConfig, devices: Sequence[Device], location: str = "here", limit: int = MAX_THREADS
) -> RunConfig:
    """Return a configuration with the device and the threads that it means on a machine.

    So what is recorded determines the run, on any machine that has its device.

    Args:
        config: of a run.
        devices: of the machine, the CPU first.
        location: where they are.
        limit: of the threads, if their number is to be chosen.

    Raises:
        InvalidInput: there is no such device.
    """
    changed = {
        "device": find_device(config.device, devices, location).name,
        "threads": thread_count(config, limit),
    }
    return config.model_copy(update=changed)


def thread_count(config: RunConfig, limit: int = MAX_THREADS) -> int:
    """Return the number of a run's threads; at most `limit` if it is to be chosen."""
    return min(automatic_threads(), limit) if config.threads == AUTO else config.threads


def has_channels_last(config: RunConfig) -> bool:
    """Whether a run's weights are stored with their channels last."""
    if config.channels_last is None:
        return config.precision == BFLOAT16
    return config.channels_last


def resume_note(device: str) -> str | None:
    """Return what a resume on a device does not guarantee, as a sentence; None if there is nothing.

    Args:
        device: its name, as a configuration has it.
    """
    if device == CPU:
        return None
    return (
        f"On {device}, sums have no fixed order: resumed, this run goes on from its checkpoint, "
        "but not bit for bit as without the interruption."
    )


def missing_device(name: str, devices: Sequence[Device], location: str = "here") -> str:
    """Return why a run cannot be resumed on a machine without its device, and what to do."""
    return (
        f"This run was trained on {name}, which is not {location}; there are {_names(devices)}. "
        "Resume it on a machine that has it, or start a new run on another device."
    )
