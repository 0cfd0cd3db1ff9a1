"""Traffic signs drawn by the program, on backgrounds that look like photos, in varying light.

34 of GTSRB's 43 classes, under its class numbers. All images are drawn from a fixed seed, so that
the data set is the same everywhere.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.data.sign_drawing import DRAWINGS, draw_sign
from stnscope.models import families, grid

SIDE = 72
"""Side of an image in pixels; larger than a network's input, so that a sign can be moved."""
SIGN_SIDE = 34
"""Side of a sign in an image, in pixels."""
DRAWN_SIDE = 96
"""Side of a sign as it is drawn, in pixels."""
WINDOW_SIDE = 48
"""Side of the area in an image that a distorted sign may fill, in pixels."""
SEED = 43
TRAIN, HELD_OUT = 60, 10
"""Images of each class."""
BATCH_SIZE = 256

MAX_CORNER_SHIFT = 0.12
"""Maximum shift of a corner by the projective distortion, as a fraction of half a sign's side."""
MAX_ROTATION = math.radians(6)
BLUR_DEVIATIONS = (0.0, 0.6, 1.1)
"""Standard deviations of a camera's blur, in pixels; equally frequent."""
NOISE_DEVIATION = 0.02


def load() -> tuple[Images, Images]:
    """Draw the data set: training images and held-out images."""
    labels = sorted(DRAWINGS)
    signs = torch.stack(
        [torch.from_numpy(draw_sign(label, DRAWN_SIDE)).permute(2, 0, 1) for label in labels]
    )
    generator = Generator().manual_seed(SEED)

    def draw_part(count: int) -> Images:
        indices = torch.arange(len(labels)).repeat_interleave(count)
        batches = torch.split(indices, BATCH_SIZE)
        pixels = torch.cat([draw_photos(signs[batch], generator) for batch in batches])
        return Images(pixels, torch.tensor(labels)[indices])

    return draw_part(TRAIN), draw_part(HELD_OUT)


def draw_photos(signs: Tensor, generator: Generator) -> Tensor:
    """Draw photos (N, 3, SIDE, SIDE) uint8 of signs (N, 4, DRAWN_SIDE, DRAWN_SIDE)."""
    layer = _project(signs, generator)
    colour, alpha = layer[:, :3], layer[:, 3:]
    photos = draw_backgrounds(len(signs), generator) * (1 - alpha) + colour
    photos = _blur(_illuminate(photos, generator), generator)
    photos = photos + NOISE_DEVIATION * torch.randn(photos.shape, generator=generator)
    return photos.mul(255).round().clamp(0, 255).byte()


def _project(signs: Tensor, generator: Generator) -> Tensor:
    """Warp signs as seen by a camera, centred in (N, 4, SIDE, SIDE) with premultiplied alpha."""
    count = len(signs)
    premultiplied = torch.cat([signs[:, :3] * signs[:, 3:], signs[:, 3:]], dim=1)
    shifts = (torch.rand(count, 8, generator=generator) * 2 - 1) * MAX_CORNER_SHIFT
    rotation = (torch.rand(count, generator=generator) * 2 - 1) * MAX_ROTATION
    scale = WINDOW_SIDE / SIGN_SIDE
    cosine, sine = scale * rotation.cos(), scale * rotation.sin()
    zero = torch.zeros(count)
    slant = shifts[:, :2] * scale
    theta = torch.stack([cosine, -sine, zero, sine, cosine, zero, slant[:, 0], slant[:, 1]], dim=1)
    theta[:, :6] = theta[:, :6] * (1 + shifts[:, 2:])
    # Sampled at twice the resolution, then averaged.
    side = 2 * WINDOW_SIDE
    points = families.get("projective").warp(theta, grid.pixel_centres(side, side))
    points = points.view(count, side, side, 2)
    projected = grid.average(grid.sample(premultiplied, points), 2)
    return functional.pad(projected, [(SIDE - WINDOW_SIDE) // 2] * 4)


def draw_backgrounds(count: int, generator: Generator) -> Tensor:
    """Draw backgrounds of noise at four scales and bars, (count, 3, SIDE, SIDE) in [0, 1]."""
    mean = torch.rand(count, 3, 1, 1, generator=generator) * 0.25 + 0.35
    backgrounds = mean + torch.zeros(count, 3, SIDE, SIDE)
    for cells, strength in ((2, 0.35), (5, 0.3), (12, 0.22), (40, 0.16)):
        brightness = torch.randn(count, 1, cells, cells, generator=generator)
        tints = 0.2 * torch.randn(count, 3, cells, cells, generator=generator)
        noise = functional.interpolate(brightness + tints, (SIDE, SIDE), mode="bicubic")
        weight = strength * torch.rand(count, 1, 1, 1, generator=generator)
        backgrounds = backgrounds + weight * noise
    for _ in range(5):
        backgrounds = _draw_bars(backgrounds, generator)
    return backgrounds.clamp(0, 1)


def _draw_bars(backgrounds: Tensor, generator: Generator) -> Tensor:
    """Draw a tilted bar of one colour onto each background, like a post, a roof or a wire."""
    count = len(backgrounds)
    x, y = grid.pixel_centres(SIDE, SIDE).view(SIDE, SIDE, 2).unbind(2)
    rotation, centre, width, end, strength = torch.rand(5, count, 1, 1, generator=generator)
    across = x * (rotation * math.pi).cos() + y * (rotation * math.pi).sin()
    along = y * (rotation * math.pi).cos() - x * (rotation * math.pi).sin()
    inside = ((across - 2 * centre + 1).abs() < 0.02 + 0.4 * width**2) & (along < 3 * end - 1.5)
    brightness = torch.rand(count, 1, 1, 1, generator=generator)
    colour = (brightness + 0.12 * torch.randn(count, 3, 1, 1, generator=generator)).clamp(0, 1)
    alpha = (inside * (0.3 + 0.7 * strength))[:, None]
    drawn: Tensor = backgrounds * (1 - alpha) + colour * alpha
    return drawn


def _illuminate(photos: Tensor, generator: Generator) -> Tensor:
    """Apply uneven, coloured light of random brightness, and haze."""
    count = len(photos)
    brightness, contrast, slope, direction = torch.rand(4, count, 1, 1, 1, generator=generator)
    x, y = grid.pixel_centres(SIDE, SIDE).view(1, 1, SIDE, SIDE, 2).unbind(4)
    direction = direction * 2 * math.pi
    light = 0.4 + 0.8 * brightness + 0.35 * slope * (x * direction.cos() + y * direction.sin())
    tint = 1 + 0.06 * torch.randn(count, 3, 1, 1, generator=generator)
    haze = 0.3 * contrast**2
    lit: Tensor = photos * (1 - haze) * light.clamp(min=0.12) * tint + 0.7 * haze
    return lit


def _blur(photos: Tensor, generator: Generator) -> Tensor:
    """Blur each photo by one of `BLUR_DEVIATIONS`, drawn at random."""
    choices = torch.randint(len(BLUR_DEVIATIONS), (len(photos),), generator=generator)
    blurred = photos.clone()
    offsets = torch.arange(-2, 3)
    for choice, deviation in enumerate(BLUR_DEVIATIONS):
        chosen = choices == choice
        if deviation and chosen.any():
            kernel = torch.exp(-(offsets**2) / (2 * deviation**2))
            weights = (kernel / kernel.sum()).tolist()
            padded = functional.pad(photos[chosen], (2, 2, 2, 2), mode="replicate")
            blurred[chosen] = _weighted_sums(_weighted_sums(padded, weights, dim=3), weights, dim=2)
    return blurred


def _weighted_sums(images: Tensor, weights: list[float], dim: int) -> Tensor:
    """Return the sums over windows along a dimension; half the time of a convolution."""
    size = images.shape[dim] - len(weights) + 1
    sums = images.narrow(dim, 0, size) * weights[0]
    for offset, weight in enumerate(weights[1:], start=1):
        sums = sums.add(images.narrow(dim, offset, size), alpha=weight)
    return sums
