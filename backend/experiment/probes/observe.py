"""The images that are watched through training, and what a network makes of them."""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import ARCHITECTURES, DatasetEntry
from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.frames import region_geometry
from stnscope.backend.experiment.frames.frame import LATTICE, PROTOCOL, Array, Frame, Label
from stnscope.backend.experiment.progress import tenths_of
from stnscope.backend.experiment.recording.reader import AddedPicture
from stnscope.backend.experiment.training.input_pipeline import InputPipeline
from stnscope.backend.experiment.training.loop import Step, build_input_pipeline, draw_generator
from stnscope.models import grid
from stnscope.models.network import InputPath, Network, Thetas
from stnscope.models.transformer import Sampler, Warp

SEED = 48
"""Of the probes' distortion: the same for every run, so that runs compare."""
TINY = 1e-12
"""Least range of a map that is stretched over all tones; one that is flat stays black."""
LAP = 60
"""Steps that moving probes take to come round to where they began; frames of a closing lap."""


@dataclass(frozen=True, eq=False)
class Probes:
    """Images (N, C, H, W) in [0, 1], their labels (None where unknown, a list where there
    are several) and the classes' names."""

    images: Tensor
    labels: tuple[Label, ...]
    classes: tuple[str, ...]
    path: Callable[[float], Tensor] | None = None
    """The images at a phase, in laps, of the path that they move along; None if they have none."""
    joined: int = 0
    """How many of them, the last ones, are pictures that joined the others."""

    @classmethod
    def choose(cls, dataset: Dataset, config: RunConfig) -> "Probes":
        """Held-out images, the classes in turn, each with its own distortion.

        The path of each depends on nothing but its number, so a step shows the same in every run.
        """
        held_out = dataset.held_out
        chosen = torch.tensor(_in_turn(held_out.labels, config.probes.count))
        scene, images = build_input_pipeline(config, dataset.entry, held_out), held_out.take(chosen)
        draws = torch.cat(
            [scene.draw(1, draw_generator(SEED, "probe", number)) for number in range(len(chosen))],
            dim=1,
        )

        def path(phase: float) -> Tensor:
            return scene.show(images, scene.travelled(draws, phase))

        return cls(path(0.0), tuple(held_out.labels[chosen].tolist()), dataset.entry.classes, path)

    @classmethod
    def of_picture(
        cls, joined: AddedPicture, number: int, dataset: DatasetEntry, config: RunConfig
    ) -> "Probes":
        """A picture that joins as probe `number`, counted from 0.

        It stands as it was fitted. On its path it is moved about as the run's distortion moves
        images, by draws of its own; what a distortion changes of how images are seen, it changes
        always.
        """
        image = torch.from_numpy(joined.image.copy()).permute(2, 0, 1)[None].float() / 255
        architecture = ARCHITECTURES[config.architecture]
        scene = InputPipeline.filling(dataset, config.distortion, architecture)
        draws = scene.draw(1, draw_generator(SEED, "probe", number))
        seen = [name for name in config.distortion.name.split("+") if name in PREPROCESSINGS]
        standing = config.distortion.model_copy(update={"name": "+".join(seen or ["centred"])})
        still = InputPipeline.filling(dataset, standing, architecture)

        def path(phase: float) -> Tensor:
            return scene.show(image, scene.travelled(draws, phase))

        return cls(still.show(image, draws[:0]), (joined.label,), dataset.classes, path, 1)

    def added_as_of(self, picture: "Probes") -> "Probes":
        """These probes, and behind them a picture that joins."""

        def path(phase: float) -> Tensor:
            return torch.cat([self.moved(phase).images, picture.moved(phase).images])

        images = torch.cat([self.images, picture.images])
        labels, joined = self.labels + picture.labels, self.joined + picture.joined
        return Probes(images, labels, self.classes, path, joined)

    def moved(self, phase: float) -> "Probes":
        """The same probes further along their path."""
        return self if self.path is None else replace(self, images=self.path(phase))


def observe(
    step: Step,
    probes: Probes,
    *,
    run: str,
    config: RunConfig,
    moving: bool = False,
    lap: int | None = None,
) -> Frame:
    """What the network makes of the probes at this step of a run, with its input.

    Args:
        moving: whether the probes are where the step has moved them to.
        lap: of a closing lap, the frame's number from 0 to `LAP` - 1; it, and not the step, then
            says where the probes are.
    """
    place: dict[str, Any] = {"moving": moving or lap is not None}
    if lap is not None:
        place["lap"] = lap
    if place["moving"]:
        probes = probes.moved((step.step if lap is None else lap) / LAP)
    return look(
        step.model,
        probes,
        {
            "run": run,
            "step": step.step,
            "epoch": step.epoch,
            "progress": tenths_of(step.step, step.steps_per_epoch),
            # JSON has no word for a loss that has diverged.
            "loss": step.loss if step.loss is not None and math.isfinite(step.loss) else None,
            "accuracy": step.accuracy,
            **place,
        },
    )


def look(
    model: Network, probes: Probes, about: Mapping[str, Any], thetas: Thetas | None = None
) -> Frame:
    """What a network makes of the probes; leaves it in evaluation mode.

    Args:
        model: in the mode that it is left in.
        probes: N images of the network's input size.
        about: joins the frame's `info`: run, step, epoch, progress, loss, accuracy and so on.
        thetas: in place of what transformers choose themselves.
    """
    model.eval()
    with torch.inference_mode():
        prediction = model(probes.images, thetas)
        tensors = {
            "input": _pixels(_picture(probes.images)),
            "probabilities": prediction.logits.softmax(dim=-1).numpy(),
        }
        for number, seen in enumerate(model.resample(probes.images, prediction.warps)):
            tensors |= _warp_tensors(model, prediction.warps, number, seen, probes.images)
        predicted = prediction.logits.argmax(dim=-1).tolist()
    size = probes.images.shape[-2:]
    names = [transformer.name for transformer in model.transformers]
    info = {
        "protocol": PROTOCOL,
        **about,
        "time": time.time(),
        "classes": list(probes.classes),
        "labels": list(probes.labels),
        "predicted": predicted,
        **_joined(probes),
        "transformers": [
            _said_of(transformer, site)
            for transformer, site in zip(model.transformers, model.input_paths, strict=True)
        ],
        "collapsed": {
            name: region_geometry.collapse(tensors[f"grid.{name}"], *size) for name in names
        },
    }
    return Frame(info, tensors)


def _said_of(transformer: Sampler, site: InputPath) -> dict[str, str | int]:
    """What tells a transformer from others; of a recurrent one also its time step, from 1."""
    said: dict[str, str | int] = {
        "name": transformer.name,
        "family": transformer.family.name,
        "at": str(site),
    }
    return said if site.time_step is None else said | {"time_step": site.time_step}


def _joined(probes: Probes) -> dict[str, list[int]]:
    """Which probes are pictures that joined, where there are any."""
    count = len(probes.labels)
    return {"joined": list(range(count - probes.joined, count))} if probes.joined else {}


def theta_summary(frame: Frame) -> dict[str, float]:
    """The first transformer's regions as means over the probes, for charts; empty without one.

    Pictures that joined are left out, so that their coming makes no step in a chart.

    `scale` is the root of the region's share of the image, `rotation` is in radians clockwise,
    `shift_x` and `shift_y` are the middle's distance from the image's, in half image sides.
    """
    if not frame.transformers:
        return {}
    lattice = frame.tensors[f"grid.{frame.transformers[0]}"][: frame.own]
    height, width = frame.tensors["input"].shape[1:3]
    nearest = region_geometry.Parallelograms.nearest(lattice)
    turns = np.exp(1j * nearest.turns())
    shift_x, shift_y = nearest.shifts(height, width).mean(axis=0)
    shares = np.abs(region_geometry.areas(lattice)) / (height * width)
    return {
        "scale": float(np.sqrt(shares).mean()),
        "rotation": float(np.angle(turns.mean())),
        "shift_x": float(shift_x),
        "shift_y": float(shift_y),
    }


def share_collapsed(frame: Frame) -> float:
    """Share of the probes on which some transformer has collapsed; 0 where there is none."""
    on_each = zip(*frame.info["collapsed"].values(), strict=True)
    return sum(any(reasons) for reasons in on_each) / len(frame.info["labels"])


def _in_turn(labels: Tensor, count: int) -> list[int]:
    """Indices of `count` images: the first of each class, then the second of each, and so on.

    Of several labels of an image the first counts.
    """
    labels = labels.flatten(1)[:, 0] if labels.dim() > 1 else labels
    by_class = [
        (labels == label).nonzero()[:, 0].tolist() for label in sorted(set(labels.tolist()))
    ]
    turns = itertools.zip_longest(*by_class)
    return [index for turn in turns for index in turn if index is not None][:count]


def _warp_tensors(
    model: Network, warps: Sequence[Warp], number: int, seen: Tensor | None, images: Tensor
) -> dict[str, Array]:
    """What a frame holds of a transformer, in pixels of the network's input.

    Args:
        number: of the transformer.
        seen: the picture that it hands on, if it is one.
        images: the network's input.
    """
    height, width = images.shape[-2:]
    points = model.locate(number, warps, grid.lattice(LATTICE))
    lattice = grid.to_pixels(points, height, width).view(-1, LATTICE, LATTICE, 2).numpy()
    name, warp = model.transformers[number].name, warps[number]
    return {
        f"output.{name}": _pixels(_map(warp.output) if seen is None else _picture(seen)),
        f"theta.{name}": warp.theta.numpy(),
        f"corners.{name}": lattice[:, [0, 0, -1, -1], [0, -1, -1, 0]],
        f"grid.{name}": lattice,
    }


def _picture(images: Tensor) -> Tensor:
    """Images (N, C, H, W) with one channel or three, for the eye.

    Of two channels the first is shown in red and the second in cyan, so that what both hold is
    white; of more than three the mean, as for a feature map.
    """
    channels = images.shape[1]
    if channels == 2:
        return images[:, [0, 1, 1]]
    return images if channels in (1, 3) else _map(images)


def _map(maps: Tensor) -> Tensor:
    """The mean over the channels of maps (N, C, H, W), each from its least to its most."""
    mean = maps.mean(dim=1, keepdim=True)
    least, most = mean.amin(dim=(2, 3), keepdim=True), mean.amax(dim=(2, 3), keepdim=True)
    return (mean - least) / (most - least).clamp(min=TINY)


def _pixels(images: Tensor) -> Array:
    """Images (N, C, H, W) in [0, 1] as (N, H, W, C) uint8, rounded to the nearest."""
    return (images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
