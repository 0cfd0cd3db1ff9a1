"""A figure for papers as shapes, from which SVG and PDF are written.

Each probe has a row: its input, the sampling grid over it, and the output, of each transformer.
Lines, dots and text are shapes; images are embedded with their own pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.export import frame_selection, sheet
from stnscope.backend.experiment.export.control_points import control_points
from stnscope.backend.experiment.export.metadata import Metadata, describe
from stnscope.backend.experiment.export.options import ExportOptions, ReadableRecording
from stnscope.backend.experiment.export.plan import select_probes
from stnscope.backend.experiment.frames.frame import Frame

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Point = tuple[float, float]
Colour = tuple[int, int, int]

IMAGE = 96.0
"""Longer side of an image, in points at scale 1."""
GAP = 14.0
HEADING = 18.0
CAPTION = 18.0
MARGIN = 8.0
DOT = 2.4
CONTROL = 1.4
BEYOND = 7.0
"""How far lines go beyond an image."""
LINE = 0.5
TEXT = 8.0
GRID = (31, 119, 180)
CONTROL_COLOUR = (94, 200, 255)
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class FigureImage:
    """An image, not smoothed."""

    pixels: Pixels
    """(h, w) or (h, w, 3)."""
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """A line through points, or a polygon."""

    points: Sequence[Point]
    colour: Colour
    width: float
    is_closed: bool = False


@dataclass(frozen=True)
class Dot:
    """An outlined disc or, for the first corner, a square."""

    centre: Point
    radius: float
    fill: Colour
    is_square: bool = False


@dataclass(frozen=True)
class Text:
    """A text; `position` is the middle of its baseline."""

    text: str
    position: Point
    size: float


Shape = FigureImage | Line | Dot | Text


@dataclass(frozen=True)
class Figure:
    """Shapes on a white page, lengths in points, y down."""

    width: float
    height: float
    shapes: list[Shape]


def compute_figure(recording: ReadableRecording, options: ExportOptions) -> tuple[Figure, Metadata]:
    """Return the figure of one step, the last of the options' range, and its provenance.

    Raises:
        Conflict: nothing is recorded yet.
        InvalidInput: an option does not fit the run; has the field.
    """
    key = frame_selection.select_range(recording.frames(), options)[-1]
    frame = recording.frame(*key)
    probes = select_probes(options, len(frame.tensors["input"]))
    scale = options.scale if options.width is None else None
    figure = draw_figure(frame, probes, scale, options.width)
    return figure, describe(recording.summary(), None, options, f"step {key.step}")


def draw_figure(
    frame: Frame, probes: Sequence[int], scale: float | None, width: float | None = None
) -> Figure:
    """Return the figure of a frame.

    Args:
        frame: with its input.
        probes: indices, one for each row.
        scale: of the figure; None with `width`.
        width: of the figure in points.
    """
    columns = 1 + 2 * len(frame.transformers)
    full = 2 * MARGIN + columns * IMAGE + (columns - 1) * GAP
    factor = width / full if width is not None else scale or 1.0
    shapes: list[Shape] = []
    headings = ["input", *(["grid", "output"] * len(frame.transformers))]
    for column, heading in enumerate(headings):
        x = MARGIN + column * (IMAGE + GAP) + IMAGE / 2
        shapes.append(Text(heading, (x, MARGIN + TEXT), TEXT))
    for row, probe in enumerate(probes):
        shapes += _row(frame, probe, MARGIN + HEADING + row * (IMAGE + CAPTION + GAP / 2))
    height = MARGIN + HEADING + len(probes) * (IMAGE + CAPTION + GAP / 2) - GAP / 2 + MARGIN
    return Figure(full * factor, height * factor, [_scaled(shape, factor) for shape in shapes])


def _row(frame: Frame, probe: int, top: float) -> list[Shape]:
    image = frame.tensors["input"][probe]
    shapes: list[Shape] = [_picture(image, MARGIN, top)]
    for index, name in enumerate(frame.transformers):
        left = MARGIN + (1 + 2 * index) * (IMAGE + GAP)
        placed = _picture(image, left, top)
        shapes += [placed, *_region(frame, index, probe, placed)]
        shapes.append(_picture(frame.tensors[f"output.{name}"][probe], left + IMAGE + GAP, top))
    if caption := _caption(frame, probe):
        width = IMAGE + len(frame.transformers) * 2 * (IMAGE + GAP)
        shapes.append(Text(caption, (MARGIN + width / 2, top + IMAGE + BEYOND + TEXT), TEXT))
    return shapes


def _picture(image: Pixels, left: float, top: float) -> FigureImage:
    height, width = image.shape[:2]
    factor = IMAGE / max(height, width)
    size = width * factor, height * factor
    pixels = image[..., 0] if image.shape[2] == 1 else image
    return FigureImage(pixels, left + (IMAGE - size[0]) / 2, top + (IMAGE - size[1]) / 2, *size)


def _region(frame: Frame, index: int, probe: int, placed: FigureImage) -> list[Shape]:
    """Return a region above an image: its lattice, corners and control points.

    Lines end a little beyond the image, and corners further out are at that edge. Nothing is
    returned if not all corners are finite.
    """
    name = frame.transformers[index]
    height, width = frame.tensors["input"].shape[1:3]
    factor = np.array([placed.width / width, placed.height / height])
    origin = np.array([placed.x, placed.y])
    corners = frame.tensors[f"corners.{name}"][probe] * factor + origin
    if not np.isfinite(corners).all():
        return []
    lines: list[NDArray[np.float64]] = []
    if (grid := frame.tensors.get(f"grid.{name}")) is not None and np.isfinite(grid[probe]).all():
        lattice = grid[probe] * factor + origin
        lines = [*lattice, *lattice.swapaxes(0, 1)]
        edge = [*lattice[0], *lattice[1:, -1], *lattice[-1, -2::-1], *lattice[-2:0:-1, 0]]
    else:
        edge = list(corners)
    low = origin - BEYOND
    high = origin + np.array([placed.width, placed.height]) + BEYOND
    shapes: list[Shape] = []
    for line in lines:
        shapes += [Line(part, GRID, LINE) for part in clip(_points(line), low, high)]
    shapes += _outline(_points(edge), low, high)
    for number, corner in enumerate(_points(corners.clip(low, high))):
        fill = sheet.FIRST_COLOUR if number == 0 else WHITE
        shapes.append(Dot(corner, DOT, fill, is_square=number == 0))
    controls = control_points(frame, index, probe) * factor + origin
    inside = ((controls >= low) & (controls <= high)).all(axis=1)
    return shapes + [Dot(point, CONTROL, CONTROL_COLOUR) for point in _points(controls[inside])]


def _outline(edge: list[Point], low: Floats, high: Floats) -> list[Shape]:
    """Return an outline as a polygon or, where it leaves the box, as the lines inside."""
    parts = clip([*edge, edge[0]], low, high)
    if len(parts) == 1 and parts[0] == [*edge, edge[0]]:
        return [Line(edge, GRID, 2 * LINE, is_closed=True)]
    return [Line(part, GRID, 2 * LINE) for part in parts]


def clip(line: Sequence[Point], low: Floats, high: Floats) -> list[list[Point]]:
    """Return the parts of a line that are in a box, by the method of Liang and Barsky, 1984.

    Args:
        line: its points (x, y).
        low: least x and y of the box.
        high: largest x and y.
    """
    parts: list[list[Point]] = []
    for start, end in pairwise(line):
        first, last = np.array(start), np.array(end)
        direction = last - first
        with np.errstate(divide="ignore", invalid="ignore"):
            sides = np.sort(np.array([low - first, high - first]) / direction, axis=0)
        inside = (first >= low) & (first <= high)
        # Parallel to two sides, it is between them everywhere or nowhere.
        enter = np.where(direction == 0, np.where(inside, 0.0, np.inf), sides[0]).max()
        leave = np.where(direction == 0, 1.0, sides[1]).min()
        enter, leave = max(0.0, float(enter)), min(1.0, float(leave))
        if enter >= leave:
            continue
        begin = start if enter == 0 else _points([first + enter * direction])[0]
        finish = end if leave == 1 else _points([first + leave * direction])[0]
        if parts and parts[-1][-1] == begin:
            parts[-1].append(finish)
        else:
            parts.append([begin, finish])
    return parts


def _points(array: Sequence[NDArray[np.float64]] | NDArray[np.float64]) -> list[Point]:
    return [(float(x), float(y)) for x, y in array]


def _caption(frame: Frame, probe: int) -> str:
    info = frame.info
    classes, predicted = info["classes"], info["predicted"]
    parts = []
    labels = info.get("labels")
    if labels and labels[probe] is not None:
        parts.append(f"label {_name(classes, labels[probe])}")
    if predicted and predicted[probe] is not None:
        parts.append(f"predicted {_name(classes, predicted[probe])}")
        if (probabilities := frame.tensors.get("probabilities")) is not None:
            parts[-1] += f" ({probabilities[probe].max(axis=-1).prod():.0%})"
    return ", ".join(parts)


def _name(classes: Sequence[str], index: int | list[int]) -> str:
    return "".join(classes[each] for each in np.atleast_1d(index).tolist())


def _scaled(shape: Shape, factor: float) -> Shape:
    match shape:
        case FigureImage(pixels, x, y, width, height):
            return FigureImage(pixels, x * factor, y * factor, width * factor, height * factor)
        case Line(points, colour, width, is_closed):
            scaled = [(x * factor, y * factor) for x, y in points]
            return Line(scaled, colour, width * factor, is_closed)
        case Dot((x, y), radius, fill, is_square):
            return Dot((x * factor, y * factor), radius * factor, fill, is_square)
        case Text(text, (x, y), size):
            return Text(text, (x * factor, y * factor), size * factor)
