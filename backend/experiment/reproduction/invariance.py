"""Evaluate trained weights on held-out images as each variation of them grows."""

import base64
import io
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from stnscope.backend.experiment.catalog import DatasetEntry, validate
from stnscope.backend.experiment.catalog.distortions import UNDISTORTED, VARIATIONS
from stnscope.backend.experiment.config import CPU, DistortionConfig, ProbesConfig
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.devices.torch_devices import torch_device
from stnscope.backend.experiment.inputs.pipeline import InputPipeline, build_input_pipeline
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.inputs.random_generators import make_generator
from stnscope.backend.experiment.probes.observe import observe
from stnscope.backend.experiment.reproduction.evaluation import (
    TrainedNetwork,
    load_images,
    load_trained,
)
from stnscope.backend.experiment.reproduction.invariance_curve import (
    MAX_IMAGES,
    STRENGTHS,
    InvarianceCurve,
    InvariancePoint,
    Pictures,
    find_half_lost,
)
from stnscope.backend.experiment.training.loop import Validation

LABELS_PER_POINT = 2400
"""Approximate number of labels that are evaluated at each strength; determines the draws."""
EXAMPLE_COUNT = 4
"""Number of example images, of different classes."""
BATCH = 256
WEBP_QUALITY = 75


@dataclass(frozen=True)
class Invariance:
    """The accuracy of a network as each variation of the images grows."""

    dataset: str
    images: int
    kind: str
    note: str
    draws: int
    seed: int
    guessing: float
    parameters: int
    seconds: float
    curves: tuple[InvarianceCurve, ...]
    pictures: Pictures
    trained: TrainedNetwork


def evaluate_invariance(
    weights: str,
    dataset: str | None = None,
    data: Path | None = None,
    *,
    images: int = MAX_IMAGES,
    draws: int | None = None,
    seed: int = 0,
    device: str = CPU,
) -> Invariance:
    """Evaluate weights under each variation, and under the distortion that they were trained with.

    The images, and the draws of their distortions, depend on the data set and the seed alone: all
    networks get the same. A draw is the same at each strength. A variation that does not change the
    images of this data set is left out.

    Args:
        weights, dataset, data: as for `evaluation.evaluate`.
        images: how many held-out images at most; they are chosen at random.
        draws: times that each image is distorted; by default as many as make some 2,400 labels at
            each strength.
        seed: of the choice of images and of the distortions.
        device: as for `evaluation.evaluate`.

    Raises:
        NotFound, InvalidInput, DatasetError: as for `evaluation.evaluate`.
    """
    trained = load_trained(weights)
    trained.model.to(torch_device(device))
    name = dataset or trained.config.dataset
    loaded, kind, note = load_images(name, data)
    changed = {"dataset": name, "probes": ProbesConfig(count=1), "batch_size": 2}
    config = trained.config.model_copy(update=changed)
    validate(config, loaded.entry)
    trained = replace(trained, config=config)
    generator = make_generator(seed, "invariance images", 0)
    chosen = torch.randperm(len(loaded.held_out), generator=generator)[:images].sort().values
    held_out = loaded.held_out
    draws = draws or max(1, round(LABELS_PER_POINT / len(chosen)))
    names: tuple[str, ...] = VARIATIONS
    if config.distortion.name not in (UNDISTORTED, *VARIATIONS):
        names += (config.distortion.name,)
    start = time.perf_counter()
    evaluations = [
        _VariationEvaluation(trained, loaded.entry, held_out, chosen, name, draws, seed)
        for name in names
    ]
    evaluations = [each for each in evaluations if each.changes_images()]
    guessing = 1 / len(loaded.entry.classes)
    examples = choose_examples(held_out.labels[chosen])
    strips = [each.observe(examples) for each in evaluations]
    curves = tuple(
        each.curve(guessing, strip.predicted)
        for each, strip in zip(evaluations, strips, strict=True)
    )
    return Invariance(
        dataset=name,
        images=len(chosen),
        kind=kind,
        note=note,
        draws=draws,
        seed=seed,
        guessing=guessing,
        parameters=sum(parameter.numel() for parameter in trained.model.parameters()),
        seconds=time.perf_counter() - start,
        curves=curves,
        pictures=_compose_pictures(strips),
        trained=trained,
    )


def choose_examples(labels: Tensor, count: int = EXAMPLE_COUNT) -> Tensor:
    """Return the indices of images whose classes are spread over all, (count,) or fewer.

    Args:
        labels: (N,) or (N, T).
    """
    order = labels.view(len(labels), -1)[:, 0].argsort(stable=True)
    count = min(count, len(order))
    return order[[int((index + 0.5) / count * len(order)) for index in range(count)]]


@dataclass(frozen=True)
class _Strip:
    """Pictured images at each strength, with what the network makes of them."""

    inputs: list[NDArray[np.uint8]]
    """Inputs at each strength, (n, H, W, C)."""
    outputs: list[NDArray[np.uint8]]
    """Outputs of the first transformer, (n, h, w, C); empty without one."""
    predicted: list[list[str]]
    labels: list[str]


@dataclass(frozen=True, eq=False)
class _VariationEvaluation:
    """A network and images under one variation."""

    trained: TrainedNetwork
    entry: DatasetEntry
    held_out: Images
    chosen: Tensor
    """Indices of the images, (N,)."""
    name: str
    draws: int
    seed: int

    def changes_images(self) -> bool:
        """Return whether full strength differs from strength 0."""
        some = slice(0, 16)
        before, after = (self._distort(strength, 0, some) for strength in (0.0, 1.0))
        return not torch.equal(before, after)

    def curve(self, guessing: float, predicted: list[list[str]]) -> InvarianceCurve:
        """Return the accuracy at each strength."""
        points = [self._point(strength) for strength in STRENGTHS]
        return InvarianceCurve(
            distortion=self.name,
            points=points,
            half_lost=find_half_lost(points, guessing),
            predicted=predicted,
        )

    def observe(self, examples: Tensor) -> _Strip:
        """Apply the network to a few of the images at each strength.

        Args:
            examples: indices into `chosen`.
        """
        labels = tuple(self.held_out.labels[self.chosen[examples]].tolist())
        strip = _Strip([], [], [], [self._class(label) for label in labels])
        for strength in STRENGTHS:
            images = self._distort(strength, 0, examples)
            frame = observe(self.trained.model, Probes(images, labels, self.entry.classes), {})
            strip.inputs.append(frame.tensors["input"])
            if frame.info["transformers"]:
                first = frame.info["transformers"][0]["name"]
                strip.outputs.append(frame.tensors[f"output.{first}"])
            strip.predicted.append([self._class(label) for label in frame.info["predicted"]])
        return strip

    def _class(self, label: int | list[int]) -> str:
        indices = label if isinstance(label, list) else [label]
        return " ".join(self.entry.classes[index] for index in indices)

    def _point(self, strength: float) -> InvariancePoint:
        labels = self.held_out.labels[self.chosen]
        # Strength 0 has nothing random.
        draws = self.draws if strength else 1
        correct = torch.stack([self._correct(strength, draw, labels) for draw in range(draws)])
        by_image = correct.double().flatten(2).mean(dim=(0, 2))
        errors = int((~correct).sum())
        count = correct.numel()
        return InvariancePoint(
            strength=strength,
            labels=count,
            errors=errors,
            accuracy=(count - errors) / count,
            standard_error=by_image.std().item() / math.sqrt(len(labels)) if len(labels) > 1 else 0,
        )

    def _correct(self, strength: float, draw: int, labels: Tensor) -> Tensor:
        """Return which labels are predicted, (N, T)."""
        predicted = [
            Validation(images, labels).logits(self.trained.model).argmax(dim=-1)
            for images in self._batches(strength, draw)
        ]
        return (torch.cat(predicted) == labels).view(len(labels), -1)

    def _batches(self, strength: float, draw: int) -> Iterator[Tensor]:
        for first in range(0, len(self.chosen), BATCH):
            yield self._distort(strength, draw, slice(first, first + BATCH))

    def _distort(self, strength: float, draw: int, some: slice | Tensor) -> Tensor:
        """Return some of the images, distorted: (n, C, H, W)."""
        pipeline = self._pipeline(strength)
        generator = make_generator(self.seed, f"invariance {self.name}", draw)
        draws = pipeline.draw(len(self.chosen), generator)
        return pipeline.apply(self.held_out.take(self.chosen[some]), draws[:, some])

    def _pipeline(self, strength: float) -> InputPipeline:
        distortion = DistortionConfig(name=self.name, strength=strength)
        config = self.trained.config.model_copy(update={"distortion": distortion})
        return build_input_pipeline(config, self.entry, self.held_out)


def _compose_pictures(strips: Iterable[_Strip]) -> Pictures:
    """Return all strips in one image; outputs are enlarged to the size of inputs."""
    strips = list(strips)
    first = strips[0]
    height, width = first.inputs[0].shape[1:3]
    rows = []
    for strip in strips:
        rows.append(_row(strip.inputs, height, width))
        if strip.outputs:
            rows.append(_row(strip.outputs, height, width))
    file = io.BytesIO()
    Image.fromarray(np.concatenate(rows)).save(file, "WEBP", quality=WEBP_QUALITY, method=6)
    return Pictures(
        height=height,
        width=width,
        labels=first.labels,
        outputs=bool(first.outputs),
        content=base64.b64encode(file.getvalue()).decode(),
    )


def _row(images: Iterable[NDArray[np.uint8]], height: int, width: int) -> NDArray[np.uint8]:
    cells = [_cell(image, height, width) for batch in images for image in batch]
    return np.concatenate(cells, axis=1)


def _cell(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return an image (h, w, C) in colour, at a cell's size."""
    pixels = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
