"""Draw the probes of a frame as the page's stage shows them, with charts beside them.

Each tile has the input with its regions, the outputs, and a caption. Colours and proportions are
those of the page. As in `sheet`, images and overlay are two layers.

(H, W) size in pixels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.control_points import control_points
from stnscope.backend.experiment.export.inverse_warp import inverse_warp
from stnscope.backend.experiment.frames.frame import Frame

GAP = 10
IMAGE_GAP = 4
CAPTION = 20
TEXT = 12
MARK = 8
MARGIN_SHARE = 6
"""An input's margin is its longer side by this."""
CHART_WIDTH, CHART_GAP = 240, 16
CHART_HEIGHT = 120
HALO, LINE, NUMBERED_LINE = 3.0, 1.25, 1.75
"""Widths: below a line, of one, and of one of several transformers' outlines."""
DASHES = ((), (6.0, 3.0), (2.0, 2.5), (8.0, 2.5, 2.0, 2.5))
"""Lengths of dashes and gaps of each transformer's outline."""
MESH_OPACITY = 0.75
"""Opacity of the mesh, which inverts what it covers, so that it is visible on any image."""

TRAIL = sheet.TRAIL
CONTROL_COLOUR = sheet.THIRD
"""Colour of control points."""
MARGIN_LEVEL, CURSOR_LEVEL, MESH_LEVEL = sheet.SHADES[1], sheet.SHADES[6], sheet.SHADES[7]
"""Grey levels of the margin around an input, of the cursor, and of the mesh in the margin."""
COLOURS = (sheet.WHITE, sheet.SECOND, sheet.THIRD, sheet.FOURTH)
"""Colour of each transformer's lines."""
FAR = 8
"""Lines to points that are further outside than so many inputs end there."""

Point = tuple[float, float]

CornerTrails = Mapping[str, Sequence[NDArray[np.float64]]]
"""Corners (N, 4, 2) of each frame of a trail, the earliest first, by transformer."""


@dataclass(frozen=True)
class Chart:
    """A metric over steps."""

    title: str
    steps: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True)
class StageLayout:
    """Positions on the picture, in pixels."""

    scale: float
    input: tuple[int, int]
    """(height, width) of an input."""
    outputs: tuple[tuple[int, int], ...]
    """(height, width) of each output."""
    margin: int
    """Around an input, for corners outside the image."""
    count: int
    columns: int
    layers: frozenset[str]
    charts: tuple[Chart, ...] = ()

    @property
    def gap(self) -> int:
        return round(GAP * self.scale)

    @property
    def footer(self) -> int:
        return round(sheet.FOOTER * self.scale)

    @property
    def tile(self) -> tuple[int, int]:
        """(height, width) of a tile."""
        height = max(self.input[0] + 2 * self.margin, *(output[0] for output in self.outputs), 0)
        width = self.input[1] + 2 * self.margin
        width += sum(output[1] + round(IMAGE_GAP * self.scale) for output in self.outputs)
        return height + round(CAPTION * self.scale), width

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def tiles_width(self) -> int:
        return self.columns * (self.tile[1] + self.gap) + self.gap

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the picture."""
        width = self.tiles_width
        height = self.rows * (self.tile[0] + self.gap) + self.gap
        if self.charts:
            width += round((CHART_WIDTH + CHART_GAP) * self.scale)
            needed = len(self.charts) * (CHART_HEIGHT + CHART_GAP) + CHART_GAP
            height = max(height, round(needed * self.scale))
        return width, height + self.footer

    def origin(self, position: int) -> tuple[int, int]:
        """Return (left, top) of a tile."""
        row, column = divmod(position, self.columns)
        left = self.gap + column * (self.tile[1] + self.gap)
        return left, self.gap + row * (self.tile[0] + self.gap)

    def input_box(self, position: int) -> sheet.Box:
        """Return the box of a tile's input."""
        left, top = self.origin(position)
        height = self.tile[0] - round(CAPTION * self.scale)
        top += (height - self.input[0]) // 2
        left += self.margin
        return slice(top, top + self.input[0]), slice(left, left + self.input[1])

    def margin_box(self, position: int) -> sheet.Box:
        """Return the box of a tile's input with its margin."""
        rows, columns = self.input_box(position)
        return (
            slice(rows.start - self.margin, rows.stop + self.margin),
            slice(columns.start - self.margin, columns.stop + self.margin),
        )

    def output_box(self, position: int, index: int = 0) -> sheet.Box:
        """Return the box of a tile's output of the transformer with an index."""
        left, top = self.origin(position)
        gap = round(IMAGE_GAP * self.scale)
        left += self.input[1] + 2 * self.margin + gap
        left += sum(output[1] + gap for output in self.outputs[:index])
        size = self.outputs[index]
        top += (self.tile[0] - round(CAPTION * self.scale) - size[0]) // 2
        return slice(top, top + size[0]), slice(left, left + size[1])


def compute_layout(
    frame: Frame,
    count: int,
    scale: float,
    side: int,
    layers: frozenset[str],
    charts: tuple[Chart, ...],
) -> StageLayout:
    """Compute the layout for frames with the same shapes as `frame`.

    Args:
        frame: a frame with its input.
        count: number of probes.
        scale: of the picture.
        side: longer side of an image at scale 1, in pixels.
        layers: names of what is drawn of regions.
        charts: what is drawn beside the probes.
    """
    longest = side * scale
    images = [frame.tensors["input"], *(frame.tensors[f"output.{n}"] for n in frame.transformers)]
    input_size, *output_sizes = (
        sheet.fit(image.shape[1], image.shape[2], longest) for image in images
    )
    one = StageLayout(
        scale,
        input_size,
        tuple(output_sizes),
        round(longest / MARGIN_SHARE),
        count,
        1,
        layers,
        charts,
    )
    height, width = one.tile
    columns = min(count, max(1, round(math.sqrt(count * sheet.ASPECT_RATIO * height / width))))
    columns = -(-count // -(-count // columns))
    return StageLayout(scale, one.input, one.outputs, one.margin, count, columns, layers, charts)


def draw_images(
    frame: Frame, probes: Sequence[int], layout: StageLayout, is_grey: bool
) -> sheet.Pixels:
    """Return the images, (H, W) if `is_grey`, else (H, W, 3); probes not in the frame are blank."""
    width, height = layout.size
    shape = (height, width) if is_grey else (height, width, 3)
    pixels = np.full(shape, sheet.BACKGROUND, np.uint8)
    for position, probe in enumerate(probes):
        if probe >= len(frame.tensors["input"]):
            continue
        image = frame.tensors["input"][probe]
        if "inverse" in layout.layers and frame.transformers:
            outputs = [
                (frame.tensors[f"output.{name}"][probe], frame.tensors[f"grid.{name}"][probe])
                for name in frame.transformers
            ]
            image = inverse_warp(image, outputs)
        pixels[layout.input_box(position)] = sheet.resize(image, layout.input, is_grey)
        for index, name in enumerate(frame.transformers):
            output = frame.tensors[f"output.{name}"][probe]
            box = layout.output_box(position, index)
            pixels[box] = sheet.resize(output, layout.outputs[index], is_grey)
        if "mesh" in layout.layers:
            box = layout.input_box(position)
            covered = _draw_mesh(Image.new("1", layout.input[::-1]), frame, probe, layout, 0) > 0
            shown = pixels[box][covered]
            inverted = (1 - MESH_OPACITY) * shown + MESH_OPACITY * (255.0 - shown)
            pixels[box][covered] = np.rint(inverted).astype(np.uint8)
    return pixels


def draw_overlay(
    frame: Frame, probes: Sequence[int], layout: StageLayout, trail: CornerTrails
) -> sheet.Overlay:
    """Return the overlay: (H, W) indices of `sheet.COLOURS`, `TRANSPARENT` where images are."""
    width, height = layout.size
    levels = np.full((height, width), sheet.BACKGROUND, np.int16)
    shown = [
        (each, probe) for each, probe in enumerate(probes) if probe < len(frame.tensors["input"])
    ]
    for position, probe in shown:
        for index in range(len(frame.transformers)):
            levels[layout.output_box(position, index)] = sheet.TRANSPARENT
        levels[layout.margin_box(position)] = _draw_regions(frame, position, probe, layout, trail)
    for position, probe in shown:
        for index, name in enumerate(frame.transformers):
            _draw_corners(levels, frame, name, position, probe, index, layout)
        _draw_caption(levels, frame, position, probe, layout)
    return levels


def draw_charts(levels: sheet.Overlay, layout: StageLayout, step: int) -> None:
    """Draw the charts with a cursor at a step."""
    scale = layout.scale
    left = layout.tiles_width + round(CHART_GAP * scale / 2)
    width, height = round(CHART_WIDTH * scale), round(CHART_HEIGHT * scale)
    for number, chart in enumerate(layout.charts):
        top = round(((CHART_HEIGHT + CHART_GAP) * number + CHART_GAP) * scale)
        area = levels[top : top + height, left : left + width]
        _draw_chart(area, chart, step, scale)


def _draw_chart(area: sheet.Overlay, chart: Chart, step: int, scale: float) -> None:
    height, width = area.shape
    top, bottom = round(18 * scale), height - round(2 * scale)
    low, high = min(chart.values), max(chart.values)
    first, last = chart.steps[0], max(chart.steps[-1], chart.steps[0] + 1)

    def x_of(at: int) -> float:
        share = min(1.0, max(0.0, (at - first) / (last - first)))
        return float((width - 1) * share)

    points = [
        (x_of(at), bottom - (bottom - top) * (value - low) / ((high - low) or 1.0))
        for at, value in zip(chart.steps, chart.values, strict=True)
    ]
    image = Image.fromarray(area.astype(np.int32))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, top, width - 1, bottom), outline=sheet.SHADES[3])
    draw.line([(x_of(step), top), (x_of(step), bottom)], CURSOR_LEVEL, max(1, round(scale)))
    if len(points) > 1:
        draw.line(points, sheet.CURVE, max(1, round(1.5 * scale)), joint="curve")
    area[:] = np.array(image, dtype=np.int16)
    value = next(
        (
            value
            for at, value in zip(reversed(chart.steps), reversed(chart.values), strict=True)
            if at <= step
        ),
        chart.values[0],
    )
    size, y = TEXT * scale, 8 * scale
    sheet.draw_text(area, chart.title, (0, y), size, anchor="lm")
    sheet.draw_text(area, f"{value:.3g}", (width - 1, y), size, anchor="rm", ink=sheet.MUTED)


def _points(
    array: NDArray[np.float64], frame: Frame, position: int, layout: StageLayout
) -> NDArray[np.float64]:
    """Return points (..., 2) of the input's pixels as points of the picture."""
    rows, columns = layout.input_box(position)
    height, width = frame.tensors["input"].shape[1:3]
    factors = np.array([layout.input[1] / width, layout.input[0] / height])
    return np.asarray(array * factors + [columns.start, rows.start])


def _limits(position: int, layout: StageLayout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points between which marks are drawn, (x, y) each."""
    rows, columns = layout.input_box(position)
    radius = (sheet.DOT_RADIUS + sheet.OUTLINE) * layout.scale
    low = np.array([columns.start, rows.start]) - layout.margin + radius
    return low, np.array([columns.stop, rows.stop]) + layout.margin - radius


def _lattice(frame: Frame, name: str, probe: int) -> NDArray[np.float64] | None:
    """Return a lattice (h, w, 2) of a region, the corners alone if it has none.

    None if they are not finite.
    """
    grid = frame.tensors.get(f"grid.{name}")
    if grid is None:
        corners = frame.tensors[f"corners.{name}"][probe]
        lattice = corners[[0, 1, 3, 2]].reshape(2, 2, 2)
    else:
        lattice = grid[probe]
    return lattice.astype(np.float64) if np.isfinite(lattice).all() else None


def _draw_regions(
    frame: Frame, position: int, probe: int, layout: StageLayout, trail: CornerTrails
) -> sheet.Overlay:
    """Return the overlay of an input and its margin, at whose edge lines end."""
    (height, width), margin = layout.input, layout.margin
    image = Image.new("I", (width + 2 * margin, height + 2 * margin), MARGIN_LEVEL)
    if "mesh" in layout.layers:
        _draw_mesh(image, frame, probe, layout, margin, MESH_LEVEL)
    draw = ImageDraw.Draw(image)
    # Above the image the mesh inverts its pixels, in `draw_images`.
    inner = (margin, margin, margin + width - 1, margin + height - 1)
    draw.rectangle(inner, sheet.TRANSPARENT)
    for index, name in enumerate(frame.transformers):
        if "trail" in layout.layers and len(trail.get(name, ())) > 1:
            corners = np.stack([each[position] for each in trail[name]])
            for corner in range(4):
                path = _path(corners[:, corner], frame, layout, margin)
                _draw_line(draw, [path], TRAIL, LINE, layout.scale)
        lattice = _lattice(frame, name, probe)
        if "outline" in layout.layers and lattice is not None:
            right, below, left = lattice[:, -1], lattice[-1, ::-1], lattice[::-1, 0]
            edge = np.concatenate([lattice[0], right[1:], below[1:], left[1:]])
            lengths = [each * layout.scale for each in DASHES[index % len(DASHES)]]
            dashes = dash(_path(edge, frame, layout, margin), lengths)
            line = LINE if len(frame.transformers) == 1 else NUMBERED_LINE
            _draw_line(draw, dashes, COLOURS[index % len(COLOURS)], line, layout.scale)
    return np.array(image, np.int16)


def _path(
    points: NDArray[np.float64], frame: Frame, layout: StageLayout, margin: int
) -> list[Point]:
    """Return points (M, 2) of the input's pixels on a picture of it with a margin, if finite."""
    if not np.isfinite(points).all():
        return []
    height, width = frame.tensors["input"].shape[1:3]
    placed = points * [layout.input[1] / width, layout.input[0] / height] + margin
    limit = FAR * max(layout.input)
    return [(float(x), float(y)) for x, y in placed.clip(-limit, limit)]


def _draw_line(
    draw: ImageDraw.ImageDraw, paths: Sequence[list[Point]], value: int, width: float, scale: float
) -> None:
    """Draw paths of one line, dark below light: it is seen on any ground."""
    for thickness, level in ((HALO, sheet.BLACK), (width, value)):
        for path in (each for each in paths if len(each) > 1):
            draw.line(path, level, max(1, round(thickness * scale)), joint="curve")


def dash(path: Sequence[Point], lengths: Sequence[float]) -> list[list[Point]]:
    """Divide a path into dashes, as `stroke-dasharray` of SVG does.

    Args:
        path: its points (x, y).
        lengths: of a dash, of the gap after it, and so on in turn; none for the whole path.
    """
    if not lengths or len(path) < 2:
        return [list(path)] if path else []
    dashes, left, number = [[path[0]]], lengths[0], 0
    for (x, y), (to_x, to_y) in pairwise(path):
        distance, done = math.hypot(to_x - x, to_y - y), 0.0
        while distance - done > left:
            done += left
            point = x + (to_x - x) * done / distance, y + (to_y - y) * done / distance
            number += 1
            left = lengths[number % len(lengths)]
            if number % 2:
                dashes[-1].append(point)
            else:
                dashes.append([point])
        left -= distance - done
        if number % 2 == 0:
            dashes[-1].append((to_x, to_y))
    return dashes


def _draw_mesh(
    image: Image.Image, frame: Frame, probe: int, layout: StageLayout, margin: int, value: int = 1
) -> NDArray[np.int32]:
    """Draw lattices' inner lines on a picture of an input and a margin; return its values."""
    draw = ImageDraw.Draw(image)
    for name in frame.transformers:
        lattice = _lattice(frame, name, probe)
        if lattice is not None:
            for line in (*lattice[1:-1], *lattice.swapaxes(0, 1)[1:-1]):
                draw.line(_path(line, frame, layout, margin), value)
    return np.asarray(image, np.int32)


def _draw_corners(
    levels: sheet.Overlay,
    frame: Frame,
    name: str,
    position: int,
    probe: int,
    index: int,
    layout: StageLayout,
) -> None:
    low, high = _limits(position, layout)
    corners = frame.tensors[f"corners.{name}"][probe].astype(np.float64)
    points = _points(corners, frame, position, layout)
    if "dots" in layout.layers:
        sheet.draw_dots(levels, points, low, high, layout.scale, COLOURS[index % len(COLOURS)])
    if "mesh" in layout.layers:
        rows, columns = layout.margin_box(position)
        shown = _points(control_points(frame, index, probe), frame, position, layout)
        origin = np.array([columns.start, rows.start])
        sheet.draw_discs(levels[rows, columns], shown - origin, layout.scale, CONTROL_COLOUR)
    if len(frame.transformers) > 1:
        output = layout.output_box(position, index)
        value = COLOURS[index % len(COLOURS)]
        sheet.draw_numbers(levels, index, points, low, high, output, layout.scale, value)


def _draw_caption(
    levels: sheet.Overlay, frame: Frame, position: int, probe: int, layout: StageLayout
) -> None:
    """Draw the label, and the predicted class with its probability and whether it is right."""
    left, top = layout.origin(position)
    height, width = layout.tile
    caption = round(CAPTION * layout.scale)
    area = levels[top + height - caption : top + height, left : left + width]
    info, size, y = frame.info, TEXT * layout.scale, caption / 2
    classes, predicted = info["classes"], (info.get("predicted") or {})
    label = (info.get("labels") or [None] * (probe + 1))[probe]
    if label is not None:
        sheet.draw_text(
            area[:, : width // 2], _name(classes, label), (0, y), size, anchor="lm", width=width / 2
        )
    if not predicted or predicted[probe] is None:
        return
    text = _name(classes, predicted[probe])
    if (probabilities := frame.tensors.get("probabilities")) is not None:
        text += f" {probabilities[probe].max(axis=-1).prod():.0%}"
    half = area[:, width // 2 :]
    across = half.shape[1] - 1
    sheet.draw_text(
        half,
        text,
        (across, y),
        size,
        anchor="rm",
        width=across - 2 * MARK * layout.scale,
        ink=sheet.MUTED,
    )
    if label is not None:
        length = min(sheet.font(size).getlength(text), across - 2 * MARK * layout.scale)
        side, start = round(MARK * layout.scale), round(across - length - 1.5 * MARK * layout.scale)
        value = sheet.RIGHT if predicted[probe] == label else sheet.WRONG
        above = round(y - side / 2)
        half[above : above + side, start : start + side] = value


def _name(classes: Sequence[str], index: int | list[int]) -> str:
    return "".join(classes[each] for each in np.atleast_1d(index).tolist())
