"""Traffic signs drawn by the program: those of GTSRB that are made of shapes, figures and arrows.

Each is drawn once, on a square from (-1, -1) to (1, 1), y down, whose disc or polygon all but fills
it. Colours and shapes are those of the Vienna Convention as Germany has them.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

RED, BLUE, YELLOW = (190, 22, 34), (16, 80, 158), (250, 196, 0)
WHITE, BLACK, GREY = (245, 245, 242), (24, 24, 26), (120, 120, 122)
GREEN, AMBER = (0, 130, 70), (240, 150, 0)

FINER = 4
"""How many times finer it is drawn than it is kept, so that edges are smooth."""

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Board:
    """Where one sign is drawn.

    Args:
        side: of the picture in pixels.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self.image = Image.new("RGBA", (side * FINER, side * FINER))
        self.draw = ImageDraw.Draw(self.image)

    def _pixels(self, length: float) -> float:
        return length * self.side * FINER / 2

    def _at(self, points: Iterable[Point]) -> list[Point]:
        return [(self._pixels(x + 1), self._pixels(y + 1)) for x, y in points]

    def disc(self, radius: float, colour: Colour, middle: Point = (0.0, 0.0)) -> None:
        x, y = middle
        (left, top), (right, bottom) = self._at(
            [(x - radius, y - radius), (x + radius, y + radius)]
        )
        self.draw.ellipse((left, top, right, bottom), fill=colour)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon(self._at(points), fill=colour)

    def bar(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        left, top, right, bottom = box
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        at = self._at(points)
        thick = round(self._pixels(width))
        self.draw.line(at, fill=colour, width=thick, joint="curve")

    def text(self, words: str, height: float, colour: Colour, middle: Point = (0.0, 0.0)) -> None:
        font = ImageFont.load_default(self._pixels(height) * 1.38)
        ((x, y),) = self._at([middle])
        stroke = self._pixels(0.018)
        self.draw.text(
            (x, y), words, fill=colour, font=font, anchor="mm", stroke_width=stroke,
            stroke_fill=colour,
        )  # fmt: skip

    def arrow(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line that ends in a head."""
        (x, y), (from_x, from_y) = points[-1], points[-2]
        length = math.hypot(x - from_x, y - from_y)
        along = ((x - from_x) / length, (y - from_y) / length)
        head = 1.7 * width
        neck = (x - along[0] * head, y - along[1] * head)
        aside = (-along[1] * head, along[0] * head)
        self.line([*points[:-1], neck], width, colour)
        self.polygon(
            [
                (neck[0] + aside[0], neck[1] + aside[1]),
                (x, y),
                (neck[0] - aside[0], neck[1] - aside[1]),
            ],
            colour,
        )

    def pixels(self) -> NDArray[np.float32]:
        """The sign and how far it covers what is behind it, (side, side, 4) in [0, 1]."""
        small = self.image.resize((self.side, self.side), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32) / np.float32(255)


def _triangle(reach: float) -> list[Point]:
    """Upright, its middle where the eye has it."""
    return [
        (reach * math.sin(turn), 0.22 - reach * math.cos(turn))
        for turn in (0, 2 * math.pi / 3, 4 * math.pi / 3)
    ]


def _prohibition(board: Board) -> None:
    board.disc(0.98, RED)
    board.disc(0.72, WHITE)


def _end(board: Board) -> None:
    board.disc(0.98, GREY)
    board.disc(0.92, WHITE)


def _stripes(board: Board, colour: Colour = BLACK) -> None:
    for shift in (-0.24, -0.12, 0.0, 0.12, 0.24):
        board.line([(-0.5 + shift, 0.56), (0.5 + shift, -0.56)], 0.06, colour)


def _warning(board: Board) -> None:
    board.polygon(_triangle(1.16), RED)
    board.polygon(_triangle(0.82), WHITE)


def _mandatory(board: Board) -> None:
    board.disc(0.98, WHITE)
    board.disc(0.93, BLUE)


def _car(board: Board, middle: Point, colour: Colour) -> None:
    x, y = middle
    board.bar((x - 0.21, y - 0.05, x + 0.21, y + 0.15), colour)
    board.polygon(
        [(x - 0.17, y - 0.05), (x - 0.11, y - 0.21), (x + 0.11, y - 0.21), (x + 0.17, y - 0.05)],
        colour,
    )
    for wheel in (-0.15, 0.15):
        board.bar((x + wheel - 0.05, y + 0.15, x + wheel + 0.05, y + 0.24), colour)


def _limit(number: str) -> Callable[[Board], None]:
    def draw(board: Board) -> None:
        _prohibition(board)
        board.text(number, 0.62 if len(number) == 2 else 0.48, BLACK)

    return draw


def _end_of_80(board: Board) -> None:
    _end(board)
    board.text("80", 0.62, GREY)
    _stripes(board)


def _end_of_all(board: Board) -> None:
    _end(board)
    _stripes(board)


def _no_passing(board: Board) -> None:
    _prohibition(board)
    _car(board, (-0.29, 0.0), RED)
    _car(board, (0.29, 0.0), BLACK)


def _end_of_no_passing(board: Board) -> None:
    _end(board)
    _car(board, (-0.33, 0.0), GREY)
    _car(board, (0.33, 0.0), GREY)
    _stripes(board)


def _right_of_way(board: Board) -> None:
    _warning(board)
    board.arrow([(0.0, 0.55), (0.0, -0.42)], 0.15, BLACK)
    board.bar((-0.33, 0.17, 0.33, 0.26), BLACK)


def _priority(board: Board) -> None:
    for reach, colour in ((0.98, BLACK), (0.94, WHITE), (0.66, YELLOW)):
        board.polygon([(0, -reach), (reach, 0), (0, reach), (-reach, 0)], colour)


def _yield(board: Board) -> None:
    for reach, colour in ((1.16, RED), (0.76, WHITE)):
        board.polygon([(x, -y) for x, y in _triangle(reach)], colour)


def _stop(board: Board) -> None:
    for reach, colour in ((1.0, WHITE), (0.94, RED)):
        turns = [(2 * corner + 1) * math.pi / 8 for corner in range(8)]
        board.polygon([(reach * math.cos(t), reach * math.sin(t)) for t in turns], colour)
    board.text("STOP", 0.5, WHITE)


def _no_entry(board: Board) -> None:
    board.disc(0.98, RED)
    board.bar((-0.7, -0.17, 0.7, 0.17), WHITE)


def _caution(board: Board) -> None:
    _warning(board)
    board.polygon([(-0.1, -0.42), (0.1, -0.42), (0.055, 0.2), (-0.055, 0.2)], BLACK)
    board.disc(0.095, BLACK, (0.0, 0.38))


def _curve(direction: int) -> Callable[[Board], None]:
    def draw(board: Board) -> None:
        _warning(board)
        path = [(0.16, 0.55), (0.16, 0.2), (0.05, 0.03), (-0.1, -0.1), (-0.22, -0.3)]
        board.arrow([(direction * -x, y) for x, y in path], 0.14, BLACK)

    return draw


def _double_curve(board: Board) -> None:
    _warning(board)
    board.arrow(
        [(0.12, 0.56), (0.12, 0.4), (-0.12, 0.2), (-0.12, 0.06), (0.1, -0.14), (0.1, -0.36)],
        0.12,
        BLACK,
    )


def _bumps(board: Board) -> None:
    _warning(board)
    for middle in (-0.22, 0.22):
        arc = [
            (middle + 0.2 * math.cos(turn), 0.36 - 0.32 * math.sin(turn))
            for turn in np.linspace(0, math.pi, 13)
        ]
        board.polygon(arc, BLACK)
    board.bar((-0.5, 0.34, 0.5, 0.46), BLACK)


def _narrows(board: Board) -> None:
    _warning(board)
    board.line([(-0.17, 0.56), (-0.17, -0.26)], 0.13, BLACK)
    board.line([(0.3, 0.56), (0.3, 0.26), (0.12, 0.04), (0.12, -0.26)], 0.13, BLACK)


def _signals(board: Board) -> None:
    _warning(board)
    for place, colour in ((-0.22, RED), (0.1, AMBER), (0.42, GREEN)):
        board.disc(0.13, colour, (0.0, place))


def _snow(board: Board) -> None:
    _warning(board)
    for turn in (math.pi / 6, math.pi / 2, 5 * math.pi / 6):
        x, y = 0.38 * math.cos(turn), 0.38 * math.sin(turn)
        board.line([(-x, 0.18 - y), (x, 0.18 + y)], 0.08, BLACK)
        for end in (-1, 1):
            for lean in (-0.5, 0.5):
                tip = (end * x * 0.55, 0.18 + end * y * 0.55)
                away = turn + lean + (math.pi if end < 0 else 0)
                to = (tip[0] + 0.16 * math.cos(away), tip[1] + 0.16 * math.sin(away))
                board.line([tip, to], 0.06, BLACK)


def _ahead(*paths: Sequence[Point]) -> Callable[[Board], None]:
    def draw(board: Board) -> None:
        _mandatory(board)
        for path in paths:
            board.arrow(path, 0.19, WHITE)

    return draw


STRAIGHT = ((0.0, 0.62), (0.0, -0.66))
RIGHT = ((-0.24, 0.6), (-0.24, -0.08), (0.62, -0.08))
FORK = ((-0.16, 0.62), (-0.16, -0.62))
BRANCH = ((-0.16, 0.62), (-0.16, 0.22), (0.02, 0.08), (0.58, 0.08))


def _mirrored(path: Sequence[Point]) -> list[Point]:
    return [(-x, y) for x, y in path]


def _roundabout(board: Board) -> None:
    _mandatory(board)
    for part in range(3):
        start = part * 2 * math.pi / 3 - math.pi / 2
        turns = np.linspace(start, start + 1.75, 9)
        board.arrow([(0.46 * math.cos(t), 0.46 * math.sin(t)) for t in turns], 0.17, WHITE)


SIGNS: dict[int, Callable[[Board], None]] = {
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
"""How each is drawn, by its number in GTSRB."""


def sign(number: int, side: int) -> NDArray[np.float32]:
    """A sign by its number, (side, side, 4) in [0, 1]: its colour, and where it covers."""
    board = Board(side)
    SIGNS[number](board)
    return board.pixels()
