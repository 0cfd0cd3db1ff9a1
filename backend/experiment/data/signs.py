"""Traffic signs drawn by the program, before grounds that look like photos, in changing light.

34 of GTSRB's 43 classes, under its numbers. Every image is drawn from a seed that is fixed here, so
the data set is the same everywhere.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.data.sign_drawing import SIGNS, sign
from stnscope.models import families, grid

SIDE = 72
"""Of an image in pixels: more than a network sees, so that a sign can be moved and has a ground."""
SIGN = 34
"""Of a sign in pixels."""
SHARP = 96
"""Of a sign as it is drawn."""
WINDOW = 48
"""Of what a sign may fill, seen from the side."""
SEED = 43
TRAIN, HELD_OUT = 60, 10
"""Images of each class."""
AT_ONCE = 256

CORNER = 0.12
"""How far a sign's corners are shifted as it is seen from the side, at most, in half its sides."""
TURN = math.radians(6)
BLURS = (0.0, 0.6, 1.1)
"""Standard deviations of the blur of a lens or a moving car, in pixels; each as frequent."""
GRAIN = 0.02


def load() -> tuple[Images, Images]:
    """The drawn signs; those to train on, and those held out."""
    numbers = sorted(SIGNS)
    drawn = torch.stack([torch.from_numpy(sign(each, SHARP)).permute(2, 0, 1) for each in numbers])
    draw = Generator().manual_seed(SEED)

    def part(count: int) -> Images:
        which = torch.arange(len(numbers)).repeat_interleave(count)
        pixels = torch.cat([_photos(drawn[some], draw) for some in torch.split(which, AT_ONCE)])
        return Images(pixels, torch.tensor(numbers)[which])

    return part(TRAIN), part(HELD_OUT)


def _photos(signs: Tensor, draw: Generator) -> Tensor:
    """Photos (N, 3, SIDE, SIDE) uint8 of signs (N, 4, SHARP, SHARP)."""
    count = len(signs)
    seen = _seen(signs, draw)
    colour, cover = seen[:, :3], seen[:, 3:]

    photos = _grounds(count, draw) * (1 - cover) + colour
    photos = _blurred(_lit(photos, draw), draw)
    photos = photos + GRAIN * torch.randn(photos.shape, generator=draw)
    return photos.mul(255).round().clamp(0, 255).byte()


def _seen(signs: Tensor, draw: Generator) -> Tensor:
    """Signs as a camera sees them, premultiplied, in the middle of (N, 4, SIDE, SIDE)."""
    count = len(signs)
    premultiplied = torch.cat([signs[:, :3] * signs[:, 3:], signs[:, 3:]], dim=1)
    shifts = (torch.rand(count, 8, generator=draw) * 2 - 1) * CORNER
    turn = (torch.rand(count, generator=draw) * 2 - 1) * TURN
    size = WINDOW / SIGN
    cosine, sine = size * turn.cos(), size * turn.sin()
    none = torch.zeros(count)
    slant = shifts[:, :2] * size
    theta = torch.stack([cosine, -sine, none, sine, cosine, none, slant[:, 0], slant[:, 1]], dim=1)
    theta[:, :6] = theta[:, :6] * (1 + shifts[:, 2:])
    points = families.get("projective").warp(theta, grid.pixel_centres(2 * WINDOW, 2 * WINDOW))
    where = points.view(count, 2 * WINDOW, 2 * WINDOW, 2)
    seen = grid.average(grid.sample(premultiplied, where), 2)
    return functional.pad(seen, [(SIDE - WINDOW) // 2] * 4)


def _grounds(count: int, draw: Generator) -> Tensor:
    """What is behind the signs, (N, 3, SIDE, SIDE) in [0, 1]: sky, ground, leaves, walls."""
    base = torch.rand(count, 3, 1, 1, generator=draw) * 0.25 + 0.35
    grounds = base + torch.zeros(count, 3, SIDE, SIDE)
    for cells, strength in ((2, 0.35), (5, 0.3), (12, 0.22), (40, 0.16)):
        tones = torch.randn(count, 1, cells, cells, generator=draw)
        tints = 0.2 * torch.randn(count, 3, cells, cells, generator=draw)
        noise = functional.interpolate(tones + tints, (SIDE, SIDE), mode="bicubic")
        weight = strength * torch.rand(count, 1, 1, 1, generator=draw)
        grounds = grounds + weight * noise
    for _ in range(5):
        grounds = _walled(grounds, draw)
    return grounds.clamp(0, 1)


def _walled(grounds: Tensor, draw: Generator) -> Tensor:
    """Grounds with a tilted bar of one colour each: a post, a roof, a wall, a wire."""
    count = len(grounds)
    x, y = grid.pixel_centres(SIDE, SIDE).view(SIDE, SIDE, 2).unbind(2)
    turn, along, wide, high, strength = torch.rand(5, count, 1, 1, generator=draw)
    across = x * (turn * math.pi).cos() + y * (turn * math.pi).sin()
    down = y * (turn * math.pi).cos() - x * (turn * math.pi).sin()
    inside = ((across - 2 * along + 1).abs() < 0.02 + 0.4 * wide**2) & (down < 3 * high - 1.5)
    tone = torch.rand(count, 1, 1, 1, generator=draw)
    colour = (tone + 0.12 * torch.randn(count, 3, 1, 1, generator=draw)).clamp(0, 1)
    cover = (inside * (0.3 + 0.7 * strength))[:, None]
    walled: Tensor = grounds * (1 - cover) + colour * cover
    return walled


def _lit(photos: Tensor, draw: Generator) -> Tensor:
    """Photos in a light that falls unevenly, has a colour, and may be dim or harsh."""
    count = len(photos)
    bright, contrast, slope, turn = torch.rand(4, count, 1, 1, 1, generator=draw)
    x, y = grid.pixel_centres(SIDE, SIDE).view(1, 1, SIDE, SIDE, 2).unbind(4)
    turn = turn * 2 * math.pi
    light = 0.4 + 0.8 * bright + 0.35 * slope * (x * turn.cos() + y * turn.sin())
    tint = 1 + 0.06 * torch.randn(count, 3, 1, 1, generator=draw)
    haze = 0.3 * contrast**2
    lit: Tensor = photos * (1 - haze) * light.clamp(min=0.12) * tint + 0.7 * haze
    return lit


def _blurred(photos: Tensor, draw: Generator) -> Tensor:
    """Photos, a third of them sharp, the others blurred."""
    which = torch.randint(len(BLURS), (len(photos),), generator=draw)
    blurred = photos.clone()
    ticks = torch.arange(-2, 3)
    for number, deviation in enumerate(BLURS):
        chosen = which == number
        if deviation and chosen.any():
            line = torch.exp(-(ticks**2) / (2 * deviation**2))
            line = line / line.sum()
            flat = photos[chosen].flatten(0, 1)[:, None]
            flat = functional.pad(flat, (2, 2, 2, 2), mode="replicate")
            flat = functional.conv2d(flat, line.view(1, 1, 1, 5))
            flat = functional.conv2d(flat, line.view(1, 1, 5, 1))
            blurred[chosen] = flat.view(-1, *photos.shape[1:])
    return blurred
