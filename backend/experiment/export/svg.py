"""Write a figure as SVG: shapes stay shapes, images keep their pixels."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from PIL import Image

from stnscope.backend.experiment.export.figure import (
    Colour,
    Dot,
    Figure,
    FigureImage,
    Line,
    Point,
    Shape,
    Text,
    compute_figure,
)
from stnscope.backend.experiment.export.metadata import Metadata
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording

FONT = "Helvetica, Arial, sans-serif"
OUTLINE = 0.35
"""Outline of a dot, as a share of its radius."""


def write_svg(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write a figure of one step; arguments and errors as those of `export`."""
    target.write_text(encode_svg(*compute_figure(recording, options)), encoding="utf-8")
    if progress is not None:
        progress(1, 1)


def encode_svg(figure: Figure, described: Metadata) -> str:
    """Return the text of the file."""
    width, height = (f"{side:.2f}" for side in (figure.width, figure.height))
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}">',
        f"<title>{escape(described.title)}</title>",
        f"<desc>{escape(described.text)}</desc>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(_element(shape) for shape in figure.shapes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _element(shape: Shape) -> str:
    match shape:
        case FigureImage(pixels, x, y, width, height):
            file = BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            data = b64encode(file.getvalue()).decode()
            return (
                f'<image x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
                'preserveAspectRatio="none" style="image-rendering:pixelated" '
                f'href="data:image/png;base64,{data}"/>'
            )
        case Line(points, colour, width, is_closed):
            name = "polygon" if is_closed else "polyline"
            return (
                f'<{name} points="{_points(points)}" fill="none" stroke="{_colour(colour)}" '
                f'stroke-width="{width:.2f}"/>'
            )
        case Dot((x, y), radius, fill, is_square):
            style = f'fill="{_colour(fill)}" stroke="#000" stroke-width="{OUTLINE * radius:.2f}"'
            if is_square:
                corner = f'x="{x - radius:.2f}" y="{y - radius:.2f}"'
                return (
                    f'<rect {corner} width="{2 * radius:.2f}" height="{2 * radius:.2f}" {style}/>'
                )
            return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" {style}/>'
        case Text(text, (x, y), size):
            return (
                f'<text x="{x:.2f}" y="{y:.2f}" font-family={quoteattr(FONT)} '
                f'font-size="{size:.2f}" text-anchor="middle">{escape(text)}</text>'
            )


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _colour(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
