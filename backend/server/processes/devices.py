"""The devices that runs can be trained on, for a process that does not import torch.

Without a driver, or with a build of torch for the CPU alone, there is nothing else. Otherwise
torch lists them, once, in a process of its own.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stnscope.backend.experiment.config import CPU, RunConfig
from stnscope.backend.experiment.devices.choice import (
    Device,
    find_device,
    missing_device,
    processor,
    resolve,
)
from stnscope.backend.experiment.errors import Conflict, InvalidInput, StnscopeError
from stnscope.backend.server.processes.child_process import ChildEnded, call

log = logging.getLogger(__name__)

ACCELERATORS = re.compile(r"^(cuda|hip)\b.*= *['\"]", re.MULTILINE)
"""What torch's own `version.py` has if it was built for such a device."""
DRIVERS = ("nvidia*", "nvhost*", "nvgpu*", "dxg", "kfd")
"""Files in /dev of the drivers of NVIDIA's and AMD's devices; `dxg` is that of WSL."""


def can_have_accelerators(folder: Path = Path("/dev")) -> bool:
    """Whether torch could find devices besides the CPU; it is not imported.

    Args:
        folder: where the system has its drivers' files.
    """
    if sys.platform == "darwin":  # it has Metal
        return True
    has_driver = any(True for pattern in DRIVERS for _ in folder.glob(pattern))
    return has_driver and _is_built_for_accelerators()


def _is_built_for_accelerators() -> bool:
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return False
    version = Path(found.submodule_search_locations[0]) / "version.py"
    try:
        return ACCELERATORS.search(version.read_text(encoding="utf-8")) is not None
    except OSError:  # of another make: torch itself will find it
        return True


@dataclass(frozen=True)
class RemoteDevices:
    """Devices of other machines that train runs.

    Attributes:
        devices: that can be chosen, the CPU first.
        location: where they are, as errors call it.
        threads: most that a run can have.
    """

    devices: Sequence[Device]
    location: str
    threads: int


class Devices:
    """The devices of this machine, or those of others while they train its runs.

    Args:
        uses_torch: whether torch lists them; by default if it could find any.
        remote: returns the devices of other machines while they train runs.
    """

    def __init__(
        self,
        *,
        uses_torch: bool | None = None,
        remote: Callable[[], RemoteDevices | None] | None = None,
    ) -> None:
        self._remote = remote or (lambda: None)
        self._uses_torch = can_have_accelerators() if uses_torch is None else uses_torch
        self._processor = processor()
        self._listing: asyncio.Task[list[Device]] | None = None

    async def all(self) -> list[Device]:
        """Return all devices, the CPU first; the first call may take seconds."""
        remote = self._remote()
        return await self._local_devices() if remote is None else list(remote.devices)

    async def _local_devices(self) -> list[Device]:
        if not self._uses_torch:
            return [self._processor]
        if self._listing is None:
            self._listing = asyncio.create_task(self._list())
        return await asyncio.shield(self._listing)

    async def start(self) -> None:
        """Begin to list them, so that `all` returns sooner."""
        if self._uses_torch and self._listing is None:
            self._listing = asyncio.create_task(self._list())

    async def close(self) -> None:
        """Cancel listing."""
        if self._listing is not None:
            self._listing.cancel()
            await asyncio.gather(self._listing, return_exceptions=True)

    async def resolve(self, config: RunConfig) -> RunConfig:
        """Return a configuration with the device and the threads that it means here.

        Raises:
            InvalidInput: there is no such device.
        """
        remote = self._remote()
        # The number of threads is read from a file of the system.
        if remote is None:
            return await asyncio.to_thread(resolve, config, await self._list_for(config.device))
        return await asyncio.to_thread(
            resolve, config, remote.devices, remote.location, remote.threads
        )

    async def find(self, name: str) -> Device:
        """Return the device that a name means.

        Raises:
            InvalidInput: there is none.
        """
        return find_device(name, await self._list_for(name))

    async def check_resume(self, name: str) -> None:
        """Check that a run on a device can be resumed.

        Raises:
            Conflict: what would train it does not have its device.
        """
        remote = self._remote()
        location = "here" if remote is None else remote.location
        devices = await self._list_for(name)
        try:
            find_device(name, devices)
        except InvalidInput:
            raise Conflict(missing_device(name, devices, location)) from None

    async def _list_for(self, name: str) -> "list[Device]":
        """Return the devices, or the CPU alone if that is the one that is named."""
        return [self._processor] if name == CPU else await self.all()

    async def _list(self) -> list[Device]:
        try:
            response, _ = await call("devices_main", {})
        except (ChildEnded, StnscopeError) as error:
            log.warning("The devices cannot be listed; there is the CPU alone. %s", error)
            return [self._processor]
        return [Device(**fields) for fields in response["devices"]]
