"""The devices of this machine, for a process without torch."""

import asyncio
import sys
from pathlib import Path

import pytest
import torch

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.devices.choice import processor
from stnscope.backend.experiment.devices.torch_devices import list_devices
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.server.processes.devices import Devices, can_have_accelerators


def test_devices_are_those_of_torch() -> None:
    """Where there can be none but the CPU no process is started; the result is the same."""

    async def list_with_torch() -> None:
        assert await Devices().all() == list_devices()
        with_torch = Devices(uses_torch=True)
        await with_torch.start()
        assert await with_torch.all() == await with_torch.all() == list_devices()
        await with_torch.close()

    asyncio.run(list_with_torch())


def test_torch_is_loaded_only_where_there_is_a_driver(tmp_path: Path) -> None:
    assert can_have_accelerators(tmp_path) == (sys.platform == "darwin")
    if torch.accelerator.is_available():
        assert can_have_accelerators()
    (tmp_path / "nvidia0").touch()
    is_for_others = bool(torch.version.cuda or torch.version.hip)
    assert can_have_accelerators(tmp_path) == (is_for_others or sys.platform == "darwin")


def test_default_device_needs_no_answer() -> None:
    async def resolve() -> None:
        devices = Devices(uses_torch=True)
        assert await devices.resolve(RunConfig()) == RunConfig()
        assert await devices.find("cpu") == processor()
        await devices.check_resume("cpu")
        assert devices._listing is None

    asyncio.run(resolve())


def test_missing_device_is_refused() -> None:
    with pytest.raises(InvalidInput, match="There is no device 'cuda:99' here; there are auto"):
        asyncio.run(Devices().resolve(RunConfig(device="cuda:99")))
    with pytest.raises(Conflict, match="trained on cuda:99, which is not here"):
        asyncio.run(Devices().check_resume("cuda:99"))
