"""A recording of any length, made in seconds from the frames of a few training steps."""

from itertools import islice
from pathlib import Path

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import ProbesConfig, RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.frame_metrics import theta_summary
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.limits import MAX_EPOCHS
from stnscope.backend.experiment.probes.observe import observe_step
from stnscope.backend.experiment.progress import epoch_of, tenths_of
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.experiment.training.loop import train

TRAINED = 40
"""Steps that are trained by default; the other steps repeat their frames."""
CHUNK_SIZE = 1000
"""Steps in one transaction."""


def make(
    path: Path,
    steps: int,
    *,
    every: int = 1,
    probes: int = ProbesConfig().count,
    trained: int = TRAINED,
) -> None:
    """Write the recording of a run that ended at step `steps` - 1.

    Args:
        path: the recording.
        steps: how many steps have metrics.
        every: each step that is a multiple of this has a frame too.
        probes: images of a frame.
        trained: steps that are trained; the others repeat their frames.
    """
    epoch_steps = steps_per_epoch(RunConfig(), DATASETS["digits"])
    # Runs longer than a configuration allows have more steps an epoch.
    epoch_steps = max(epoch_steps, -(-steps // MAX_EPOCHS))
    config = RunConfig(epochs=-(-steps // epoch_steps), probes=ProbesConfig(count=probes))
    path.parent.mkdir(parents=True, exist_ok=True)
    create(path, config=config, steps_per_epoch=epoch_steps)
    frames = _trained(config, path.stem, trained)
    summaries = [theta_summary(frame) for frame in frames]
    with RecordingWriter.open(path) as writer:
        for begin in range(0, steps, CHUNK_SIZE):
            with writer.transaction():
                for step in range(begin, min(steps, begin + CHUNK_SIZE)):
                    index = step % trained
                    moved = _at_step(frames[index], step, epoch_steps)
                    metrics = {name: moved.info[name] for name in ("time", "epoch", "loss")}
                    if step % every == 0:
                        metrics |= summaries[index]
                        writer.add_frame(moved, attempt=0, kept=True)
                    if step % epoch_steps == 0:
                        metrics["accuracy"] = step / steps
                    writer.add_step(step, 0, metrics)
        writer.update(status="stopped", step=steps - 1, loss=moved.info["loss"])


def _trained(config: RunConfig, run: str, count: int) -> list[Frame]:
    dataset = load(config.dataset)
    probes = Probes.choose(dataset, config)
    steps = islice(train(config, dataset), 1, count + 1)
    return [observe_step(step, probes, run=run, config=config) for step in steps]


def _at_step(frame: Frame, step: int, epoch_steps: int) -> Frame:
    counters = {
        "step": step,
        "epoch": epoch_of(step, epoch_steps),
        "progress": tenths_of(step, epoch_steps),
    }
    return Frame({**frame.info, **counters}, frame.tensors)
