"""A picture of one frame: rows of input and output, dots at the sampled corners, a footer.

Two layers are kept apart to the end: `clean`, the images alone, and `overlay`, the ground, dots and
text as grey levels of a short list. So an export can quantise images without touching the dots.

Letters: H, W the sheet's height and width in pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stnscope.backend.experiment.frames.frame import Frame

TILE = 96
"""Longer side of an image, in pixels at scale 1; the rest of the layout goes with it."""
GAP = 8
FOOTER = 32
DOT = 3.0
OUTLINE = 1.5
NUMBER = 14

NOTHING = -1
BLACK, INK, MUTED, GROUND, WHITE = 0, 34, 110, 242, 255
SHADES = tuple(round(GROUND + (INK - GROUND) * share / 9) for share in range(10))
"""Levels of text from ground to ink, so that its edges are smooth."""
LEVELS = (BLACK, WHITE, *SHADES)
"""Every grey level that an overlay may have."""

Pixels = NDArray[np.uint8]
Overlay = NDArray[np.int16]
Floats = NDArray[np.float64]
Box = tuple[slice, slice]
Shape = Callable[[Floats, Floats], Floats]
"""Measures how far points, across and down from a mark's middle, lie from it."""


@dataclass(frozen=True)
class Layout:
    """Where everything stands on the sheet, in pixels."""

    scale: float
    input: tuple[int, int]
    """(height, width) of an input tile."""
    outputs: tuple[tuple[int, int], ...]
    """The same of each transformer's output, or of the room for a label where there is none."""
    margin: int
    """Ground around an input, in which corners outside the image are seen."""
    rows: int

    @property
    def gap(self) -> int:
        return round(GAP * self.scale)

    @property
    def footer(self) -> int:
        return round(FOOTER * self.scale)

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the sheet."""
        width = 2 * self.margin + self.input[1]
        width += sum(output[1] + self.gap for output in self.outputs)
        last = self.input_box(self.rows - 1)[0].stop
        return width, last + self.margin - self.gap + self.footer

    def input_box(self, row: int) -> Box:
        """Where the input of a row stands."""
        return self._box(row, self.margin, self.input)

    def output_box(self, row: int, place: int = 0) -> Box:
        """Where the output of a row's transformer stands, by its place among them."""
        before = sum(output[1] + self.gap for output in self.outputs[:place])
        return self._box(row, 2 * self.margin + self.input[1] + before, self.outputs[place])

    def _box(self, row: int, left: int, size: tuple[int, int]) -> Box:
        tile = max(self.input[0], *(output[0] for output in self.outputs))
        top = self.margin + row * (tile + 2 * self.margin - self.gap) + (tile - size[0]) // 2
        return slice(top, top + size[0]), slice(left, left + size[1])


def lay_out(frame: Frame, rows: int, scale: float, overshoot: float) -> Layout:
    """Lays a sheet out for frames like this one.

    Args:
        frame: with its input.
        rows: probes that are shown.
        scale: 1 shows the longer side of an image in `TILE` pixels.
        overshoot: how far corners lie outside the input at most, in input pixels.
    """
    height, width = frame.tensors["input"].shape[1:3]
    tile = TILE * scale
    shown = tile / max(height, width)
    smallest = round(GAP * scale)
    margin = round(overshoot * shown + (DOT + OUTLINE + 1) * scale)
    return Layout(
        scale,
        _fitted(height, width, tile),
        tuple(_fitted(*shape, tile) for shape in _output_shapes(frame)),
        min(max(margin, smallest), round(tile / 3)),
        rows,
    )


def _output_shapes(frame: Frame) -> list[tuple[int, int]]:
    shapes = [frame.tensors[f"output.{name}"].shape for name in frame.transformers]
    return [(height, width) for _, height, width, _ in shapes] or [(1, 1)]


def _fitted(height: int, width: int, side: float) -> tuple[int, int]:
    shown = side / max(height, width)
    return max(1, round(height * shown)), max(1, round(width * shown))


def images(frame: Frame, probes: Sequence[int], layout: Layout, grey: bool) -> Pixels:
    """The clean layer: (H, W) where `grey`, else (H, W, 3); probes not in the frame stay blank."""
    width, height = layout.size
    clean = np.full((height, width) if grey else (height, width, 3), GROUND, dtype=np.uint8)
    outputs = [frame.tensors[f"output.{name}"] for name in frame.transformers]
    for row, probe in enumerate(probes):
        if probe < len(frame.tensors["input"]):
            clean[layout.input_box(row)] = tile(frame.tensors["input"][probe], layout.input, grey)
            for place, output in enumerate(outputs):
                size = layout.outputs[place]
                clean[layout.output_box(row, place)] = tile(output[probe], size, grey)
    return clean


def tile(image: Pixels, size: tuple[int, int], grey: bool) -> Pixels:
    """An image (h, w, C) at another size: its pixels as squares, or antialiased when smaller."""
    image = image[..., 0] if image.shape[2] == 1 else image
    if image.ndim == 2 and not grey:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.shape[:2] == size:
        return image
    factors = [max(1, -(-there // here)) for there, here in zip(size, image.shape[:2], strict=True)]
    enlarged = image.repeat(factors[0], axis=0).repeat(factors[1], axis=1)
    if enlarged.shape[:2] == size:
        return enlarged
    return np.asarray(Image.fromarray(enlarged).resize(size[::-1], Image.Resampling.BOX))


def overlay(frame: Frame, probes: Sequence[int], layout: Layout) -> Overlay:
    """Ground, and over the images dots or labels: (H, W) levels, `NOTHING` where images show."""
    width, height = layout.size
    levels = np.full((height, width), GROUND, dtype=np.int16)
    for row, probe in enumerate(probes):
        if probe < len(frame.tensors["input"]):
            levels[layout.input_box(row)] = NOTHING
            for place, _ in enumerate(frame.transformers):
                levels[layout.output_box(row, place)] = NOTHING
                _draw_corners(levels, frame, probe, row, place, layout)
            if not frame.transformers:
                _draw_label(levels, frame, probe, row, layout)
    return levels


def _draw_corners(
    levels: Overlay, frame: Frame, probe: int, row: int, place: int, layout: Layout
) -> None:
    """Dots at a region's corners; of several transformers each region, and its output, a number."""
    corners = frame.tensors[f"corners.{frame.transformers[place]}"][probe].astype(np.float64)
    box = layout.input_box(row)
    height, width = frame.tensors["input"].shape[1:3]
    shown = np.array([layout.input[1] / width, layout.input[0] / height])
    points = corners * shown + [box[1].start, box[0].start]
    radius = (DOT + OUTLINE) * layout.scale
    low = np.array([box[1].start, box[0].start]) - layout.margin + radius
    high = np.array([box[1].stop, box[0].stop]) + layout.margin - radius
    for number, point in enumerate(points):
        if np.isfinite(point).all():
            seen = point.clip(low, high)
            away = point - seen
            if away.any():
                # Further out than there is room for: an arrow head points the way.
                shape = _arrow(away / np.hypot(*away))
            else:
                shape = _square if number == 0 else _disc
            _draw_mark(levels, seen, shape, layout.scale)
    if len(frame.transformers) > 1:
        # On the upper edge, each in a place of its own: at the start all regions are one.
        beside = points[0] + (place + 1) / 6 * (points[1] - points[0])
        if np.isfinite(beside).all():
            _draw_number(levels, place + 1, beside.clip(low, high), layout.scale)
        down, across = layout.output_box(row, place)
        corner = np.array([across.start, down.start]) + NUMBER * layout.scale / 2
        _draw_number(levels, place + 1, corner, layout.scale)


def _draw_number(levels: Overlay, number: int, middle: Floats, scale: float) -> None:
    """A white number with a black outline; `middle` is (x, y) on the sheet."""
    x, y = middle.tolist()
    for width, level in ((2 * scale, BLACK), (0.0, WHITE)):
        mask = Image.new("L", levels.shape[::-1])
        ImageDraw.Draw(mask).text(
            (x, y), str(number), 255, font(NUMBER * scale), "mm", stroke_width=width
        )
        levels[np.asarray(mask) > 127] = level


def _disc(across: Floats, down: Floats) -> Floats:
    """How far points lie from a mark's middle, as the mark measures it."""
    return np.asarray(np.hypot(across, down))


def _square(across: Floats, down: Floats) -> Floats:
    return np.maximum(np.abs(across), np.abs(down))


def _arrow(way: Floats) -> Shape:
    def distance(across: Floats, down: Floats) -> Floats:
        along = across * way[0] + down * way[1]
        beside = np.abs(across * way[1] - down * way[0])
        return np.asarray(np.maximum(-along, (along + 2 * beside) * 0.75))

    return distance


def _draw_mark(levels: Overlay, middle: Floats, shape: Shape, scale: float) -> None:
    """A white mark with a black outline; `middle` is (x, y) on the sheet."""
    reach = int(np.ceil(2 * (DOT + OUTLINE) * scale))
    left, top = (np.floor(middle).astype(int) - reach).tolist()
    rows = slice(max(top, 0), max(top + 2 * reach + 1, 0))
    columns = slice(max(left, 0), max(left + 2 * reach + 1, 0))
    around = levels[rows, columns]
    down, across = np.indices(around.shape) + 0.5
    distance = shape(across + columns.start - middle[0], down + rows.start - middle[1])
    around[distance <= (DOT + OUTLINE) * scale] = BLACK
    around[distance <= DOT * scale] = WHITE


def _draw_label(levels: Overlay, frame: Frame, probe: int, row: int, layout: Layout) -> None:
    """What a network without a transformer takes the probe for, beside it."""
    room = levels[layout.output_box(row)]
    height, width = room.shape
    taken = np.atleast_1d(frame.info["predicted"][probe]).tolist()
    name = "".join(frame.info["classes"][each] for each in taken)
    probability = frame.tensors["probabilities"][probe].max(axis=-1).prod()
    scale = layout.scale
    write(room, name, (width / 2, height / 2 - 4 * scale), 30 * scale, width=width)
    write(room, f"{probability:.0%}", (width / 2, height / 2 + 24 * scale), 12 * scale, ink=MUTED)


def footer(levels: Overlay, counter: str, more: str, layout: Layout) -> None:
    """Writes a counter such as `3/10`, whose stroke stands still, and more beside it."""
    room = levels[-layout.footer :]
    height, width = room.shape
    size, detail = 15 * layout.scale, 12 * layout.scale
    stroke, widest = font(size).getlength("/"), font(size).getlength("10")
    x, y = width / 2, height / 2
    if more:
        space = 10 * layout.scale
        x -= (font(detail).getlength(more) + space) / 2
        start = x + stroke / 2 + widest + space
        write(room, more, (start, y), detail, ink=MUTED, anchor="lm")
    done, total = counter.split("/")
    write(room, done, (x - stroke / 2, y), size, anchor="rm")
    write(room, f"/{total}", (x - stroke / 2, y), size, anchor="lm")


def captions(levels: Overlay, layout: Layout) -> None:
    """Writes below the columns what goes in and what comes out."""
    room = levels[-layout.footer :]
    boxes = [("in", layout.input_box(0)[1])]
    boxes += [("out", layout.output_box(0, place)[1]) for place in range(len(layout.outputs))]
    for text, box in boxes:
        write(room, text, ((box.start + box.stop) / 2, len(room) / 2), 15 * layout.scale)


@cache
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The typeface that comes with Pillow."""
    return ImageFont.load_default(size)


def write(
    levels: Overlay,
    text: str,
    at: tuple[float, float],
    size: float,
    *,
    ink: int = INK,
    anchor: str = "mm",
    width: float = np.inf,
) -> None:
    """Writes text over what is there, its shades among `LEVELS`; smaller if it is too wide."""
    length = font(size).getlength(text)
    if length > width:
        size = max(6.0, size * width / length)
    mask = Image.new("L", levels.shape[::-1])
    ImageDraw.Draw(mask).text(at, text, fill=255, font=font(size), anchor=anchor)
    strength = np.asarray(mask) * ((GROUND - ink) / (GROUND - INK) / 255)
    step = np.rint(strength * (len(SHADES) - 1)).astype(int)
    np.copyto(levels, np.array(SHADES, dtype=np.int16)[step], where=step > 0)
