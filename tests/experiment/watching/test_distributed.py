"""A distributed training of two real processes: the first records, and nothing waits for it."""

import os
import subprocess
from pathlib import Path

import pytest

from stnscope.backend.experiment.recording.reader import Recording
from tests.forking import RUN_CODE
from tests.timeouts import TIMEOUT_SECONDS

PROGRAM = """
import sys
import torch
import torch.distributed as distributed
from torch.multiprocessing import start_processes
from torch.nn.parallel import DistributedDataParallel

import stnscope
from tests.experiment.watching.networks import TransformerNet

STEPS = 6


def train(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    torch.manual_seed(0)
    model = DistributedDataParallel(TransformerNet())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    run = stnscope.watch(model, torch.rand(2, 1, 12, 12), every=1, home=f"{folder}/home")
    for step in range(STEPS):
        images = torch.rand(4, 1, 12, 12)
        optimiser.zero_grad()
        loss = -model(images)[:, 0].mean()
        loss.backward()
        optimiser.step()
        run.step(loss=loss)
        run.pause_point(optimiser)
    run.end()
    # The networks are still the same, though one of them was observed.
    weights = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    both = [torch.empty_like(weights) for _ in range(2)]
    distributed.all_gather(both, weights)
    assert torch.equal(*both)
    distributed.destroy_process_group()


if __name__ == "__main__":
    start_processes(train, (sys.argv[1],), nprocs=2, start_method="fork")
"""


@pytest.mark.seconds
def test_first_process_records_and_the_networks_stay_the_same(tmp_path: Path) -> None:
    subprocess.run(
        [*RUN_CODE, PROGRAM, str(tmp_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    (path,) = (tmp_path / "home" / "recordings").glob("*.stnscope")
    with Recording.open(path) as recording:
        run, steps = recording.summary(), recording.frame_steps()
    assert (run["status"], run["step"], steps) == ("finished", 6, list(range(7)))
