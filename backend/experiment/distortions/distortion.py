"""The interface of distortions.

A distortion places images (N, C, h, w) on canvases (N, C, H, W). Everything random in it comes from
uniform draws, one column per image, drawn in advance from the generator that is passed in. So the
same image can be distorted again, and moved along a path. Conventions of `models.grid`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas

PERIODS = (1, 2, 2, 1)
"""Oscillations of rotation, scale, x and y in one lap of a path."""


@dataclass(frozen=True, eq=False)
class Distortion:
    """A way to distort images.

    Attributes:
        moving_draws: number of draws per image that vary along a path.
        fixed_draws: number of draws per image that do not.
        apply: takes images (N, C, h, w), images (M, C, h, w) for clutter, draws
            (moving_draws + fixed_draws, N), a strength from 0 to 1 and the canvas; returns canvases
            (N, C, H, W).
    """

    moving_draws: int
    fixed_draws: int
    apply: Callable[[Tensor, Tensor, Tensor, float, Canvas], Tensor]

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Draw for `count` images, (moving_draws + fixed_draws, count), uniform in [0, 1)."""
        return torch.rand(self.moving_draws + self.fixed_draws, count, generator=generator)

    def at_phase(self, draws: Tensor, phase: float) -> Tensor:
        """Return the draws at a phase of their path; only the moving ones differ.

        The path is smooth and closed, stays within [0, 1] and equals `draws` at phase 0.

        Args:
            draws: as from `draw`.
            phase: in laps.
        """
        periods = torch.tensor([PERIODS[row % len(PERIODS)] for row in range(self.moving_draws)])
        start = torch.asin(2 * draws[: self.moving_draws] - 1)
        moved = 0.5 + 0.5 * torch.sin(start + 2 * math.pi * phase * periods[:, None])
        return torch.cat([moved, draws[self.moving_draws :]])

    def compose_with(self, following: "Distortion") -> "Distortion":
        """Return the composition: this distortion, then the following one on its canvases."""

        def apply(
            images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
        ) -> Tensor:
            parts = (self, following)
            moving_counts = [part.moving_draws for part in parts]
            fixed_counts = [part.fixed_draws for part in parts]
            moving, following_moving, fixed, following_fixed = torch.split(
                draws, moving_counts + fixed_counts
            )
            canvases = self.apply(
                images, clutter_source, torch.cat([moving, fixed]), strength, canvas
            )
            following_draws = torch.cat([following_moving, following_fixed])
            return following.apply(canvases, clutter_source, following_draws, strength, canvas)

        return Distortion(
            self.moving_draws + following.moving_draws,
            self.fixed_draws + following.fixed_draws,
            apply,
        )

    def per_channel(self, channels: int) -> "Distortion":
        """Return the distortion that applies this one to each channel with its own draws."""

        def apply(
            images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
        ) -> Tensor:
            count = len(images)
            parts = torch.split(draws, [self.moving_draws * channels, self.fixed_draws * channels])
            # An image's channels are adjacent rows of the draws; each becomes its own column.
            columns = torch.cat(
                [
                    part.view(rows, channels, count).transpose(1, 2).flatten(1)
                    for part, rows in zip(parts, (self.moving_draws, self.fixed_draws), strict=True)
                ]
            )
            single = self.apply(
                images.flatten(0, 1)[:, None], clutter_source, columns, strength, canvas
            )
            return single.view(count, channels, *canvas.size)

        return Distortion(self.moving_draws * channels, self.fixed_draws * channels, apply)

    def __call__(
        self,
        images: Tensor,
        clutter_source: Tensor,
        generator: Generator,
        strength: float,
        canvas: Canvas,
    ) -> Tensor:
        """Distort images with new draws; other arguments as for `apply`."""
        return self.apply(
            images, clutter_source, self.draw(len(images), generator), strength, canvas
        )
