"""What an export will be, before it is made: its first frame and its size, bytes about."""

import csv
import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stnscope.backend.experiment.export.animation import draw_frame
from stnscope.backend.experiment.export.apng import encode_apng
from stnscope.backend.experiment.export.figure import compute_figure
from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.frame_selection import select_all
from stnscope.backend.experiment.export.gif import encode_gif
from stnscope.backend.experiment.export.html import estimate_bytes, select_frames, shown_probes
from stnscope.backend.experiment.export.mp4 import encode_mp4, video_size
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FormatName,
    ReadableRecording,
)
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.png import sheet_size
from stnscope.backend.experiment.export.snapshot import Snapshot
from stnscope.backend.experiment.export.still import draw_png
from stnscope.backend.experiment.export.stored_run import keep_probes
from stnscope.backend.experiment.export.svg import encode_svg
from stnscope.backend.experiment.export.tables import write_csv
from stnscope.backend.experiment.export.webp import encode_webp

EXACT_FRAMES = 8
"""Up to so many frames the file itself is made, so that its size is exact."""


@dataclass(frozen=True)
class Sampling:
    """Which frames of an animation are encoded for an estimate."""

    parts: tuple[float, ...] = (1 / 6, 1 / 2, 5 / 6)
    """Positions in the animation, as fractions."""
    frames: int = 4
    """Number of successive frames at each of these positions."""
    begun: int = 1
    """How many of the first ones do not count: frames that begin a file have more bytes."""


SAMPLING = Sampling()
VIDEO_SAMPLING = Sampling(parts=(1 / 4, 3 / 4), frames=8, begun=4)
PAGE_SCALE = 1.5
"""Scale of the preview of a page."""
FEW, MANY = 4, 12
"""Frames of two files of numbers, between which bytes are taken to grow evenly."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """An export before it is made; what does not apply is None."""

    width: int | None = None
    """Pixels; of a PDF points of 1/72 inch."""
    height: int | None = None
    """Height in pixels, as `width`."""
    frames: int | None = None
    rows: int | None = None
    """Rows of a table, without that of names."""
    seconds: float | None = None
    bytes: int
    """An estimate, but of few frames exact."""
    image: str | None = None
    """The first frame, as a data URL."""


def preview(
    recording: ReadableRecording,
    options: ExportOptions,
    compared: ReadableRecording | None = None,
) -> Preview:
    """Return a preview of an export; arguments and errors as those of `export`."""
    snapshot = Snapshot(recording, compared)
    kind = FORMATS[options.format].kind
    if kind == "animation":
        return _preview_animation(snapshot, options)
    if options.format == "png":
        chosen = plan(snapshot, options)
        is_poster = options.still == "poster"
        width, height = chosen.size if is_poster else sheet_size(chosen)
        count = 1 if is_poster else len(chosen.frames)
        image = _image(snapshot, chosen, len(chosen.frames) - 1 if is_poster else 0)
        return Preview(
            width=width, height=height, frames=count, bytes=_write(snapshot, options), image=image
        )
    if kind == "still":
        figure, described = compute_figure(snapshot, options)
        image = _data_url("image/svg+xml", encode_svg(figure, described).encode())
        width, height = round(figure.width), round(figure.height)
        return Preview(
            width=width, height=height, frames=1, bytes=_write(snapshot, options), image=image
        )
    if options.format == "html":
        return _preview_page(snapshot, options)
    if options.format == "stnscope":
        return Preview(frames=len(snapshot.frames()), bytes=snapshot.path.stat().st_size)
    if options.format == "safetensors":
        return Preview(bytes=_write(snapshot, options))
    return _preview_numbers(snapshot, options)


def _preview_animation(snapshot: Snapshot, options: ExportOptions) -> Preview:
    chosen = plan(snapshot, options)
    width, height = video_size(chosen) if options.format == "mp4" else chosen.size
    return Preview(
        width=width,
        height=height,
        frames=len(chosen.frames),
        seconds=chosen.seconds,
        bytes=_estimate_animation(snapshot, chosen, options),
        image=_image(snapshot, chosen, 0),
    )


def _preview_page(snapshot: Snapshot, options: ExportOptions) -> Preview:
    """Return the preview of a page: a picture of its first probe, but no size, a window's."""
    keys = select_frames(snapshot, options)
    probes = shown_probes(snapshot, keys, options)
    first = snapshot.frame(*keys[0])
    image = draw_png(first if probes is None else keep_probes(first, probes), PAGE_SCALE)
    return Preview(
        frames=len(keys),
        bytes=estimate_bytes(snapshot, options),
        image=_data_url("image/png", image),
    )


def _preview_numbers(snapshot: Snapshot, options: ExportOptions) -> Preview:
    """Return the preview of a table, or of arrays."""
    if options.format == "csv" and options.table == "metrics":
        size, rows = _write_table(snapshot, options)
        return Preview(rows=rows, bytes=size)
    count = len(select_all(snapshot.frames(), options))
    size = _estimate_frames(snapshot, options, count)
    if options.format == "npz":
        return Preview(frames=count, bytes=size)
    _, rows = _write_table(snapshot, options.model_copy(update={"frames": 1}))
    return Preview(frames=count, rows=count * rows, bytes=size)


def _estimate_animation(snapshot: Snapshot, chosen: Plan, options: ExportOptions) -> int:
    """Return about how many bytes an animation has, from some frames in a row."""
    encode: Callable[[Plan], int] = lambda part: ENCODERS[options.format](snapshot, part, options)  # noqa: E731
    sampling = VIDEO_SAMPLING if options.format == "mp4" else SAMPLING
    count = len(chosen.frames)
    if count <= EXACT_FRAMES:
        return encode(chosen)
    first = encode(chosen.part(0, 1))
    further = 0
    for share in sampling.parts:
        start = min(int(share * count), count - sampling.frames)
        further += encode(chosen.part(start, sampling.frames))
        further -= encode(chosen.part(start, sampling.begun))
    sampled = len(sampling.parts) * (sampling.frames - sampling.begun)
    return first + round(further * (count - 1) / sampled)


def _mp4_bytes(snapshot: ReadableRecording, part: Plan, options: ExportOptions) -> int:
    # A file, because the encoder reads it again to put its index first.
    return _measure(lambda target: encode_mp4(snapshot, part, options, target))


ENCODERS: Mapping[FormatName, Callable[[ReadableRecording, Plan, ExportOptions], int]] = {
    "gif": lambda snapshot, part, options: len(encode_gif(snapshot, part, options)),
    "webp": lambda snapshot, part, _: len(encode_webp(snapshot, part)),
    "apng": lambda snapshot, part, options: len(encode_apng(snapshot, part, options)),
    "mp4": _mp4_bytes,
}
"""Return the bytes of an animation, by its form."""


def _estimate_frames(snapshot: Snapshot, options: ExportOptions, count: int) -> int:
    """Return about how many bytes a file of numbers has, from two with fewer frames."""
    if count <= MANY:
        return _write(snapshot, options)
    few, many = (
        _write(snapshot, options.model_copy(update={"frames": frames})) for frames in (FEW, MANY)
    )
    return few + round((many - few) * (count - FEW) / (MANY - FEW))


def _write(snapshot: Snapshot, options: ExportOptions) -> int:
    """Write the file to measure it; return its bytes."""
    return _measure(lambda target: FORMATS[options.format].write(snapshot, options, target, None))


def _write_table(snapshot: Snapshot, options: ExportOptions) -> tuple[int, int]:
    """Write a table to measure it; return its bytes, and its rows without that of names."""
    with tempfile.TemporaryDirectory(prefix="stnscope-preview-") as folder:
        target = Path(folder) / "file"
        write_csv(snapshot, options, target)
        with target.open(newline="", encoding="utf-8") as file:
            return target.stat().st_size, sum(1 for _ in csv.reader(file)) - 1


def _measure(write: Callable[[Path], object]) -> int:
    """Return how many bytes a function writes to a file."""
    with tempfile.TemporaryDirectory(prefix="stnscope-preview-") as folder:
        target = Path(folder) / "file"
        write(target)
        return target.stat().st_size


def _image(snapshot: Snapshot, chosen: Plan, number: int) -> str:
    return _data_url("image/png", draw_frame(snapshot, chosen, number).to_png())


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{b64encode(data).decode()}"
