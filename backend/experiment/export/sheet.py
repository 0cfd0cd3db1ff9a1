"""Draw a frame on a sheet: rows of input and output, dots at the sampled corners, a footer.

There are two layers: the images, and the overlay, which is background, dots and text in a few
colours. Therefore an export can quantise images without changing the dots.

(H, W) size of the sheet in pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stnscope.backend.experiment.frames.frame import Frame

TILE = 96
"""Longer side of an image, in pixels at scale 1."""
GAP = 8
FOOTER = 32
DOT_RADIUS = 3.0
OUTLINE = 1.5
CONTROL_RADIUS = 2.0
NUMBER_SIZE = 14
ASPECT_RATIO = 16 / 9
"""Of several images side by side, about."""

TRANSPARENT = -1
BLACK, INK, MUTED, BACKGROUND, WHITE = 0, 34, 110, 242, 255
SHADES = tuple(round(BACKGROUND + (INK - BACKGROUND) * share / 9) for share in range(10))
"""Levels of antialiased text, from background to ink."""
FIRST = 256
"""Palette index of the first corner's mark in an overlay; distinct from white ones."""
FIRST_COLOUR = (255, 90, 54)
SECOND, THIRD, FOURTH, TRAIL, RIGHT, WRONG, CURVE = range(FIRST + 1, FIRST + 8)
"""On the stage: lines of further transformers, trails, marks of predictions, curves of charts."""
STAGE_COLOURS = (
    (255, 194, 10),
    (94, 200, 255),
    (255, 143, 199),
    (255, 215, 94),
    (30, 142, 62),
    (208, 52, 44),
    (37, 99, 235),
)
LEVELS = (BLACK, WHITE, *SHADES)
"""All grey levels of an overlay."""

Pixels = NDArray[np.uint8]
Overlay = NDArray[np.int16]
Floats = NDArray[np.float64]
Box = tuple[slice, slice]
ShapeFunction = Callable[[Floats, Floats], Floats]
"""Offsets (x, y) from a mark's centre -> distance in the mark's metric."""


COLOURS: Pixels = np.array(
    [*((level,) * 3 for level in range(FIRST)), FIRST_COLOUR, *STAGE_COLOURS], np.uint8
)
"""(264, 3), the colour of each value in an overlay."""


@dataclass(frozen=True)
class Layout:
    """Positions on the sheet, in pixels."""

    scale: float
    input: tuple[int, int]
    """(height, width) of an input."""
    outputs: tuple[tuple[int, int], ...]
    """(height, width) of each transformer's output; without transformers, of the prediction."""
    margin: int
    """Width of the background around an input, for corners outside the image."""
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
        """Return the box of a row's input."""
        return self._box(row, self.margin, self.input)

    def output_box(self, row: int, index: int = 0) -> Box:
        """Return the box of a row's output of the transformer with an index."""
        offset = sum(output[1] + self.gap for output in self.outputs[:index])
        return self._box(row, 2 * self.margin + self.input[1] + offset, self.outputs[index])

    def _box(self, row: int, left: int, size: tuple[int, int]) -> Box:
        tile = max(self.input[0], *(output[0] for output in self.outputs))
        top = self.margin + row * (tile + 2 * self.margin - self.gap) + (tile - size[0]) // 2
        return slice(top, top + size[0]), slice(left, left + size[1])


class HasFooter(Protocol):
    """A layout whose footer spans the sheet."""

    @property
    def scale(self) -> float: ...

    @property
    def footer(self) -> int: ...


def compute_layout(frame: Frame, rows: int, scale: float, overshoot: float) -> Layout:
    """Compute the layout for frames with the same shapes as `frame`.

    Args:
        frame: a frame with its input.
        rows: number of probes.
        scale: at 1, the longer side of an image has `TILE` pixels.
        overshoot: largest distance of a corner outside the input, in input pixels.
    """
    height, width = frame.tensors["input"].shape[1:3]
    tile = TILE * scale
    magnification = tile / max(height, width)
    minimum = round(GAP * scale)
    margin = round(overshoot * magnification + (DOT_RADIUS + OUTLINE + 1) * scale)
    return Layout(
        scale,
        fit(height, width, tile),
        tuple(fit(*shape, tile) for shape in _output_shapes(frame)),
        min(max(margin, minimum), round(tile / 3)),
        rows,
    )


def overshoot(frame: Frame, probes: Sequence[int]) -> float:
    """Return the largest distance of a corner outside the input, in its pixels."""
    height, width = frame.tensors["input"].shape[1:3]
    largest = 0.0
    for name in frame.transformers:
        corners = frame.tensors[f"corners.{name}"]
        corners = corners[[probe for probe in probes if probe < len(corners)]]
        distances = np.maximum(-corners, corners - np.array([width, height]))
        largest = max(largest, float(distances[np.isfinite(distances)].max(initial=0)))
    return largest


def _output_shapes(frame: Frame) -> list[tuple[int, int]]:
    shapes = [frame.tensors[f"output.{name}"].shape for name in frame.transformers]
    return [(height, width) for _, height, width, _ in shapes] or [(1, 1)]


def fit(height: int, width: int, side: float) -> tuple[int, int]:
    """Return the size of an image whose longer side has a length in pixels."""
    magnification = side / max(height, width)
    return max(1, round(height * magnification)), max(1, round(width * magnification))


def draw_images(frame: Frame, probes: Sequence[int], layout: Layout, is_grey: bool) -> Pixels:
    """Return the images, (H, W) if `is_grey`, else (H, W, 3); probes not in the frame are blank."""
    width, height = layout.size
    layer = np.full((height, width) if is_grey else (height, width, 3), BACKGROUND, dtype=np.uint8)
    outputs = [frame.tensors[f"output.{name}"] for name in frame.transformers]
    for row, probe in enumerate(probes):
        if probe < len(frame.tensors["input"]):
            layer[layout.input_box(row)] = resize(
                frame.tensors["input"][probe], layout.input, is_grey
            )
            for index, output in enumerate(outputs):
                size = layout.outputs[index]
                layer[layout.output_box(row, index)] = resize(output[probe], size, is_grey)
    return layer


def resize(image: Pixels, size: tuple[int, int], is_grey: bool) -> Pixels:
    """Resize an image (h, w, C): nearest pixel to enlarge it, mean of the area to reduce it."""
    image = image[..., 0] if image.shape[2] == 1 else image
    if image.ndim == 2 and not is_grey:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.shape[:2] == size:
        return image
    factors = [max(1, -(-new // old)) for new, old in zip(size, image.shape[:2], strict=True)]
    enlarged = image.repeat(factors[0], axis=0).repeat(factors[1], axis=1)
    if enlarged.shape[:2] == size:
        return enlarged
    return np.asarray(Image.fromarray(enlarged).resize(size[::-1], Image.Resampling.BOX))


def draw_overlay(frame: Frame, probes: Sequence[int], layout: Layout) -> Overlay:
    """Return the overlay: (H, W) indices of `COLOURS`, `TRANSPARENT` where images are visible."""
    width, height = layout.size
    levels = np.full((height, width), BACKGROUND, dtype=np.int16)
    for row, probe in enumerate(probes):
        if probe < len(frame.tensors["input"]):
            levels[layout.input_box(row)] = TRANSPARENT
            for index, _ in enumerate(frame.transformers):
                levels[layout.output_box(row, index)] = TRANSPARENT
                _draw_corners(levels, frame, probe, row, index, layout)
            if not frame.transformers:
                _draw_prediction(levels, frame, probe, row, layout)
    return levels


def _draw_corners(
    levels: Overlay, frame: Frame, probe: int, row: int, index: int, layout: Layout
) -> None:
    """Draw dots at a region's corners; number regions and outputs if there are several."""
    corners = frame.tensors[f"corners.{frame.transformers[index]}"][probe].astype(np.float64)
    box = layout.input_box(row)
    height, width = frame.tensors["input"].shape[1:3]
    magnification = np.array([layout.input[1] / width, layout.input[0] / height])
    points = corners * magnification + [box[1].start, box[0].start]
    radius = (DOT_RADIUS + OUTLINE) * layout.scale
    low = np.array([box[1].start, box[0].start]) - layout.margin + radius
    high = np.array([box[1].stop, box[0].stop]) + layout.margin - radius
    draw_dots(levels, points, low, high, layout.scale)
    if len(frame.transformers) > 1:
        output = layout.output_box(row, index)
        draw_numbers(levels, index, points, low, high, output, layout.scale)


def draw_dots(
    levels: Overlay, points: Floats, low: Floats, high: Floats, scale: float, value: int = WHITE
) -> None:
    """Draw dots at the corners of a region, an arrow head at the edge for one beyond it.

    Args:
        levels: the overlay.
        points: (4, 2), (x, y) on the sheet.
        low: least x and y of a dot.
        high: largest x and y of a dot.
        scale: of the dots.
        value: of all dots but the first.
    """
    for number, point in enumerate(points):
        if np.isfinite(point).all():
            clipped = point.clip(low, high)
            offset = point - clipped
            if offset.any():
                # The corner is outside the margin: an arrow head points towards it.
                shape = _arrow(offset / np.hypot(*offset))
            else:
                shape = _square if number == 0 else _disc
            _draw_mark(levels, clipped, shape, scale, FIRST if number == 0 else value)


def draw_discs(levels: Overlay, points: Floats, scale: float, value: int) -> None:
    """Draw small discs, those of control points, at the points (M, 2) that are on the sheet."""
    for point in points[((points >= 0) & (points <= levels.shape[::-1])).all(axis=1)]:
        _draw_mark(levels, point, _disc, scale, value, radius=CONTROL_RADIUS, outline=1.0)


def draw_numbers(
    levels: Overlay,
    index: int,
    points: Floats,
    low: Floats,
    high: Floats,
    output: Box,
    scale: float,
    value: int = WHITE,
) -> None:
    """Draw a transformer's number on its region and on its output; arguments as of `draw_dots`."""
    # At different positions on the upper edge, because initially all regions are equal.
    position = points[0] + (index + 1) / 6 * (points[1] - points[0])
    if np.isfinite(position).all():
        _draw_number(levels, index + 1, position.clip(low, high), scale, value)
    down, across = output
    corner = np.array([across.start, down.start]) + NUMBER_SIZE * scale / 2
    _draw_number(levels, index + 1, corner, scale, value)


def _draw_number(levels: Overlay, number: int, centre: Floats, scale: float, value: int) -> None:
    """Draw a number with a black outline; `centre` is (x, y) on the sheet."""
    x, y = centre.tolist()
    for width, level in ((2 * scale, BLACK), (0.0, value)):
        mask = Image.new("L", levels.shape[::-1])
        ImageDraw.Draw(mask).text(
            (x, y), str(number), 255, font(NUMBER_SIZE * scale), "mm", stroke_width=width
        )
        levels[np.asarray(mask) > 127] = level


def _disc(x: Floats, y: Floats) -> Floats:
    """Return the distance from the centre in the metric whose circles are discs."""
    return np.asarray(np.hypot(x, y))


def _square(x: Floats, y: Floats) -> Floats:
    """Return the distance in the metric whose circles are squares."""
    return np.maximum(np.abs(x), np.abs(y))


def _arrow(direction: Floats) -> ShapeFunction:
    """Return the distance whose circles are triangles that point in a direction (x, y)."""

    def distance(x: Floats, y: Floats) -> Floats:
        along = x * direction[0] + y * direction[1]
        across = np.abs(x * direction[1] - y * direction[0])
        return np.asarray(np.maximum(-along, (along + 2 * across) * 0.75))

    return distance


def _draw_mark(
    levels: Overlay,
    centre: Floats,
    shape: ShapeFunction,
    scale: float,
    fill: int,
    *,
    radius: float = DOT_RADIUS,
    outline: float = OUTLINE,
) -> None:
    """Draw a mark with a black outline; `centre` is (x, y) on the sheet."""
    half_side = int(np.ceil(2 * (radius + outline) * scale))
    left, top = (np.floor(centre).astype(int) - half_side).tolist()
    rows = slice(max(top, 0), max(top + 2 * half_side + 1, 0))
    columns = slice(max(left, 0), max(left + 2 * half_side + 1, 0))
    area = levels[rows, columns]
    down, across = np.indices(area.shape) + 0.5
    distance = shape(across + columns.start - centre[0], down + rows.start - centre[1])
    area[distance <= (radius + outline) * scale] = BLACK
    area[distance <= radius * scale] = fill


def _draw_prediction(levels: Overlay, frame: Frame, probe: int, row: int, layout: Layout) -> None:
    """Draw the prediction of a network without transformers in the place of an output."""
    area = levels[layout.output_box(row)]
    height, width = area.shape
    if frame.info["predicted"][probe] is None:
        return
    predicted = np.atleast_1d(frame.info["predicted"][probe]).tolist()
    name = "".join(frame.info["classes"][index] for index in predicted)
    probability = frame.tensors["probabilities"][probe].max(axis=-1).prod()
    scale = layout.scale
    draw_text(area, name, (width / 2, height / 2 - 4 * scale), 30 * scale, width=width)
    draw_text(
        area, f"{probability:.0%}", (width / 2, height / 2 + 24 * scale), 12 * scale, ink=MUTED
    )


def draw_footer(levels: Overlay, counter: str, details: str, layout: HasFooter) -> None:
    """Draw a counter such as `3/10` with a fixed position of the slash, and details beside it.

    A counter without a slash is drawn in the middle.
    """
    area = levels[-layout.footer :]
    height, width = area.shape
    size, small = 15 * layout.scale, 12 * layout.scale
    slash, digits = font(size).getlength("/"), font(size).getlength("10")
    x, y = width / 2, height / 2
    if details:
        space = 10 * layout.scale
        x -= (font(small).getlength(details) + space) / 2
        start = x + slash / 2 + digits + space
        draw_text(area, details, (start, y), small, ink=MUTED, anchor="lm")
    done, slash_text, total = counter.partition("/")
    if not slash_text:
        draw_text(area, counter, (x, y), size)
        return
    draw_text(area, done, (x - slash / 2, y), size, anchor="rm")
    draw_text(area, f"/{total}", (x - slash / 2, y), size, anchor="lm")


def draw_captions(levels: Overlay, layout: Layout) -> None:
    """Draw the names of the columns in the footer."""
    area = levels[-layout.footer :]
    boxes = [("in", layout.input_box(0)[1])]
    boxes += [("out", layout.output_box(0, index)[1]) for index in range(len(layout.outputs))]
    for text, box in boxes:
        draw_text(area, text, ((box.start + box.stop) / 2, len(area) / 2), 15 * layout.scale)


@cache
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's default font in a size."""
    return ImageFont.load_default(size)


def draw_text(
    levels: Overlay,
    text: str,
    position: tuple[float, float],
    size: float,
    *,
    ink: int = INK,
    anchor: str = "mm",
    width: float = np.inf,
) -> None:
    """Draw antialiased text with the levels `SHADES`, in a smaller size if it is too wide."""
    length = font(size).getlength(text)
    if length > width:
        size = max(6.0, size * width / length)
    mask = Image.new("L", levels.shape[::-1])
    ImageDraw.Draw(mask).text(position, text, fill=255, font=font(size), anchor=anchor)
    opacity = np.asarray(mask) * ((BACKGROUND - ink) / (BACKGROUND - INK) / 255)
    shade = np.rint(opacity * (len(SHADES) - 1)).astype(int)
    np.copyto(levels, np.array(SHADES, dtype=np.int16)[shade], where=shade > 0)
