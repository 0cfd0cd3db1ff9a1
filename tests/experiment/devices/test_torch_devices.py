"""The devices as torch has them."""

import pytest
import torch

from stnscope.backend.experiment.devices.choice import processor
from stnscope.backend.experiment.devices.torch_devices import (
    list_devices,
    naming_full_memory,
    preserving_generators,
    seed_generators,
    torch_device,
)
from stnscope.backend.experiment.errors import InvalidInput, OutOfMemory


def test_processor_is_the_first_device_and_accelerators_follow() -> None:
    first, *others = list_devices()
    assert first == processor()
    assert bool(others) == torch.accelerator.is_available()
    for device in others:
        assert torch.ones(2, device=torch_device(device.name)).sum().item() == 2


def test_name_becomes_a_device_of_torch() -> None:
    assert torch_device("cpu") == torch.device("cpu")
    assert torch_device("auto").type == torch.device(list_devices()[-1].name).type
    with pytest.raises(InvalidInput, match="there are auto, cpu"):
        torch_device("cuda:99")


def test_generators_are_restored() -> None:
    before = torch.get_rng_state()
    with preserving_generators(torch.device("cpu"), torch.device("meta")):
        torch.manual_seed(1)
        torch.rand(3)
    assert torch.equal(before, torch.get_rng_state())


def test_generators_are_seeded_as_torch_seeds_them() -> None:
    for device in (torch.device("cpu"), torch.device("meta")):
        torch.manual_seed(7)
        expected = torch.rand(3)
        seed_generators(7, device)
        assert torch.equal(torch.rand(3), expected)


def test_full_memory_is_named_with_what_to_do() -> None:
    remedy = "Start a run with a smaller batch size."
    with pytest.raises(OutOfMemory) as caught, naming_full_memory("cuda:0", remedy):
        torch.empty(2**50)
    assert str(caught.value) == f"This machine has too little memory for this. {remedy}"
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 1.00 GB)"),
    ):
        refused = pytest.raises(OutOfMemory, match=r"^cuda:0 has too little")
        with refused, naming_full_memory("cuda:0", remedy):
            raise error


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="multiplied"), naming_full_memory("cpu", ""):
        torch.ones(2, 3) @ torch.ones(2, 3)
