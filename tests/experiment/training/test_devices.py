"""Training on another device: every network, family, loss and optimiser step, and a whole run.

On the `meta` device tensors have shapes and no values: it costs little, and needs no accelerator.
"""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stnscope.backend.experiment.catalog import OPTIMISERS
from stnscope.backend.experiment.config import RunConfig, SamplerConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.devices.torch_devices import list_devices
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import observe_step
from stnscope.backend.experiment.training.averaging import WeightAverage
from stnscope.backend.experiment.training.loop import Step, build_untrained, optimise, train
from stnscope.backend.experiment.training.optimisers import build_optimiser
from stnscope.models.catalog import ARCHITECTURES, FAMILIES

META = torch.device("meta")


class OneDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Raises where tensors of two devices meet: on `meta`, matrix products do not see to it."""

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        leaves = tree_leaves((args, kwargs or {}))
        # A tensor without dimensions is a number, which goes with any device.
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.dim()]
        devices = {tensor.device.type for tensor in tensors}
        assert len(devices) <= 1, f"{operation} of tensors on {devices}"
        return operation(*args, **(kwargs or {}))


def train_on_meta(config: RunConfig) -> None:
    entry = ARCHITECTURES[config.architecture]
    model = build_untrained(config, entry.classes).to(META)
    optimiser = build_optimiser(config, model)
    images = torch.empty(4, entry.channels, entry.height, entry.width, device=META)
    shape = (4, entry.labels) if entry.labels > 1 else (4,)
    labels = torch.empty(shape, dtype=torch.long, device=META)
    average = WeightAverage(model, config.ema_decay) if config.ema_decay else None
    with OneDevice():  # type: ignore[no-untyped-call]
        loss = optimise(model, optimiser, images, labels, config)
        if average:
            average.update(model)
        with torch.no_grad():
            model.eval()
            model.resample(images, model(images).warps)
    assert loss.device == META
    moved = [parameter for parameter in model.parameters() if optimiser.state[parameter]]
    assert len(moved) == len(list(model.parameters())), "each weight was changed"
    assert {tensor.device for tensor in (*model.parameters(), *model.buffers())} == {META}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
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
        torch.ones(2, 3, device=META) @ torch.ones(3, 2)


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="torch finds no accelerator")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_run_trains_and_resumes_on_the_accelerator(precision: str) -> None:
    """With its images, first weights and checkpoints those of a run on the processor."""
    name = list_devices()[1].name
    config = RunConfig(batch_size=16, device=name, precision=precision, ema_decay=0.5)
    dataset = load(config.dataset)
    probes = Probes.choose(dataset, config)

    def run(config: RunConfig, number: int, state: dict[str, Tensor] | None = None) -> list[Step]:
        steps = train(config, dataset, state, validate_every=2)
        return [next(steps) for _ in range(number)]

    before = torch.get_rng_state(), torch.get_device_module().get_rng_state()
    step = run(config, 4)[-1]
    assert torch.equal(before[0], torch.get_rng_state())
    assert torch.equal(before[1], torch.get_device_module().get_rng_state())
    assert step.model.device.type == torch.device(name).type
    frame = observe_step(step, probes, run="run", config=config)
    assert Frame.decode(frame.encode()).info["step"] == 3
    state = step.state()
    assert {tensor.device.type for tensor in state.values()} == {"cpu"}
    resumed = run(config, 2, state)
    assert [each.step for each in resumed] == [3, 4]
    same = run(config.model_copy(update={"device": "cpu"}), 1)[0].state()
    first = run(config, 1)[0].state()
    assert all(torch.equal(same[key].nan_to_num(-1), first[key].nan_to_num(-1)) for key in same)
