"""What an export will be, before it is made: its first frame and its size, bytes about."""

import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stnscope.backend.experiment.export.animation import draw_frame
from stnscope.backend.experiment.export.apng import encode_apng
from stnscope.backend.experiment.export.cut import Cut
from stnscope.backend.experiment.export.figure import compute_figure
from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.frame_selection import select_all
from stnscope.backend.experiment.export.gif import encode_gif
from stnscope.backend.experiment.export.html import estimate_bytes, select_frames
from stnscope.backend.experiment.export.mp4 import encode_mp4, video_size
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FormatName,
    ReadableRecording,
)
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.png import sheet_size
from stnscope.backend.experiment.export.svg import encode_svg
from stnscope.backend.experiment.export.webp import encode_webp

EXACT_FRAMES = 8
"""Of so few frames the file is made, so that its size is exact."""
SAMPLES = (0.25, 0.75)
SAMPLED_FRAMES = 4
"""Where in an animation, and how many frames in a row, are encoded for an estimate."""
FEW, MANY = 4, 12
"""Frames of two files of numbers, between which bytes are taken to grow evenly."""


@dataclass(frozen=True)
class Preview:
    """An export before it is made; what does not apply is None."""

    width: int | None
    """Pixels."""
    height: int | None
    """Pixels."""
    frames: int | None
    seconds: float | None
    bytes: int
    """An estimate, but of few frames exact."""
    image: str | None
    """The first frame, as a data URL."""


def preview(
    recording: ReadableRecording,
    options: ExportOptions,
    compared: ReadableRecording | None = None,
) -> Preview:
    """Return a preview of an export; arguments and errors as those of `export`."""
    cut = Cut(recording, compared)
    kind = FORMATS[options.format].kind
    if kind == "animation":
        return _preview_animation(cut, options)
    if options.format == "png":
        chosen = plan(cut, options)
        size = chosen.size if options.still == "poster" else sheet_size(chosen)
        first = len(chosen.frames) - 1 if options.still == "poster" else 0
        count = 1 if options.still == "poster" else len(chosen.frames)
        return Preview(*size, count, None, _write(cut, options), _image(cut, chosen, first))
    if kind == "still":
        figure, described = compute_figure(cut, options)
        image = _data_url("image/svg+xml", encode_svg(figure, described).encode())
        size = round(figure.width), round(figure.height)
        return Preview(*size, 1, None, _write(cut, options), image)
    if options.format == "stnscope":
        return Preview(None, None, len(cut.frames()), None, cut.path.stat().st_size, None)
    if options.format == "safetensors" or options.table == "metrics":
        return Preview(None, None, None, None, _write(cut, options), None)
    if options.format == "html":
        count = len(select_frames(cut, options))
        return Preview(None, None, count, None, estimate_bytes(cut, options), None)
    count = len(select_all(cut.frames(), options))
    return Preview(None, None, count, None, _estimate_frames(cut, options, count), None)


def _preview_animation(cut: Cut, options: ExportOptions) -> Preview:
    chosen = plan(cut, options)
    width, height = video_size(chosen) if options.format == "mp4" else chosen.size
    size = _estimate_animation(cut, chosen, options)
    image = _image(cut, chosen, 0)
    return Preview(width, height, len(chosen.frames), chosen.seconds, size, image)


def _estimate_animation(cut: Cut, chosen: Plan, options: ExportOptions) -> int:
    """Return about how many bytes an animation has, from some frames in a row."""
    encode: Callable[[Plan], int] = lambda part: ENCODERS[options.format](cut, part, options)  # noqa: E731
    count = len(chosen.frames)
    if count <= EXACT_FRAMES:
        return encode(chosen)
    first = encode(chosen.part(0, 1))
    further = 0
    for share in SAMPLES:
        start = min(int(share * count), count - SAMPLED_FRAMES)
        further += encode(chosen.part(start, SAMPLED_FRAMES)) - encode(chosen.part(start, 1))
    return first + round(further * (count - 1) / (len(SAMPLES) * (SAMPLED_FRAMES - 1)))


def _mp4_bytes(cut: ReadableRecording, part: Plan, options: ExportOptions) -> int:
    # A file, because the encoder reads it again to put its index first.
    return _measure(lambda target: encode_mp4(cut, part, options, target))


ENCODERS: Mapping[FormatName, Callable[[ReadableRecording, Plan, ExportOptions], int]] = {
    "gif": lambda cut, part, options: len(encode_gif(cut, part, options)),
    "webp": lambda cut, part, _: len(encode_webp(cut, part)),
    "apng": lambda cut, part, options: len(encode_apng(cut, part, options)),
    "mp4": _mp4_bytes,
}
"""Return the bytes of an animation, by its form."""


def _estimate_frames(cut: Cut, options: ExportOptions, count: int) -> int:
    """Return about how many bytes a file of numbers has, from two with fewer frames."""
    if count <= MANY:
        return _write(cut, options)
    few, many = (
        _write(cut, options.model_copy(update={"frames": frames})) for frames in (FEW, MANY)
    )
    return few + round((many - few) * (count - FEW) / (MANY - FEW))


def _write(cut: Cut, options: ExportOptions) -> int:
    """Write the file to measure it; return its bytes."""
    return _measure(lambda target: FORMATS[options.format].write(cut, options, target, None))


def _measure(write: Callable[[Path], object]) -> int:
    """Return how many bytes a function writes to a file."""
    with tempfile.TemporaryDirectory(prefix="stnscope-preview-") as folder:
        target = Path(folder) / "file"
        write(target)
        return target.stat().st_size


def _image(cut: Cut, chosen: Plan, number: int) -> str:
    return _data_url("image/png", draw_frame(cut, chosen, number).to_png())


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{b64encode(data).decode()}"
