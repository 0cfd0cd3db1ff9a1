"""What is done to an image before the network sees it.

A distortion places images (N, C, h, w) on canvases (N, C, H, W). All that is random in it are
uniform draws, a column of them an image, made beforehand from the generator that is passed in. So
the same image can be distorted again, and along a path. Conventions of `models.grid`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas

LAPS = (1, 2, 2, 1)
"""How often turn, scale, place across and place down swing to and fro in one lap of a path."""


@dataclass(frozen=True, eq=False)
class Distortion:
    """One way to distort images.

    Attributes:
        moving: how many draws of an image decide how it lies; these can move along a path.
        standing: how many decide the rest.
        apply: takes images (N, C, h, w), other images (M, C, h, w), draws (moving + standing, N),
            a strength from 0 to 1 and the canvas; gives canvases (N, C, H, W).
    """

    moving: int
    standing: int
    apply: Callable[[Tensor, Tensor, Tensor, float, Canvas], Tensor]

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Draws for `count` images, (moving + standing, count), uniform in [0, 1)."""
        return torch.rand(self.moving + self.standing, count, generator=generator)

    def travel(self, draws: Tensor, phase: float) -> Tensor:
        """The same draws, those that move at a place of their path.

        The path is smooth and closed, keeps within [0, 1] and begins, at phase 0, at `draws`.

        Args:
            draws: as of `draw`.
            phase: in laps.
        """
        laps = torch.tensor([LAPS[row % len(LAPS)] for row in range(self.moving)])[:, None]
        start = torch.asin(2 * draws[: self.moving] - 1)
        moved = 0.5 + 0.5 * torch.sin(start + 2 * math.pi * phase * laps)
        return torch.cat([moved, draws[self.moving :]])

    def then(self, other: "Distortion") -> "Distortion":
        """This one, and then the other on the canvases that it gives."""

        def apply(
            images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
        ) -> Tensor:
            own = [self.moving, other.moving, self.standing, other.standing]
            moves, next_moves, stands, next_stands = torch.split(draws, own)
            first, second = torch.cat([moves, stands]), torch.cat([next_moves, next_stands])
            canvases = self.apply(images, others, first, strength, canvas)
            return other.apply(canvases, others, second, strength, canvas)

        moving, standing = self.moving + other.moving, self.standing + other.standing
        return Distortion(moving, standing, apply)

    def on_each_channel(self, channels: int) -> "Distortion":
        """The same for images whose channels are distorted each on its own."""

        def apply(
            images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
        ) -> Tensor:
            count = len(images)
            parts = torch.split(draws, [self.moving * channels, self.standing * channels])
            # Rows of an image's channels stand together; each becomes a column of its own.
            own = torch.cat(
                [
                    part.view(rows, channels, count).transpose(1, 2).flatten(1)
                    for part, rows in zip(parts, (self.moving, self.standing), strict=True)
                ]
            )
            single = self.apply(images.flatten(0, 1)[:, None], others, own, strength, canvas)
            return single.view(count, channels, *canvas.size)

        return Distortion(self.moving * channels, self.standing * channels, apply)

    def __call__(
        self,
        images: Tensor,
        others: Tensor,
        generator: Generator,
        strength: float,
        canvas: Canvas,
    ) -> Tensor:
        """Distorts images by new draws; arguments as of `apply`."""
        return self.apply(images, others, self.draw(len(images), generator), strength, canvas)
