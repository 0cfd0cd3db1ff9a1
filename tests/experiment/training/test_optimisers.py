"""Optimisers, and what they import."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from stnscope.backend.experiment.training.optimisers import IMPLEMENTATIONS


def train(build: Callable[..., torch.optim.Optimizer]) -> torch.Tensor:
    """Return a layer's weights after three optimiser steps."""
    torch.manual_seed(0)
    layer, images = nn.Linear(4, 3), torch.randn(8, 4)
    parameters = [{"params": [layer.weight]}, {"params": [layer.bias], "lr": 0.01}]
    optimiser = build(parameters, lr=0.1, weight_decay=0.1, foreach=True)
    for _ in range(3):
        optimiser.zero_grad(set_to_none=True)
        layer(images).square().mean().backward()
        optimiser.step()
    return layer.weight.detach()


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_optimiser_steps_equal_those_of_torch(name: str) -> None:
    implementation = IMPLEMENTATIONS[name]
    original = partial(implementation.optimiser, **implementation.options)
    assert torch.equal(train(implementation.build), train(original))


@pytest.mark.seconds
def test_training_does_not_import_the_compiler() -> None:
    program = (
        "import sys\n"
        "from stnscope.backend.experiment.runs.session import warm_up\n"
        "warm_up()\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
