"""What is done to an image before the network sees it.

A distortion places images (N, C, h, w) on black canvases (N, C, H, W). All that is random in it are
uniform draws, a column of them an image, made beforehand from the generator that is passed in. So
the same image can be distorted again, and along a path. Conventions of `models.grid`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

LAPS = (1, 2, 2, 1)
"""How often turn, scale, place across and place down swing to and fro in one lap of a path."""


@dataclass(frozen=True, eq=False)
class Distortion:
    """One way to distort images.

    Attributes:
        moving: how many draws of an image decide how it lies; these can move along a path.
        standing: how many decide the rest.
        apply: takes images (N, C, h, w), other images (M, C, h, w), draws (moving + standing, N),
            a strength from 0 to 1 and the canvas, (H, W) in pixels; gives canvases (N, C, H, W).
    """

    moving: int
    standing: int
    apply: Callable[[Tensor, Tensor, Tensor, float, tuple[int, int]], Tensor]

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

    def __call__(
        self,
        images: Tensor,
        others: Tensor,
        generator: Generator,
        strength: float,
        size: tuple[int, int],
    ) -> Tensor:
        """Distorts images by new draws; arguments as of `apply`."""
        return self.apply(images, others, self.draw(len(images), generator), strength, size)
