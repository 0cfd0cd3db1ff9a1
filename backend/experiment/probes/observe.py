"""Observe the probes: compute the frame of a network's results for them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.frames.build import build_frame
from stnscope.backend.experiment.frames.frame import (
    LATTICE_SIDE,
    Array,
    Frame,
    defined_predictions,
)
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.tensor_pictures import (
    average_channels,
    to_picture,
    to_uint8,
)
from stnscope.backend.experiment.progress import tenths_of
from stnscope.backend.experiment.training.loop import Step
from stnscope.models import grid
from stnscope.models.network import InputPath, Network, Thetas
from stnscope.models.transformer import Sampler, Warp

LAP = 60
"""Steps of one lap of the moving probes' paths, and frames of a finished run's closing lap."""


def observe_step(
    step: Step,
    probes: Probes,
    *,
    run: str,
    config: RunConfig,
    moving: bool = False,
    lap: int | None = None,
) -> Frame:
    """Compute the frame of a step of a run, with its input.

    Args:
        step: of training.
        probes: at phase 0.
        run: the run's id.
        config: of the run.
        moving: whether the probes are at the phase of this step.
        lap: in a closing lap, the frame's number from 0 to `LAP` - 1, which then sets the phase.
    """
    motion: dict[str, Any] = {"moving": moving or lap is not None}
    if lap is not None:
        motion["lap"] = lap
    if motion["moving"]:
        probes = probes.at_phase((step.step if lap is None else lap) / LAP)
    return observe(
        step.model,
        probes,
        {
            "run": run,
            "step": step.step,
            "epoch": step.epoch,
            "progress": tenths_of(step.step, step.steps_per_epoch),
            # JSON cannot encode a loss that is not finite.
            "loss": step.loss if step.loss is not None and math.isfinite(step.loss) else None,
            "accuracy": step.accuracy,
            **motion,
        },
    )


def observe(
    model: Network, probes: Probes, info: Mapping[str, Any], thetas: Thetas | None = None
) -> Frame:
    """Apply a network to the probes and return the frame of its results.

    Args:
        model: is set to evaluation mode.
        probes: N images of the network's input size.
        info: further entries of the frame's `info`: run, step, epoch, progress, loss, accuracy ...
        thetas: used in place of the predicted ones.
    """
    model.eval()
    with torch.inference_mode():
        images = probes.images.to(model.device)
        prediction = model(images, {k: v.to(images.device) for k, v in (thetas or {}).items()})
        logits = prediction.logits.cpu()
        tensors = {
            "input": to_uint8(to_picture(probes.images)),
            "probabilities": logits.softmax(dim=-1).numpy(),
        }
        pictures = model.resample(images, prediction.warps)
        # Where regions lie is computed on the CPU: it is little, and some devices lack float64.
        warps = [warp._replace(theta=warp.theta.cpu()) for warp in prediction.warps]
        for index, picture in enumerate(pictures):
            tensors |= _warp_tensors(model, warps, index, picture, probes.images)
        predicted = defined_predictions(logits.argmax(dim=-1).tolist(), tensors["probabilities"])
    height, width = probes.images.shape[-2:]
    return build_frame(
        info,
        tensors,
        (height, width),
        classes=probes.classes,
        labels=probes.labels,
        predicted=predicted,
        transformers=[
            _describe(transformer, path)
            for transformer, path in zip(model.transformers, model.input_paths, strict=True)
        ],
        further=_added_indices(probes),
    )


def _describe(transformer: Sampler, path: InputPath) -> dict[str, str | int]:
    """Return a transformer's entry in a frame's `info`."""
    entry: dict[str, str | int] = {
        "name": transformer.name,
        "family": transformer.family.name,
        "at": str(path),
    }
    return entry if path.time_step is None else entry | {"time_step": path.time_step}


def _added_indices(probes: Probes) -> dict[str, list[int]]:
    """Return the indices of added pictures as an entry of `info`; empty without any."""
    count = len(probes.labels)
    return {"joined": list(range(count - probes.added, count))} if probes.added else {}


def _warp_tensors(
    model: Network, warps: Sequence[Warp], index: int, picture: Tensor | None, images: Tensor
) -> dict[str, Array]:
    """Return a transformer's tensors in a frame, in pixels of the network's input.

    Args:
        model: the network.
        warps: of its prediction, theta on the CPU.
        index: of the transformer.
        picture: its output as a picture; None on a feature map.
        images: the network's input.
    """
    height, width = images.shape[-2:]
    points = model.locate(index, warps, grid.lattice(LATTICE_SIDE))
    lattice = grid.to_pixels(points, height, width).view(-1, LATTICE_SIDE, LATTICE_SIDE, 2).numpy()
    name, warp = model.transformers[index].name, warps[index]
    return {
        f"output.{name}": to_uint8(
            average_channels(warp.output) if picture is None else to_picture(picture)
        ),
        f"theta.{name}": warp.theta.numpy(),
        f"corners.{name}": lattice[:, [0, 0, -1, -1], [0, -1, -1, 0]],
        f"grid.{name}": lattice,
    }
