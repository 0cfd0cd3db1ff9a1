"""Which device a name means, and what a configuration is recorded with."""

import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.devices.choice import (
    Device,
    automatic,
    find_device,
    has_channels_last,
    missing_device,
    processor,
    resolve,
    resume_note,
)
from stnscope.backend.experiment.devices.cores import automatic_threads
from stnscope.backend.experiment.errors import InvalidInput

CARDS = [
    processor(),
    *(Device(f"cuda:{n}", f"Card {n}", "", memory=8, exact=False) for n in range(2)),
]
METAL = [processor(), Device("mps", "Apple graphics", "", memory=None, exact=False)]


@pytest.mark.parametrize(
    ("name", "devices", "expected"),
    [
        ("auto", [processor()], "cpu"),
        ("auto", CARDS, "cuda:0"),
        ("auto", METAL, "mps"),
        ("cpu", CARDS, "cpu"),
        ("cuda", CARDS, "cuda:0"),
        ("cuda:0", CARDS, "cuda:0"),
        ("cuda:1", CARDS, "cuda:1"),
        ("mps", METAL, "mps"),
    ],
)
def test_name_means_a_device(name: str, devices: list[Device], expected: str) -> None:
    assert find_device(name, devices).name == expected
    assert resolve(RunConfig(device=name), devices).device == expected


@pytest.mark.parametrize("name", ["cuda:2", "mps", "gpu", "", "cuda:", "CPU"])
def test_device_that_does_not_exist_is_refused_with_those_that_do(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve(RunConfig(device=name), CARDS)
    assert str(caught.value) == (
        f"There is no device {name!r} here; there are auto, cpu, cuda:0, cuda:1."
    )
    assert caught.value.field == "device"


def test_configuration_is_recorded_with_what_it_means_here() -> None:
    resolved = resolve(RunConfig(device="auto", threads="auto"), CARDS)
    assert (resolved.device, resolved.threads) == ("cuda:0", automatic_threads())
    assert resolve(RunConfig(), CARDS) == RunConfig(), "the default is the same on any machine"


def test_only_the_processor_promises_a_resume_bit_for_bit() -> None:
    assert resume_note("cpu") is None
    assert "cuda:1" in str(resume_note("cuda:1"))
    assert "not bit for bit" in str(resume_note("mps"))
    assert [device.exact for device in CARDS] == [True, False, False]


def test_missing_device_is_named_with_what_to_do() -> None:
    assert missing_device("cuda:1", METAL) == (
        "This run was trained on cuda:1, which is not here; there are auto, cpu, mps. Resume it on "
        "a machine that has it, or start a new run on another device."
    )


def test_automatic_choice_says_what_it_is_here() -> None:
    entry = automatic(CARDS)
    assert (entry.name, entry.memory, entry.exact) == ("auto", 8, False)
    assert entry.description.endswith("here Card 0.")
    assert automatic([processor()]).exact


def test_channels_are_last_where_it_is_said_and_with_bfloat16() -> None:
    assert not has_channels_last(RunConfig())
    assert has_channels_last(RunConfig(precision="bfloat16"))
    assert has_channels_last(RunConfig(channels_last=True))
    assert not has_channels_last(RunConfig(precision="bfloat16", channels_last=False))
