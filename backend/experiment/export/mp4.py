"""Write a video that plays everywhere: H.264 in MP4, yuv420p, an even size."""

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from math import ceil, gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.errors import NotInstalled
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import draw_frames
from stnscope.backend.experiment.export.metadata import describe
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FileInfo,
    Progress,
    ReadableRecording,
)
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.psnr import Psnr

if TYPE_CHECKING:
    from av import VideoCodecContext, VideoStream

Pixels = NDArray[np.uint8]

QUALITY = "18"
"""Constant rate factor of x264: no difference is seen."""
EFFORT = "veryfast"
MIN_FPS = 10
"""Some players do not play fewer frames a second; each is repeated instead."""
COLOUR_CODES = {"matrix": 6, "primaries": 1, "transfer": 13, "range": 1}
"""Codes of ITU-T H.273: BT.601, the primaries and transfer of sRGB, video levels."""
THREADS = 1
"""Threads of the encoder: one, so that trainers keep their cores."""


def write_mp4(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> FileInfo:
    """Write a video; arguments and errors as those of `export`.

    Raises:
        NotInstalled: PyAV, the encoder, is not installed.
    """
    return encode_mp4(recording, plan(recording, options), options, target, progress)


def encode_mp4(
    recording: ReadableRecording,
    chosen: Plan,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> FileInfo:
    """Write the video of a plan; return its error."""
    av = _import_av()
    rate, repeats = _rate(chosen)
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream("libx264", rate=rate)
        stream.width, stream.height = video_size(chosen)
        stream.pix_fmt = "yuv420p"
        stream.time_base = 1 / rate
        _name_colours(stream.codec_context)
        stream.codec_context.thread_count = THREADS
        stream.options = {"crf": QUALITY, "preset": EFFORT, "tune": "animation"}
        described = describe(recording.summary(), chosen, options)
        packets, error = _encode(av, stream, _pictures(recording, chosen, progress), repeats)
        file.metadata.update(title=described.title, comment=f"{described.text}\n{error.sentence}")
        file.mux(packets)
        return error.info


def _import_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise NotInstalled(
            "Videos need an encoder that is not installed. Install it with: "
            'pip install "stnscope[video]"'
        ) from error
    return av


def video_size(chosen: Plan) -> tuple[int, int]:
    """Return (width, height) of a plan's video: even, which yuv420p requires."""
    width, height = chosen.size
    return width + width % 2, height + height % 2


def _rate(chosen: Plan) -> tuple[Fraction, list[int]]:
    """Return frames per second, and how often each frame of the plan is repeated.

    The rate is constant, which all players support, and the total duration exact.
    """
    if chosen.fps is not None:
        rate, repeats = Fraction(chosen.fps).limit_denominator(1000), [1] * len(chosen.delays)
    else:
        common = reduce(gcd, chosen.delays)
        rate, repeats = Fraction(100, common), [delay // common for delay in chosen.delays]
    factor = max(1, ceil(MIN_FPS / rate))
    return rate * factor, [factor * repeat for repeat in repeats]


def _pictures(
    recording: ReadableRecording, chosen: Plan, progress: Progress | None
) -> Iterator[Pixels]:
    """Yield frames of even width and height."""
    width, height = chosen.size
    padding = ((0, height % 2), (0, width % 2), (0, 0))
    for layers in draw_frames(recording, chosen, progress):
        yield np.pad(layers.flatten(), padding, constant_values=sheet.BACKGROUND)


def _name_colours(context: "VideoCodecContext") -> None:
    """Write how colours are encoded; without it, players guess from the size of the video."""
    context.colorspace = COLOUR_CODES["matrix"]
    context.color_primaries = COLOUR_CODES["primaries"]
    context.color_trc = COLOUR_CODES["transfer"]
    context.color_range = COLOUR_CODES["range"]


def _encode(
    av: Any, stream: "VideoStream", pictures: Iterator[Pixels], repeats: list[int]
) -> tuple[list[Any], Psnr]:
    """Return the packets of a video, and the error after decoding."""
    error, packets, number = Psnr(), [], 0
    pending: dict[int, Pixels] = {}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = THREADS

    def take(new: list[Any]) -> None:
        for packet in new:
            if decoder.extradata is None:
                decoder.extradata = stream.codec_context.extradata
            packets.append(packet)
            compare(decoder.decode(packet))

    def compare(decoded: Any) -> None:
        for frame in decoded:
            original = pending.pop(frame.pts, None)
            if original is not None:
                error.add(original, frame.to_ndarray(format="rgb24"))

    for pixels, repeat in zip(pictures, repeats, strict=True):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        for _ in range(repeat):
            pending[number] = pixels
            frame.pts = number
            take(stream.encode(frame))
            number += 1
    take(stream.encode(None))
    compare(decoder.decode(None))
    return packets, error
