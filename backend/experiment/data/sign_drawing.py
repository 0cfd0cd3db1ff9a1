"""Drawings of traffic signs: those of GTSRB's that consist of shapes, digits and arrows.

Each is drawn on a square from (-1, -1) to (1, 1), y down, which its disc or polygon nearly fills.
Colours and shapes follow the German version of the Vienna Convention on Road Signs and Signals.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

RED, BLUE, YELLOW = (190, 22, 34), (16, 80, 158), (250, 196, 0)
WHITE, BLACK, GREY = (245, 245, 242), (24, 24, 26), (120, 120, 122)
GREEN, AMBER = (0, 130, 70), (240, 150, 0)

SUPERSAMPLING = 4
"""Drawn pixels along each side of a pixel of the result, for smooth edges."""

Colour = tuple[int, int, int]
Point = tuple[float, float]


class SignCanvas:
    """A canvas for one sign.

    Args:
        side: side of the result in pixels.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self.image = Image.new("RGBA", (side * SUPERSAMPLING, side * SUPERSAMPLING))
        self.draw = ImageDraw.Draw(self.image)

    def _to_pixels(self, length: float) -> float:
        return length * self.side * SUPERSAMPLING / 2

    def _to_points(self, points: Iterable[Point]) -> list[Point]:
        return [(self._to_pixels(x + 1), self._to_pixels(y + 1)) for x, y in points]

    def disc(self, radius: float, colour: Colour, centre: Point = (0.0, 0.0)) -> None:
        x, y = centre
        (left, top), (right, bottom) = self._to_points(
            [(x - radius, y - radius), (x + radius, y + radius)]
        )
        self.draw.ellipse((left, top, right, bottom), fill=colour)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon(self._to_points(points), fill=colour)

    def bar(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        left, top, right, bottom = box
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        pixels = round(self._to_pixels(width))
        self.draw.line(self._to_points(points), fill=colour, width=pixels, joint="curve")

    def text(self, text: str, height: float, colour: Colour, centre: Point = (0.0, 0.0)) -> None:
        font = ImageFont.load_default(self._to_pixels(height) * 1.38)
        ((x, y),) = self._to_points([centre])
        stroke = self._to_pixels(0.018)
        self.draw.text(
            (x, y), text, fill=colour, font=font, anchor="mm", stroke_width=stroke,
            stroke_fill=colour,
        )  # fmt: skip

    def arrow(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line that ends in an arrowhead."""
        (x, y), (from_x, from_y) = points[-1], points[-2]
        length = math.hypot(x - from_x, y - from_y)
        along = ((x - from_x) / length, (y - from_y) / length)
        head = 1.7 * width
        neck = (x - along[0] * head, y - along[1] * head)
        normal = (-along[1] * head, along[0] * head)
        self.line([*points[:-1], neck], width, colour)
        self.polygon(
            [
                (neck[0] + normal[0], neck[1] + normal[1]),
                (x, y),
                (neck[0] - normal[0], neck[1] - normal[1]),
            ],
            colour,
        )

    def pixels(self) -> NDArray[np.float32]:
        """Return the drawing as RGBA, (side, side, 4) in [0, 1]."""
        resized = self.image.resize((self.side, self.side), Image.Resampling.BOX)
        return np.asarray(resized, dtype=np.float32) / np.float32(255)


def _triangle(radius: float) -> list[Point]:
    """Return an upright triangle, shifted down to look centred."""
    return [
        (radius * math.sin(angle), 0.22 - radius * math.cos(angle))
        for angle in (0, 2 * math.pi / 3, 4 * math.pi / 3)
    ]


def _prohibition(canvas: SignCanvas) -> None:
    canvas.disc(0.98, RED)
    canvas.disc(0.72, WHITE)


def _end(canvas: SignCanvas) -> None:
    canvas.disc(0.98, GREY)
    canvas.disc(0.92, WHITE)


def _stripes(canvas: SignCanvas, colour: Colour = BLACK) -> None:
    for shift in (-0.24, -0.12, 0.0, 0.12, 0.24):
        canvas.line([(-0.5 + shift, 0.56), (0.5 + shift, -0.56)], 0.06, colour)


def _warning(canvas: SignCanvas) -> None:
    canvas.polygon(_triangle(1.16), RED)
    canvas.polygon(_triangle(0.82), WHITE)


def _mandatory(canvas: SignCanvas) -> None:
    canvas.disc(0.98, WHITE)
    canvas.disc(0.93, BLUE)


def _car(canvas: SignCanvas, centre: Point, colour: Colour) -> None:
    x, y = centre
    canvas.bar((x - 0.21, y - 0.05, x + 0.21, y + 0.15), colour)
    canvas.polygon(
        [(x - 0.17, y - 0.05), (x - 0.11, y - 0.21), (x + 0.11, y - 0.21), (x + 0.17, y - 0.05)],
        colour,
    )
    for wheel in (-0.15, 0.15):
        canvas.bar((x + wheel - 0.05, y + 0.15, x + wheel + 0.05, y + 0.24), colour)


def _limit(number: str) -> Callable[[SignCanvas], None]:
    def draw(canvas: SignCanvas) -> None:
        _prohibition(canvas)
        canvas.text(number, 0.62 if len(number) == 2 else 0.48, BLACK)

    return draw


def _end_of_80(canvas: SignCanvas) -> None:
    _end(canvas)
    canvas.text("80", 0.62, GREY)
    _stripes(canvas)


def _end_of_all(canvas: SignCanvas) -> None:
    _end(canvas)
    _stripes(canvas)


def _no_passing(canvas: SignCanvas) -> None:
    _prohibition(canvas)
    _car(canvas, (-0.29, 0.0), RED)
    _car(canvas, (0.29, 0.0), BLACK)


def _end_of_no_passing(canvas: SignCanvas) -> None:
    _end(canvas)
    _car(canvas, (-0.33, 0.0), GREY)
    _car(canvas, (0.33, 0.0), GREY)
    _stripes(canvas)


def _right_of_way(canvas: SignCanvas) -> None:
    _warning(canvas)
    canvas.arrow([(0.0, 0.55), (0.0, -0.42)], 0.15, BLACK)
    canvas.bar((-0.33, 0.17, 0.33, 0.26), BLACK)


def _priority(canvas: SignCanvas) -> None:
    for radius, colour in ((0.98, BLACK), (0.94, WHITE), (0.66, YELLOW)):
        canvas.polygon([(0, -radius), (radius, 0), (0, radius), (-radius, 0)], colour)


def _yield(canvas: SignCanvas) -> None:
    for radius, colour in ((1.16, RED), (0.76, WHITE)):
        canvas.polygon([(x, -y) for x, y in _triangle(radius)], colour)


def _stop(canvas: SignCanvas) -> None:
    for radius, colour in ((1.0, WHITE), (0.94, RED)):
        angles = [(2 * corner + 1) * math.pi / 8 for corner in range(8)]
        canvas.polygon([(radius * math.cos(a), radius * math.sin(a)) for a in angles], colour)
    canvas.text("STOP", 0.5, WHITE)


def _no_entry(canvas: SignCanvas) -> None:
    canvas.disc(0.98, RED)
    canvas.bar((-0.7, -0.17, 0.7, 0.17), WHITE)


def _caution(canvas: SignCanvas) -> None:
    _warning(canvas)
    canvas.polygon([(-0.1, -0.42), (0.1, -0.42), (0.055, 0.2), (-0.055, 0.2)], BLACK)
    canvas.disc(0.095, BLACK, (0.0, 0.38))


def _curve(direction: int) -> Callable[[SignCanvas], None]:
    def draw(canvas: SignCanvas) -> None:
        _warning(canvas)
        path = [(0.16, 0.55), (0.16, 0.2), (0.05, 0.03), (-0.1, -0.1), (-0.22, -0.3)]
        canvas.arrow([(direction * -x, y) for x, y in path], 0.14, BLACK)

    return draw


def _double_curve(canvas: SignCanvas) -> None:
    _warning(canvas)
    canvas.arrow(
        [(0.12, 0.56), (0.12, 0.4), (-0.12, 0.2), (-0.12, 0.06), (0.1, -0.14), (0.1, -0.36)],
        0.12,
        BLACK,
    )


def _bumps(canvas: SignCanvas) -> None:
    _warning(canvas)
    for centre in (-0.22, 0.22):
        arc = [
            (centre + 0.2 * math.cos(angle), 0.36 - 0.32 * math.sin(angle))
            for angle in np.linspace(0, math.pi, 13)
        ]
        canvas.polygon(arc, BLACK)
    canvas.bar((-0.5, 0.34, 0.5, 0.46), BLACK)


def _narrows(canvas: SignCanvas) -> None:
    _warning(canvas)
    canvas.line([(-0.17, 0.56), (-0.17, -0.26)], 0.13, BLACK)
    canvas.line([(0.3, 0.56), (0.3, 0.26), (0.12, 0.04), (0.12, -0.26)], 0.13, BLACK)


def _signals(canvas: SignCanvas) -> None:
    _warning(canvas)
    for y, colour in ((-0.22, RED), (0.1, AMBER), (0.42, GREEN)):
        canvas.disc(0.13, colour, (0.0, y))


def _snow(canvas: SignCanvas) -> None:
    _warning(canvas)
    for angle in (math.pi / 6, math.pi / 2, 5 * math.pi / 6):
        x, y = 0.38 * math.cos(angle), 0.38 * math.sin(angle)
        canvas.line([(-x, 0.18 - y), (x, 0.18 + y)], 0.08, BLACK)
        for side in (-1, 1):
            for tilt in (-0.5, 0.5):
                start = (side * x * 0.55, 0.18 + side * y * 0.55)
                direction = angle + tilt + (math.pi if side < 0 else 0)
                end = (start[0] + 0.16 * math.cos(direction), start[1] + 0.16 * math.sin(direction))
                canvas.line([start, end], 0.06, BLACK)


def _ahead(*paths: Sequence[Point]) -> Callable[[SignCanvas], None]:
    def draw(canvas: SignCanvas) -> None:
        _mandatory(canvas)
        for path in paths:
            canvas.arrow(path, 0.19, WHITE)

    return draw


STRAIGHT = ((0.0, 0.62), (0.0, -0.66))
RIGHT = ((-0.24, 0.6), (-0.24, -0.08), (0.62, -0.08))
FORK = ((-0.16, 0.62), (-0.16, -0.62))
BRANCH = ((-0.16, 0.62), (-0.16, 0.22), (0.02, 0.08), (0.58, 0.08))


def _mirrored(path: Sequence[Point]) -> list[Point]:
    return [(-x, y) for x, y in path]


def _roundabout(canvas: SignCanvas) -> None:
    _mandatory(canvas)
    for arrow in range(3):
        start = arrow * 2 * math.pi / 3 - math.pi / 2
        angles = np.linspace(start, start + 1.75, 9)
        canvas.arrow([(0.46 * math.cos(a), 0.46 * math.sin(a)) for a in angles], 0.17, WHITE)


DRAWINGS: dict[int, Callable[[SignCanvas], None]] = {
    0: _limit("20"),
    1: _limit("30"),
    2: _limit("50"),
    3: _limit("60"),
    4: _limit("70"),
    5: _limit("80"),
    6: _end_of_80,
    7: _limit("100"),
    8: _limit("120"),
    9: _no_passing,
    11: _right_of_way,
    12: _priority,
    13: _yield,
    14: _stop,
    15: _prohibition,
    17: _no_entry,
    18: _caution,
    19: _curve(-1),
    20: _curve(1),
    21: _double_curve,
    22: _bumps,
    24: _narrows,
    26: _signals,
    30: _snow,
    32: _end_of_all,
    33: _ahead(RIGHT),
    34: _ahead(_mirrored(RIGHT)),
    35: _ahead(STRAIGHT),
    36: _ahead(FORK, BRANCH),
    37: _ahead(_mirrored(FORK), _mirrored(BRANCH)),
    38: _ahead(((-0.42, -0.46), (0.46, 0.46))),
    39: _ahead(((0.42, -0.46), (-0.46, 0.46))),
    40: _roundabout,
    41: _end_of_no_passing,
}
"""The function that draws each sign, by its class number in GTSRB."""


def draw_sign(number: int, side: int) -> NDArray[np.float32]:
    """Draw the sign of a class number in GTSRB, RGBA (side, side, 4) in [0, 1]."""
    canvas = SignCanvas(side)
    DRAWINGS[number](canvas)
    return canvas.pixels()
