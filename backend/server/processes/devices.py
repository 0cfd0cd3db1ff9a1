"""The devices that runs can be trained on, for a process that does not import torch.

Without a driver, or with a build of torch for the processor alone, there is nothing else. Otherwise
torch is asked, once, in a process of its own.
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
    """Whether torch could find devices besides the processor; it is not imported.

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
    except OSError:  # of another make: torch itself will know
        return True


@dataclass(frozen=True)
class Elsewhere:
    """What runs are trained on that are trained on other machines.

    Attributes:
        devices: that can be chosen, the processor first.
        place: where they are, as errors call it.
        threads: most that a run can have.
    """

    devices: Sequence[Device]
    place: str
    threads: int


class Devices:
    """The devices of this machine, or those of others while they train its runs.

    Args:
        is_asked: whether torch is asked; by default if it could find any.
        elsewhere: returns what other machines train on, while they do.
    """

    def __init__(
        self,
        *,
        is_asked: bool | None = None,
        elsewhere: Callable[[], Elsewhere | None] | None = None,
    ) -> None:
        self._elsewhere = elsewhere or (lambda: None)
        self._is_asked = can_have_accelerators() if is_asked is None else is_asked
        self._processor = processor()
        self._asking: asyncio.Task[list[Device]] | None = None

    async def all(self) -> list[Device]:
        """Return all devices, the processor first; the first call may take seconds."""
        elsewhere = self._elsewhere()
        return await self._all_here() if elsewhere is None else list(elsewhere.devices)

    async def _all_here(self) -> list[Device]:
        if not self._is_asked:
            return [self._processor]
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def start(self) -> None:
        """Begin to ask, so that `all` has the answer sooner."""
        if self._is_asked and self._asking is None:
            self._asking = asyncio.create_task(self._ask())

    async def close(self) -> None:
        """Give up asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def resolve(self, config: RunConfig) -> RunConfig:
        """Return a configuration with the device and the threads that it means here.

        Raises:
            InvalidInput: there is no such device.
        """
        elsewhere = self._elsewhere()
        # The number of threads is read from a file of the system.
        if elsewhere is None:
            return await asyncio.to_thread(resolve, config, await self._list_for(config.device))
        return await asyncio.to_thread(
            resolve, config, elsewhere.devices, elsewhere.place, elsewhere.threads
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
        elsewhere = self._elsewhere()
        place = "here" if elsewhere is None else elsewhere.place
        devices = await self._list_for(name)
        try:
            find_device(name, devices)
        except InvalidInput:
            raise Conflict(missing_device(name, devices, place)) from None

    async def _list_for(self, name: str) -> "list[Device]":
        """Return the devices, or the processor alone if that is the one that is named."""
        return [self._processor] if name == CPU else await self.all()

    async def _ask(self) -> list[Device]:
        try:
            response, _ = await call("devices_main", {})
        except (ChildEnded, StnscopeError) as error:
            log.warning("The devices cannot be listed; there is the processor alone. %s", error)
            return [self._processor]
        return [Device(**fields) for fields in response["devices"]]
