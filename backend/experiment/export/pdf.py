"""Write a figure as PDF: shapes stay shapes, images keep their pixels, the font is embedded."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.figure import (
    Colour,
    Dot,
    Figure,
    FigureImage,
    Line,
    Shape,
    Text,
    compute_figure,
)
from stnscope.backend.experiment.export.metadata import Metadata
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.svg import OUTLINE

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

FONT = "Aileron"
"""Pillow's own, which is in the public domain."""
MIN_PIXELS = 480
"""Images are enlarged to about this, pixel by pixel: some viewers smooth what is smaller."""


def write_pdf(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write a figure of one step; arguments and errors as those of `export`."""
    target.write_bytes(encode_pdf(*compute_figure(recording, options)))
    if progress is not None:
        progress(1, 1)


def encode_pdf(figure: Figure, described: Metadata) -> bytes:
    """Return the bytes of the file: one page of the figure's size."""
    # Imported for a file, because the server imports this module.
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    _register_font()
    # A font of its own first: otherwise the file names one that it does not embed.
    canvas = Canvas(
        file,
        (figure.width, figure.height),
        pageCompression=1,
        invariant=1,
        initialFontName=FONT,  # type: ignore[arg-type]  # its types are wrong
    )
    canvas.setAuthor("stnscope")
    canvas.setTitle(described.title)
    canvas.setSubject(described.command)
    canvas.setKeywords(described.configuration)
    canvas.setCreator("stnscope")
    # As in the figure, y runs down.
    canvas.translate(0, figure.height)
    canvas.scale(1, -1)
    for shape in figure.shapes:
        _draw(canvas, shape)
    canvas.save()
    return file.getvalue()


def _register_font() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if FONT not in pdfmetrics.getRegisteredFontNames():
        data = getattr(sheet.font(10.0), "font_bytes")  # noqa: B009
        pdfmetrics.registerFont(TTFont(FONT, BytesIO(data)))


def _draw(canvas: "Canvas", shape: Shape) -> None:
    from reportlab.lib.utils import ImageReader

    match shape:
        case FigureImage(pixels, x, y, width, height):
            times = max(1, -(-MIN_PIXELS // max(pixels.shape[:2])))
            enlarged = pixels.repeat(times, axis=0).repeat(times, axis=1)
            # The canvas draws upwards.
            image = ImageReader(Image.fromarray(np.ascontiguousarray(enlarged[::-1])))
            canvas.drawImage(image, x, y, width, height)
        case Line(points, colour, width, is_closed):
            path = canvas.beginPath()
            path.moveTo(*points[0])
            for point in points[1:]:
                path.lineTo(*point)
            if is_closed:
                path.close()
            canvas.setStrokeColorRGB(*_levels(colour))
            canvas.setLineWidth(width)
            canvas.drawPath(path)
        case Dot((x, y), radius, fill, is_square):
            canvas.setStrokeColorRGB(0, 0, 0)
            canvas.setFillColorRGB(*_levels(fill))
            canvas.setLineWidth(OUTLINE * radius)
            if is_square:
                canvas.rect(x - radius, y - radius, 2 * radius, 2 * radius, fill=1)
            else:
                canvas.circle(x, y, radius, fill=1)
        case Text(text, (x, y), size):
            canvas.saveState()
            canvas.translate(x, y)
            canvas.scale(1, -1)
            canvas.setFillColorRGB(0, 0, 0)
            canvas.setFont(FONT, size)
            canvas.drawCentredString(0, 0, text)
            canvas.restoreState()


def _levels(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
