"""Write an animated WebP: a small file, with the error that its compression makes."""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.export.animation import draw_frames
from stnscope.backend.experiment.export.metadata import Metadata, describe
from stnscope.backend.experiment.export.options import (
    ExportOptions,
    FileInfo,
    Progress,
    ReadableRecording,
)
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.psnr import Psnr

Pixels = NDArray[np.uint8]

QUALITY = 90
EFFORT = 2
"""Effort of the encoder, at most 6; higher ones are far slower and save a few per cent."""
XMP_FLAG = 0x04
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def write_webp(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> FileInfo:
    """Write an animated WebP; arguments and errors as those of `export`."""
    chosen = plan(recording, options)
    data = encode_webp(recording, chosen, progress)
    error = _measure(recording, chosen, data)
    described = describe(recording.summary(), chosen, options)
    target.write_bytes(_with_xmp(data, chosen.size, described, error))
    return error.info


def encode_webp(
    recording: ReadableRecording, chosen: Plan, progress: Progress | None = None
) -> bytes:
    """Return the bytes of the animation of a plan, without metadata."""
    file, frames = BytesIO(), _Frames(recording, chosen, progress)
    frames.seek(0)  # A single frame is saved without being sought.
    frames.save(
        file,
        "WEBP",
        save_all=True,
        duration=[10 * delay for delay in chosen.delays],
        loop=0,
        quality=QUALITY,
        method=EFFORT,
        allow_mixed=True,
        exact=True,
    )
    return file.getvalue()


class _Frames(Image.Image):
    """The frames of a plan as one picture of several, each drawn when it is sought."""

    def __init__(
        self, recording: ReadableRecording, chosen: Plan, progress: Progress | None
    ) -> None:
        super().__init__()
        self._mode, self._size = "RGB", chosen.size
        self.n_frames = len(chosen.frames)
        self._drawn: Iterator[Pixels] = (
            layers.flatten() for layers in draw_frames(recording, chosen, progress)
        )
        self._frame = -1

    def seek(self, frame: int) -> None:
        while self._frame < frame:
            self.im = Image.fromarray(next(self._drawn)).im
            self._frame += 1

    def tell(self) -> int:
        return max(0, self._frame)


def _measure(recording: ReadableRecording, chosen: Plan, data: bytes) -> Psnr:
    """Return the error of the compressed frames."""
    error = Psnr()
    with Image.open(BytesIO(data)) as decoded:
        time, ends = 0, np.cumsum(chosen.delays) * 10
        shown = 0
        for layers, end in zip(draw_frames(recording, chosen), ends, strict=True):
            # The encoder may merge equal frames.
            while time < end:
                decoded.seek(shown)
                decoded.load()
                time += int(decoded.info["duration"] or end)  # that of a single frame is 0
                shown += 1
            error.add(layers.flatten(), np.asarray(decoded.convert("RGB")))
    return error


def _with_xmp(data: bytes, size: tuple[int, int], described: Metadata, error: Psnr) -> bytes:
    """Return the file with its provenance and error as XMP, the metadata of WebP."""
    text = escape(f"{described.text}\n{error.sentence}")
    packet = XMP.format(title=escape(described.title), text=text).encode()
    chunk = b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
    body = bytearray(data[12:])
    if body[:4] != b"VP8X":
        # A single frame has no such chunk: flags and the size less 1, 24 bits each.
        sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
        body[:0] = b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides
    body[8] |= XMP_FLAG
    body += chunk
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + bytes(body)
