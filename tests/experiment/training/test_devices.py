"""Training on another device: every network, family, loss and optimiser step, and whole runs.

On the `meta` device tensors have shapes and no values, which costs little; a device made in Python
has values too.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import OPTIMISERS
from stnscope.backend.experiment.config import ProbesConfig, RunConfig, SamplerConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.devices.torch_devices import list_devices
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import observe_step
from stnscope.backend.experiment.training import loop
from stnscope.backend.experiment.training.averaging import WeightAverage
from stnscope.backend.experiment.training.loop import Step, build_untrained, optimise, train
from stnscope.backend.experiment.training.optimisers import build_optimiser
from stnscope.models.catalog import ARCHITECTURES, FAMILIES
from tests.experiment.other_device import OTHER, OneDevice, other_device


def train_on_meta(config: RunConfig) -> None:
    entry = ARCHITECTURES[config.architecture]
    model = build_untrained(config, entry.classes).to(OTHER)
    optimiser = build_optimiser(config, model)
    images = torch.empty(4, entry.channels, entry.height, entry.width, device=OTHER)
    shape = (4, entry.labels) if entry.labels > 1 else (4,)
    labels = torch.empty(shape, dtype=torch.long, device=OTHER)
    average = WeightAverage(model, config.ema_decay) if config.ema_decay else None
    with OneDevice():  # type: ignore[no-untyped-call]
        loss = optimise(model, optimiser, images, labels, config)
        if average:
            average.update(model)
        with torch.no_grad():
            model.eval()
            model.resample(images, model(images).warps)
    assert loss.device == OTHER
    moved = [parameter for parameter in model.parameters() if optimiser.state[parameter]]
    assert len(moved) == len(list(model.parameters())), "each weight was changed"
    assert {tensor.device for tensor in (*model.parameters(), *model.buffers())} == {OTHER}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.seconds
def test_network_trains_on_another_device(architecture: str) -> None:
    train_on_meta(RunConfig(architecture=architecture, consistency=1.0))


@pytest.mark.parametrize("family", FAMILIES)
def test_family_trains_on_another_device(family: str) -> None:
    train_on_meta(RunConfig(family=family, consistency=1.0))


@pytest.mark.parametrize(
    "choice",
    [
        *({"optimiser": name} for name in OPTIMISERS),
        {"ema_decay": 0.9, "label_smoothing": 0.0, "consistency": 0.0},
        {"sampler": SamplerConfig(padding="background", background=0.5, supersampling=2)},
        {"sampler": SamplerConfig(padding="border"), "channels_last": True},
    ],
    ids=str,
)
def test_configuration_trains_on_another_device(choice: dict[str, Any]) -> None:
    train_on_meta(RunConfig().model_copy(update=choice))


def test_tensor_on_the_cpu_is_noticed() -> None:
    mode = OneDevice()  # type: ignore[no-untyped-call]
    with mode, pytest.raises(AssertionError, match="cpu"):
        torch.ones(2, 3, device=OTHER) @ torch.ones(3, 2)


def run(
    config: RunConfig, dataset: Dataset, number: int, state: dict[str, Tensor] | None = None
) -> list[Step]:
    """Train for a number of steps, and return each."""
    steps = train(config, dataset, state, validate_every=2)
    return [next(steps) for _ in range(number)]


@pytest.mark.filterwarnings("ignore:.*from a non-meta parameter")
@pytest.mark.parametrize(
    "choice",
    [
        {"ema_decay": 0.5, "consistency": 0.5, "family": "spline-4"},
        {"optimiser": "sgd", "sampler": SamplerConfig(padding="border", supersampling=2)},
    ],
    ids=str,
)
def test_run_on_another_device_computes_what_it_does_on_the_processor(
    monkeypatch: pytest.MonkeyPatch, choice: dict[str, Any]
) -> None:
    """Bit for bit, through a checkpoint; its frames are the same too."""
    config = RunConfig(batch_size=4, probes=ProbesConfig(count=2)).model_copy(update=choice)
    dataset = load(config.dataset)
    probes = Probes.choose(dataset, config)
    monkeypatch.setattr(loop, "MAX_VALIDATION_IMAGES", 9)
    straight = run(config, dataset, 5)[-1]
    expected = observe_step(straight, probes, run="run", config=config)
    with other_device(monkeypatch) as device:
        monkeypatch.setattr(loop, "torch_device", lambda _: device)
        state = run(config, dataset, 3)[-1].state()
        resumed = run(config, dataset, 3, state)[-1]
        frame = observe_step(resumed, probes, run="run", config=config)
        state = resumed.state()
    assert resumed.model.device == OTHER
    assert (resumed.step, resumed.loss, resumed.accuracy) == (4, straight.loss, straight.accuracy)
    assert all(torch.equal(tensor, state[name]) for name, tensor in straight.state().items())
    assert frame.info["predicted"] == expected.info["predicted"]
    for name, array in expected.tensors.items():
        assert np.array_equal(frame.tensors[name], array), name


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="torch finds no accelerator")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_run_trains_and_resumes_on_the_accelerator(precision: str) -> None:
    """With its images, first weights and checkpoints those of a run on the CPU."""
    name = list_devices()[1].name
    config = RunConfig(batch_size=16, device=name, precision=precision, ema_decay=0.5)
    dataset = load(config.dataset)
    probes = Probes.choose(dataset, config)

    before = torch.get_rng_state(), torch.get_device_module().get_rng_state()
    step = run(config, dataset, 4)[-1]
    assert torch.equal(before[0], torch.get_rng_state())
    assert torch.equal(before[1], torch.get_device_module().get_rng_state())
    assert step.model.device.type == torch.device(name).type
    frame = observe_step(step, probes, run="run", config=config)
    assert Frame.decode(frame.encode()).info["step"] == 3
    state = step.state()
    assert {tensor.device.type for tensor in state.values()} == {"cpu"}
    resumed = run(config, dataset, 2, state)
    assert [each.step for each in resumed] == [3, 4]
    same = run(config.model_copy(update={"device": "cpu"}), dataset, 1)[0].state()
    first = run(config, dataset, 1)[0].state()
    assert all(torch.equal(same[key].nan_to_num(-1), first[key].nan_to_num(-1)) for key in same)
