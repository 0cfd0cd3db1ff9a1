"""How a data set's images are put before a network: distorted, each on a canvas of its own."""

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import DistortionConfig
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.distortions import Distortion, named
from stnscope.models.catalog import Architecture


@dataclass(frozen=True, eq=False)
class InputPipeline:
    """A distortion at some strength, the canvas, and the images whose crops may clutter it."""

    distortion: Distortion
    strength: float
    canvas: Canvas
    others: Tensor

    @classmethod
    def of(
        cls,
        entry: DatasetEntry,
        wanted: DistortionConfig,
        architecture: Architecture,
        others: Images,
    ) -> "InputPipeline":
        """The scene of a data set for a network.

        Args:
            entry: of the data set.
            wanted: the distortion.
            architecture: the network, whose input is the canvas.
            others: images of the data set.
        """
        distortion = named(wanted.name)
        if entry.separate_channels:
            distortion = distortion.on_each_channel(entry.channels)
        return cls(distortion, wanted.strength, entry.canvas(architecture), others.pixels)

    @classmethod
    def filling(
        cls, entry: DatasetEntry, wanted: DistortionConfig, architecture: Architecture
    ) -> "InputPipeline":
        """The same for images that are as large as a canvas, what they show in the middle.

        Nothing is put around them: what would clutter them is cut from black.
        """
        black = torch.zeros(1, entry.channels, entry.height, entry.width)
        subject = entry.subject or (entry.height, entry.width)
        canvas = replace(entry.canvas(architecture), subject=subject)
        return cls(named(wanted.name), wanted.strength, canvas, black)

    def draw(self, count: int, generator: Generator) -> Tensor:
        """What is random about `count` images, (draws, count)."""
        return self.distortion.draw(count, generator)

    def show(self, images: Tensor, draws: Tensor) -> Tensor:
        """Images (N, C, h, w) on their canvases, (N, C, H, W), by draws (draws, N)."""
        return self.distortion.apply(images, self.others, draws, self.strength, self.canvas)

    def shown(self, images: Tensor, generator: Generator) -> Tensor:
        """The same by new draws."""
        return self.show(images, self.draw(len(images), generator))

    def travelled(self, draws: Tensor, phase: float) -> Tensor:
        """Draws at a place of their path, in laps."""
        return self.distortion.travel(draws, phase) if phase else draws
