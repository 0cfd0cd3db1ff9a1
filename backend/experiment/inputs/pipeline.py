"""The input pipeline: a data set's images, distorted onto the canvas that is a network's input."""

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from stnscope.backend.experiment.catalog import ARCHITECTURES, DatasetEntry
from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import DistortionConfig, RunConfig
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.distortions import compose
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.models.catalog import Architecture


@dataclass(frozen=True, eq=False)
class InputPipeline:
    """A distortion with its strength, canvas, and the images that clutter is cropped from."""

    distortion: Distortion
    strength: float
    canvas: Canvas
    clutter_source: Tensor

    @classmethod
    def for_dataset(
        cls,
        entry: DatasetEntry,
        config: DistortionConfig,
        architecture: Architecture,
        clutter_source: Images,
    ) -> "InputPipeline":
        """Build the pipeline for a data set's images.

        Args:
            entry: of the data set.
            config: the distortion.
            architecture: the network, whose input size is the canvas's.
            clutter_source: images of the data set, for clutter.
        """
        distortion = compose(config.name)
        if entry.separate_channels:
            distortion = distortion.per_channel(entry.channels)
        return cls(distortion, config.strength, entry.canvas(architecture), clutter_source.pixels)

    @classmethod
    def for_picture(
        cls, entry: DatasetEntry, config: DistortionConfig, architecture: Architecture
    ) -> "InputPipeline":
        """Build the pipeline for a picture as large as the canvas, its subject in the centre.

        Clutter is cropped from a black image, so it adds nothing.
        """
        black = torch.zeros(1, entry.channels, entry.height, entry.width)
        subject = entry.subject or (entry.height, entry.width)
        canvas = replace(entry.canvas(architecture), subject=subject)
        return cls(compose(config.name), config.strength, canvas, black)

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Draw the distortion of `count` images, (draws, count)."""
        return self.distortion.draw(count, generator)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Distort images (N, C, h, w) by draws (draws, N) onto canvases (N, C, H, W)."""
        return self.distortion.apply(images, self.clutter_source, draws, self.strength, self.canvas)

    def apply_random(self, images: Tensor, generator: Generator) -> Tensor:
        """Distort images (N, C, h, w) by new draws onto canvases (N, C, H, W)."""
        return self.apply(images, self.draw(len(images), generator))

    def at_phase(self, draws: Tensor, phase: float) -> Tensor:
        """Return the draws at a phase of their path, in laps."""
        return self.distortion.at_phase(draws, phase) if phase else draws


def build_input_pipeline(
    config: RunConfig, entry: DatasetEntry, clutter_source: Images
) -> InputPipeline:
    """Build a run's input pipeline, with clutter cropped from `clutter_source`."""
    architecture = ARCHITECTURES[config.architecture]
    return InputPipeline.for_dataset(entry, config.distortion, architecture, clutter_source)
